/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs are stepped through with ptrace, instruction by instruction, including
 * prologues, epilogues, the C library and the vDSO. At each step, the result of cunwind()
 * for the registers and a copy of the stack is compared with a list of calls that have not
 * returned.
 */
#include <criterion/criterion.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "profiler/unwind/cunwind.h"
#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/go_binary.h"

enum { RBX = 3, RSP = 7, RIP = 16, MAX_PCS = 128 };

/* Code between two int3. All kinds of tables: frames by SP, by RBP (alloca), by an
 * expression (alignment), of a signal's trampoline. */
static const char program[] =
	"#include <alloca.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
	"#include <string.h>\n#include <time.h>\n"
	"#define F __attribute__((noinline))\n"
	"int library(int, int (*)(int));\n"
	"volatile int sink;\n"
	"F int leaf(int x) { return x * 3 + sink; }\n"
	"F int saves(int a, int b, int c) { int r = leaf(a) + leaf(b) * leaf(c);\n"
	"	return r + leaf(r) + a + b + c; }\n"
	"F int big(int n) { volatile char b[5000]; b[n] = 1; return saves(n, 2, b[n]); }\n"
	"F int moves(int n) { char *p = alloca(n); memset(p, n, n); return big(p[n - 1]) + leaf(n); }\n"
	"struct __attribute__((aligned(64))) wide { char c[128]; };\n"
	"F void touch(struct wide *w) { w->c[3] = leaf(3); }\n"
	"F int aligns(int n) { struct wide w; touch(&w); return moves(n) + w.c[3]; }\n"
	"F int jumps(int n) { return aligns(n + 1); }\n"
	"F int deep(int n) { return n ? deep(n - 1) + leaf(n) : jumps(90); }\n"
	"static int compare(const void *a, const void *b) { return leaf(*(int *)a) - leaf(*(int *)b); }\n"
	"static void handler(int s) { sink += leaf(s); }\n"
	/* OpenSSL's assembly defines the CFA like this */
	"void expresses(void);\n"
	"asm(\".text\\n.type expresses, @function\\nexpresses: .cfi_startproc; sub $24, %rsp\\n\"\n"
	"    \".cfi_escape 0x0f, 4, 0x77, 0, 0x23, 32\\nnop; add $24, %rsp\\n\"\n"
	"    \".cfi_def_cfa %rsp, 8\\nret; .cfi_endproc\");\n"
	"int main(void) {\n"
	"	struct timespec ts; int v[30]; for (int i = 0; i < 30; i++) v[i] = i * 37 % 31; char s[64];\n"
	"	signal(SIGUSR1, handler);\n"
	"	asm(\"int3\");\n"
	"	qsort(v, 30, sizeof(*v), compare);\n"
	"	sink += deep(9) + library(3, jumps);\n"
	"	raise(SIGUSR1);\n"
	"	expresses();\n"
	"	clock_gettime(CLOCK_MONOTONIC, &ts);\n"
	"	snprintf(s, sizeof(s), \"%d %g %s\", v[3], ts.tv_nsec / 3., \"x\");\n"
	"	free(malloc(100));\n"
	"	asm(\"int3\");\n"
	"	return 0;\n"
	"}\n";
static const char library[] = "int library(int n, int (*f)(int)) { int v[9] = { n };\n"
			      "	return f(60 + v[0]) + f(50) * v[n]; }\n";

static char dir[64];
static struct strtab *strs;
static struct symbolizer *symbolizer;
static struct space *space;
static struct cunwind *unwinder;
static pid_t pid;

/* Calls that have not returned, innermost first, like pcs. */
static uint64_t calls[MAX_PCS];
static uint32_t n_calls;
static uint8_t bytes[64 << 10];
static uint64_t stack_end;
static bool in_handler;

static struct {
	uint32_t steps, wrong, broken; /* wrong: frames that do not exist */
	uint32_t cut, missing; /* cut: more frames than this are missing at the root */
} seen;

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f && fputs(text, f) >= 0 && !fclose(f));
}

static void setup(void)
{
	n_calls = 0;
	in_handler = false;
	memset(&seen, 0, sizeof(seen));
	space = NULL;
	strcpy(dir, "/tmp/test-cunwind-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	write_file("program.c", program);
	write_file("library.c", library);
	strs = strtab_new();
	symbolizer = symbolizer_new(strs);
	unwinder = cunwind_new();
}

static void teardown(void)
{
	char command[128];

	cunwind_free(unwinder);
	space_close(space);
	symbolizer_close(symbolizer);
	strtab_free(strs);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(cunwind, .init = setup, .fini = teardown, .timeout = 300);

static bool read_memory(uint64_t addr, void *to, size_t n)
{
	struct iovec here = { to, n }, there = { (void *)addr, n };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

static enum cunwind_end unwind(const struct user_regs_struct *r, uint32_t size, bool cut,
			       uint64_t *pcs, uint32_t *n)
{
	struct cstack c = {
		.regs = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
			  r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
			  r->rip },
		.copy = { r->rsp, bytes, size },
		.cut = cut,
	};

	return cunwind(unwinder, space, &c, pcs, MAX_PCS, n);
}

/* Is it [rip] and the first n - 1 calls? */
static bool is_prefix(const uint64_t *pcs, uint32_t n, uint64_t rip)
{
	return n && n <= n_calls + 1 && pcs[0] == rip &&
	       !memcmp(pcs + 1, calls, (n - 1) * sizeof(*pcs));
}

static void check(const struct user_regs_struct *r)
{
	uint64_t pcs[MAX_PCS];
	uint32_t size = (uint32_t)(stack_end - r->rsp), n, part;
	enum cunwind_end end;

	cr_assert(size <= sizeof(bytes) && read_memory(r->rsp, bytes, size));
	end = unwind(r, size, false, pcs, &n);
	seen.steps++;
	seen.broken += end == CUNWIND_BROKEN;
	seen.cut += n + seen.missing < n_calls + 1;
	if (end == CUNWIND_SHORT || !is_prefix(pcs, n, r->rip) ||
	    (end == CUNWIND_ROOT && n != n_calls + 1)) {
		if (!seen.wrong++)
			fprintf(stderr,
				"first wrong: step %u, at %llx, %u frames of %u, end %d\n",
				seen.steps, r->rip, n, n_calls + 1, end);
		return;
	}
	/* a shorter copy: fewer frames, but no others; the rest of the buffer is not
	 * read */
	part = (uint32_t)rand() % (size + 1);
	memset(bytes + part, 0x41, size - part);
	end = unwind(r, part, true, pcs, &n);
	if (end == CUNWIND_GO || !is_prefix(pcs, n, r->rip) ||
	    (end == CUNWIND_ROOT && n != n_calls + 1))
		seen.wrong++;
}

static void push_call(uint64_t ra)
{
	cr_assert(n_calls < MAX_PCS - 1);
	memmove(calls + 1, calls, n_calls++ * sizeof(*calls));
	calls[0] = ra;
}

static void pop_call(void)
{
	cr_assert(n_calls);
	memmove(calls, calls + 1, --n_calls * sizeof(*calls));
}

/* The effect of the instruction at before->rip on the calls. */
static void follow(const struct user_regs_struct *before, const uint8_t *code,
		   const struct user_regs_struct *after)
{
	uint64_t ra;

	if (code[0] == 0x0f && code[1] == 0x05 && before->rax == SYS_rt_sigreturn) {
		pop_call();
		in_handler = false;
	}
	while (*code == 0xf2 || *code == 0xf3 || *code == 0x3e || *code == 0x67 ||
	       (*code & 0xf0) == 0x40)
		code++;
	if (after->rsp == before->rsp - 8 &&
	    (*code == 0xe8 || (*code == 0xff && (code[1] >> 3 & 7) == 2))) {
		cr_assert(read_memory(after->rsp, &ra, sizeof(ra)));
		push_call(ra);
	} else if (*code == 0xc3 && n_calls && calls[0] == after->rip) {
		pop_call();
	}
}

static int wait_stop(struct user_regs_struct *r)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSTOPPED(status), "the program ended: %x", status);
	cr_assert_eq(ptrace(PTRACE_GETREGS, pid, 0, r), 0);
	return WSTOPSIG(status);
}

static void find_stack(void)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "[stack]"))
			stack_end = strtoull(strchr(line, '-') + 1, NULL, 16);
	fclose(f);
}

/* From the program's first int3 to the second. */
static void step_through(void)
{
	struct user_regs_struct r, before;
	uint64_t pcs[MAX_PCS];
	char path[128];
	uint8_t code[16];
	uint32_t n;
	int sig = 0;

	snprintf(path, sizeof(path), "%s/program", dir);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execl(path, path, NULL);
		_exit(1);
	}
	cr_assert_eq(wait_stop(&r), SIGTRAP); /* of exec */
	cr_assert_eq(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	cr_assert_eq(wait_stop(&r), SIGTRAP);
	cr_assert_eq(space_open(&space, symbolizer, pid), 0);
	find_stack();
	cr_assert(read_memory(r.rsp, bytes, stack_end - r.rsp));
	/* the caller of main; if this is wrong, later ones differ */
	unwind(&r, (uint32_t)(stack_end - r.rsp), false, pcs, &n_calls);
	memcpy(calls, pcs + 1, --n_calls * sizeof(*calls));
	for (;;) {
		memset(code, 0, sizeof(code));
		for (size_t k = sizeof(code); k && !read_memory(r.rip, code, k); k--)
			;
		if (*code == 0xcc)
			break;
		check(&r);
		before = r;
		cr_assert_eq(ptrace(PTRACE_SINGLESTEP, pid, 0, sig), 0);
		if (sig) {
			cr_assert_eq(wait_stop(&r), SIGTRAP);
			sig = 0;
			if (r.rsp < before.rsp - 512) { /* else it is blocked: later */
				push_call(before.rip + 1);
				in_handler = true;
				continue;
			}
		} else {
			sig = wait_stop(&r);
			sig = sig == SIGTRAP ? 0 : sig;
		}
		n = n_calls;
		follow(&before, code, &r);
		/* functions are interrupted at their first instruction, and anywhere
		 * else */
		if (!in_handler && !sig && rand() % (n_calls > n ? 10 : 200) == 0)
			sig = SIGUSR1;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fprintf(stderr, "%u steps, %u wrong, %u broken, %u cut\n", seen.steps, seen.wrong,
		seen.broken, seen.cut);
}

static bool build(const char *command)
{
	char all[512];

	snprintf(all, sizeof(all), "cd %s && %s", dir, command);
	return system(all) == 0;
}

static void check_exact(void)
{
	step_through();
	cr_assert_gt(seen.steps, 2000);
	cr_assert_eq(seen.wrong, 0);
	cr_assert_eq(seen.broken, 0);
}

Test(cunwind, shared_libraries)
{
	cr_assert(build(
		"gcc -w -O2 -fomit-frame-pointer -shared -fPIC -o liblibrary.so library.c && "
		"gcc -w -O2 -fomit-frame-pointer -o program program.c -L. -llibrary "
		"-Wl,-rpath,. -Wl,-rpath,$PWD -Wl,-z,now"));
	check_exact();
}

Test(cunwind, static_without_a_search_table)
{
	cr_assert(build("gcc -w -O2 -fomit-frame-pointer -static -Wl,--no-eh-frame-hdr "
			"-o program program.c library.c"));
	check_exact();
}

Test(cunwind, static_pie)
{
	cr_assert(build("gcc -w -O2 -static-pie -o program program.c library.c"));
	check_exact();
}

Test(cunwind, unoptimized_by_clang)
{
	cr_assert(build("clang -w -O0 -o program program.c library.c -Wl,-z,now"));
	check_exact();
}

Test(cunwind, only_debug_frame)
{
	cr_assert(build("gcc -w -g -gz=none -O2 -fno-asynchronous-unwind-tables -o program "
			"program.c library.c -Wl,-z,now"));
	check_exact();
}

/* missing: how many frames at the root are not found. */
static void check_musl(const char *flags, uint32_t missing)
{
	char command[256];

	if (system("command -v musl-gcc >/dev/null"))
		cr_skip_test("no musl here");
	snprintf(
		command, sizeof(command),
		"musl-gcc -w -s -O2 -fomit-frame-pointer %s -o program program.c library.c",
		flags);
	cr_assert(build(command));
	seen.missing = missing;
	step_through();
	cr_assert_gt(seen.steps, 2000);
	cr_assert_eq(seen.wrong, 0);
	cr_assert_lt(seen.cut, seen.steps / 100);
}

/* It has no tables and, here, no names. */
Test(cunwind, static_musl)
{
	check_musl("-static", 0);
}

Test(cunwind, musl)
{
	check_musl("-Wl,-z,now", 0);
}

/* Its callers' frames depend on a register that it may have saved. */
Test(cunwind, static_musl_under_frame_pointers)
{
	check_musl("-static -O0 -fno-omit-frame-pointer", 1);
}

static int find_main(void *arg, const struct func *f)
{
	if (!strcmp(f->name, "main.main"))
		*(uint64_t *)arg = f->addr;
	return 0;
}

/* The address of a function of the vDSO; 0: not mapped yet, since exec does that last. */
static uint64_t find_vdso(void)
{
	const struct object *o = NULL;
	uint64_t base = 0, at, unused;
	char path[64], line[512];
	struct cursor symbols;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	while (!o && fgets(line, sizeof(line), f)) {
		base = strtoull(line, NULL, 16);
		if (strstr(line, "[vdso]"))
			o = space_object(space, base, &at);
	}
	fclose(f);
	if (!o || !o->elf || !elf_section(o->elf, ".dynsym", &unused, &symbols))
		return 0;
	for (size_t i = sizeof(Elf64_Sym); i + sizeof(Elf64_Sym) <= symbols.len;
	     i += sizeof(Elf64_Sym)) {
		const Elf64_Sym *sym = (const void *)(symbols.data + i);

		if (ELF64_ST_TYPE(sym->st_info) == STT_FUNC)
			return base - at + sym->st_value;
	}
	return 0;
}

Test(cunwind, go_code_ends_it)
{
	const uint64_t stack = 0xc000001000;
	uint64_t main = 0, vdso = 0, pcs[8], words[] = { 0, 1 };
	struct cstack c = { .copy = { stack, words, sizeof(words) } };
	uint32_t n;
	int in;

	pid = start_go(go_binary(), &in);
	for (int i = 0; i < 200 && !(main && vdso); i++) {
		space_close(space);
		usleep(5000);
		cr_assert_eq(space_open(&space, symbolizer, pid), 0);
		space_functions(space, find_main, &main);
		vdso = find_vdso();
	}
	words[0] = main + 9;
	c.regs[RIP] = vdso;
	c.regs[RSP] = stack;
	c.regs[RBX] = 42;
	cr_assert_eq(cunwind(unwinder, space, &c, pcs, 8, &n), CUNWIND_GO);
	cr_assert_eq(n, 2);
	cr_assert_eq(pcs[1], main + 9);
	cr_assert_eq(c.regs[RIP], main + 9);
	cr_assert_eq(c.regs[RSP], stack + 8);
	cr_assert_eq(c.regs[RBX], 42);
	/* one frame only */
	c.regs[RIP] = pcs[0];
	c.regs[RSP] = stack;
	cr_assert_eq(cunwind(unwinder, space, &c, pcs, 1, &n), CUNWIND_SHORT);
	cr_assert_eq(n, 1);
	/* the copy ends where the return address is */
	c.regs[RIP] = pcs[0];
	c.regs[RSP] = stack;
	c.copy.size = 7;
	cr_assert_eq(cunwind(unwinder, space, &c, pcs, 8, &n), CUNWIND_SHORT);
	cr_assert_eq(n, 1);
	stop_go(pid, in);
}
