/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our C unwinder beside libunwind, which shares no line with it.
 *
 * cfi rows FILE STRIDE: at every STRIDE-th address that a table of FILE covers, the
 * registers of the caller, as cfi.c and libunwind find them. Registers and stack are made
 * up, and no two words are alike, so a rule that differs gives another value.
 *
 * cfi stacks PID SAMPLES: stops threads of PID that are in C, and compares whole stacks,
 * from the leaf to Go code or to the thread's first function.
 *
 * Prints one line of figures, after the first differences; exit status 1 when there are
 * any, 2 when nothing was compared. What libunwind cannot do is counted apart.
 */
#include <ctype.h>
#include <dirent.h>
#include <dwarf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "profiler/unwind/callsite.h"
#include "profiler/unwind/cfi.h"
#include "profiler/unwind/cunwind.h"
#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

/* libunwind exports it, as perf and others need it, and no header declares it. */
int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t as, unw_word_t ip,
				       unw_dyn_info_t *di, unw_proc_info_t *pi, int need,
				       void *arg);

enum {
	STACK_BYTES = 1 << 18, /* of the stack that is made up; a power of 2 */
	COPY_BYTES = 1 << 18,  /* of one that is copied */
	PAGE = 4096,
	MAX_PCS = 512,
	SHOWN = 5, /* differences */
	HDR_BYTES = 12,
	PATIENCE = 100000, /* looks for a thread that is in C */
};

#define STACK 0x7ff000000000u

static struct strtab *strs;
static struct symbolizer *symbolizer;
static struct space *space;
static struct cunwind *unwinder;
static unw_addr_space_t theirs;
static pid_t pid; /* 0: rows of a file */
static uint64_t regs[REGS];
static bool no_table;             /* libunwind has asked for a table that is not there */
static uint64_t equal, different; /* stacks, or rows */
static uint64_t cannot;           /* libunwind fails */
static uint64_t no_entry;         /* in .eh_frame_hdr, by which libunwind searches */
static uint64_t
	sp_rules; /* rows with a rule for SP itself, which libunwind does not follow */
static uint64_t other_stack; /* stacks that go on elsewhere */
static uint64_t below_sp; /* rows that need words below SP, of which samples have no copy */

static void die(const char *what)
{
	fprintf(stderr, "cfi: %s\n", what);
	exit(2);
}

/* The word at addr of the stack that is made up: an address in its upper half, where
 * callers' frames are. */
static uint64_t made_up(uint64_t addr)
{
	return STACK + STACK_BYTES / 2 + (addr - STACK) * 0x9e35 % (STACK_BYTES / 2);
}

static bool read_word(uint64_t addr, uint64_t *ret)
{
	struct iovec here = { ret, sizeof(*ret) }, there = { (void *)addr, sizeof(*ret) };
	const struct object *o;
	uint64_t at;
	struct cursor c;

	*ret = 0;
	if (pid)
		return process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(*ret);
	if (addr >= STACK && addr <= STACK + STACK_BYTES - sizeof(*ret)) {
		*ret = made_up(addr);
		return true;
	}
	o = space_object(space, addr, &at);
	c = elf_at(o->elf, addr);
	memcpy(ret, c.data, c.len < sizeof(*ret) ? c.len : sizeof(*ret));
	return c.len > 0;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *v, int write,
		      void *arg)
{
	(void)as, (void)arg;
	return !write && read_word(addr, v) ? 0 : -UNW_EINVAL;
}

/* libunwind numbers registers as DWARF does, on x86-64. */
static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *v, int write,
		      void *arg)
{
	(void)as, (void)arg;
	if (write || reg < 0 || reg >= REGS)
		return -UNW_EBADREG;
	*v = regs[reg];
	return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *v, int write,
			void *arg)
{
	(void)as, (void)reg, (void)v, (void)write, (void)arg;
	return -UNW_EBADREG;
}

/* Where PT_GNU_EH_FRAME is. false: there is none, or not of the kind that linkers write. */
static bool find_table(const struct elf *e, uint64_t *vaddr, uint32_t *n)
{
	GElf_Phdr ph;
	struct cursor c;

	for (int i = 0; gelf_getphdr(e->lib, i, &ph); i++) {
		if (ph.p_type != PT_GNU_EH_FRAME)
			continue;
		c = elf_at(e, ph.p_vaddr);
		*vaddr = ph.p_vaddr;
		if (cursor_u32(&c) != 0x3b031b01) /* version 1, sdata4 by udata4 */
			return false;
		cursor_u32(&c);
		*n = cursor_u32(&c);
		return !c.bad;
	}
	return false;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need,
			  void *arg)
{
	uint64_t at, vaddr;
	const struct object *o = space_object(space, ip, &at);
	unw_dyn_info_t di = { .format = UNW_INFO_FORMAT_REMOTE_TABLE,
			      .end_ip = UINT64_MAX };
	uint32_t n;
	int ret = -UNW_ENOINFO;

	if (o && o->elf && find_table(o->elf, &vaddr, &n)) {
		di.u.rti.segbase = ip - at + vaddr;
		di.u.rti.table_data = di.u.rti.segbase + HDR_BYTES;
		di.u.rti.table_len = n; /* in words, as long as an entry */
		ret = _Ux86_64_dwarf_search_unwind_table(as, ip, &di, pi, need, arg);
	}
	no_table |= ret == -UNW_ENOINFO;
	return ret;
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as, (void)pi, (void)arg;
}

static int no_list(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void)as, (void)addr, (void)arg;
	return -UNW_ENOINFO;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *c, void *arg)
{
	(void)as, (void)c, (void)arg;
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t as, unw_word_t ip, char *name, size_t len,
		   unw_word_t *offset, void *arg)
{
	(void)as, (void)ip, (void)name, (void)len, (void)offset, (void)arg;
	return -UNW_EINVAL;
}

static unw_accessors_t accessors = {
	.find_proc_info = find_proc_info,
	.put_unwind_info = put_unwind_info,
	.get_dyn_info_list_addr = no_list,
	.access_mem = access_mem,
	.access_reg = access_reg,
	.access_fpreg = access_fpreg,
	.resume = no_resume,
	.get_proc_name = no_name,
};

/* Rows of a file */

/* The caller's registers, and which of them are known, by DWARF's own words: what is saved
 * below SP counts. */
static uint32_t apply_row(const struct cfi_row *row, uint64_t ret[REGS])
{
	const struct cfi_rule *rule = &row->rules[CFI_CFA];
	uint64_t cfa = regs[rule->reg] + (uint64_t)(int64_t)rule->value;
	uint32_t known = 0;

	for (uint32_t i = 0; i < REGS; i++) {
		uint64_t at;
		bool has = true;

		rule = &row->rules[i];
		at = cfa + (uint64_t)(int64_t)rule->value;
		switch (rule->how) {
		case CFI_KEPT: ret[i] = i == REG_SP ? cfa : regs[i]; break;
		case CFI_AT: has = read_word(at, &ret[i]); break;
		case CFI_IS: ret[i] = at; break;
		case CFI_IN: ret[i] = regs[rule->reg]; break;
		default: has = false;
		}
		known |= (uint32_t)has << i;
	}
	return known;
}

static bool has_expressions(const struct cfi_row *row)
{
	for (uint32_t i = 0; i <= CFI_CFA; i++)
		if (row->rules[i].how == CFI_AT_EXPR || row->rules[i].how == CFI_IS_EXPR)
			return true;
	return false;
}

static bool needs_below_sp(const struct cfi_row *row)
{
	const struct cfi_rule *cfa = &row->rules[CFI_CFA];
	const uint8_t *expr = row->exprs + cfa->value;

	return cfa->how == CFI_IS_EXPR && cfa->len > 1 && expr[0] == DW_OP_breg7 &&
	       (expr[1] & 0xc0) == 0x40; /* a short number below 0 */
}

/* The same by the unwinder itself, which evaluates them. */
static uint32_t apply_expressions(uint64_t ret[REGS])
{
	static uint64_t words[STACK_BYTES / 8];
	uint64_t sp = regs[REG_SP], pcs[1];
	struct cstack c = { .copy = { sp, words, (uint32_t)(STACK + STACK_BYTES - sp) } };
	uint32_t n;

	memcpy(c.regs, regs, sizeof(regs));
	for (uint32_t i = 0; i < c.copy.size / 8; i++)
		words[i] = made_up(sp + i * 8);
	if (cunwind(unwinder, space, &c, pcs, 1, &n) != CUNWIND_SHORT)
		return 0;
	memcpy(ret, c.regs, sizeof(c.regs));
	return (1u << REGS) - 1;
}

/* As apply_row(), by libunwind. *end: what unw_step() returned. */
static uint32_t apply_theirs(uint64_t ret[REGS], int *end)
{
	uint32_t known = 0;
	unw_cursor_t c;

	no_table = false;
	*end = unw_init_remote(&c, theirs, NULL);
	if (!*end)
		*end = unw_step(&c);
	for (int i = 0; *end > 0 && i < REGS; i++)
		if (!unw_get_reg(&c, i, &ret[i]))
			known |= 1u << i;
	return known;
}

static void show_row(uint64_t addr, uint32_t known, const uint64_t *a, uint32_t they_know,
		     const uint64_t *b, int end)
{
	if (different++ >= SHOWN)
		return;
	printf("  0x%lx: ", addr);
	for (int i = 0; i < REGS; i++)
		if ((known ^ they_know) >> i & 1 || (known >> i & 1 && a[i] != b[i]))
			printf("register %d: we %lx%s, they %lx%s; ", i, a[i],
			       known >> i & 1 ? "" : " (unknown)", b[i],
			       they_know >> i & 1 ? "" : " (unknown)");
	printf("libunwind returned %d\n", end);
}

/* Where libunwind has no answer; else false. */
static bool has_no_answer(bool found, int end)
{
	if (no_table && found)
		no_entry++;
	else if (no_table || end < 0)
		cannot++;
	return no_table || end < 0;
}

static void compare_row(const struct cfi *t, uint64_t addr)
{
	uint64_t a[REGS] = { 0 }, b[REGS] = { 0 };
	uint32_t known = 0, they_know;
	struct cfi_row row;
	bool found, same;
	int end;

	regs[REG_PC] = addr;
	they_know = apply_theirs(b, &end);
	found = cfi_find(t, addr, &row);
	if (has_no_answer(found, end))
		return;
	if (found && needs_below_sp(&row)) {
		below_sp++;
		return;
	}
	if (found && row.rules[REG_PC].how == CFI_LOST) {
		same = !end; /* the thread's first function */
	} else {
		if (found)
			known = has_expressions(&row) ? apply_expressions(a)
						      : apply_row(&row, a);
		if (found && row.rules[REG_SP].how != CFI_KEPT) {
			sp_rules++;
			a[REG_SP] = b[REG_SP];
			known |= 1u << REG_SP;
		}
		same = found && known == they_know;
		for (int i = 0; i < REGS; i++)
			same &= !(known >> i & 1) || a[i] == b[i];
	}
	if (same)
		equal++;
	else
		show_row(addr, known, a, they_know, b, end);
}

static void compare_rows(const char *path, uint64_t stride)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf *e;
	struct cfi t;
	uint64_t skip = 0;

	if (fd < 0 || elf_open(&e, fd) || space_open_file(&space, symbolizer, fd))
		die("cannot read the file");
	cfi_init(&t, e);
	for (uint32_t i = 0; i < REGS; i++)
		regs[i] = STACK + 0x8000 + i * 0x1008;
	regs[REG_SP] = STACK + 0x4000; /* what is saved below it can be read */
	regs[REG_FP] = STACK + 0x5000;
	regs[9] = 5; /* libcrypto has an expression with r9 * 8 */
	for (uint32_t i = 0; i < t.n; i++) {
		for (; skip < t.ranges[i].size; skip += stride)
			compare_row(&t, t.ranges[i].start + skip);
		skip -= t.ranges[i].size;
	}
	printf("%s: %u functions, rows: %lu equal, %lu different; apart: %lu that libunwind fails on, "
	       "%lu without an entry in .eh_frame_hdr, %lu that need words below SP; "
	       "%lu of those equal have a rule for SP, which libunwind ignores\n",
	       path, t.n, equal, different, cannot, no_entry, below_sp, sp_rules);
	cfi_release(&t);
	elf_close(e);
}

/* Stacks of a process */

enum end { END_GO, END_ROOT, END_CANNOT, END_OTHER };

static const char *const end_names[] = { "Go", "the first function", "libunwind's end",
					 "another stack" };

/* As cunwind() stores them: without trampolines of signals, and plus 1 what a signal has
 * interrupted. That may be on another stack, where profiler/unwind/sigstack.c goes on and
 * cunwind() does not. */
static enum end their_stack(uint64_t *pcs, uint32_t *n)
{
	uint64_t before = 0, at, sp = regs[REG_SP], next_sp;
	unw_cursor_t c;
	unw_word_t ip = regs[REG_PC];

	*n = 0;
	if (unw_init_remote(&c, theirs, NULL))
		return END_CANNOT;
	while (*n < MAX_PCS) {
		const struct object *o = space_object(space, ip, &at);
		bool signal = o && is_trampoline(o, at);
		int ret;

		if (!signal || !*n) {
			pcs[*n] = before || !*n ? ip : ip + 1;
			++*n;
		}
		if (space_is_go(space, ip - before))
			return END_GO;
		no_table = false;
		ret = unw_step(&c);
		if (no_table || ret < 0)
			return END_CANNOT;
		if (!ret || unw_get_reg(&c, UNW_REG_IP, &ip) || !ip)
			return END_ROOT;
		if (unw_get_reg(&c, UNW_REG_SP, &next_sp) || next_sp <= sp)
			return END_OTHER;
		/* a handler's stack may also be below the one that it has interrupted */
		if (signal && next_sp - regs[REG_SP] >= COPY_BYTES)
			return END_OTHER;
		sp = next_sp;
		before = signal ? 0 : 1;
	}
	return END_CANNOT;
}

static const char *const our_end_names[] = { "Go", "the first function", "the copy's end",
					     "nothing" };

static void show_stack(const uint64_t *a, uint32_t n, enum cunwind_end end,
		       const uint64_t *b, uint32_t n_theirs, enum end their_end)
{
	const struct object *o;
	uint64_t at = 0;

	if (different++ >= SHOWN)
		return;
	o = space_object(space, regs[REG_PC], &at);
	printf("  at 0x%lx of %s\n", at, o ? o->path : "nothing");
	printf("  we, to %s:", our_end_names[end]);
	for (uint32_t i = 0; i < n; i++)
		printf(" %lx", a[i]);
	printf("\n  they, to %s:", end_names[their_end]);
	for (uint32_t i = 0; i < n_theirs; i++)
		printf(" %lx", b[i]);
	printf("\n");
}

static void compare_stack(void)
{
	static uint8_t copy[COPY_BYTES];
	struct cstack c = { .copy = { regs[REG_SP], copy, 0 } };
	uint64_t a[MAX_PCS], b[MAX_PCS];
	uint32_t n, n_theirs, same = 0;
	enum cunwind_end end;
	enum end their_end;

	/* up to the end of the stack, which may be less than a page away */
	for (ssize_t got = PAGE; got == PAGE && c.copy.size < COPY_BYTES;) {
		struct iovec here = { copy + c.copy.size, PAGE };
		struct iovec there = { (void *)(regs[REG_SP] + c.copy.size), PAGE };

		got = process_vm_readv(pid, &here, 1, &there, 1, 0);
		c.copy.size += got > 0 ? (uint32_t)got : 0;
	}
	memcpy(c.regs, regs, sizeof(regs));
	their_end = their_stack(b, &n_theirs);
	end = cunwind(unwinder, space, &c, a, MAX_PCS, &n);
	while (same < n && same < n_theirs && a[same] == b[same])
		same++;
	if (their_end == END_CANNOT && same == n_theirs)
		cannot++;
	else if (their_end == END_OTHER && same == n_theirs)
		other_stack++;
	else if (same == n && same == n_theirs &&
		 end == (their_end == END_GO ? CUNWIND_GO : CUNWIND_ROOT))
		equal++;
	else
		show_stack(a, n, end, b, n_theirs, their_end);
}

/* Stops a thread, compares its stack if it is in C, and lets it go on. */
static void look_at(pid_t tid)
{
	struct user_regs_struct r;
	int status, sig = 0;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0))
		return;
	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) || waitpid(tid, &status, __WALL) != tid ||
	    !WIFSTOPPED(status))
		return;
	if (status >> 16 != PTRACE_EVENT_STOP)
		sig = WSTOPSIG(status);
	if (!ptrace(PTRACE_GETREGS, tid, 0, &r)) {
		const uint64_t now[REGS] = { r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi,
					     r.rbp, r.rsp, r.r8,  r.r9,  r.r10, r.r11,
					     r.r12, r.r13, r.r14, r.r15, r.rip };

		memcpy(regs, now, sizeof(regs));
		if (!space_is_go(space, r.rip))
			compare_stack();
	}
	ptrace(PTRACE_DETACH, tid, 0, sig);
}

static void compare_stacks(uint64_t wanted)
{
	char path[64];

	if (space_open(&space, symbolizer, pid))
		die("no such process");
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	for (int i = 0; i < PATIENCE && equal + different + cannot + other_stack < wanted;
	     i++) {
		DIR *dir = opendir(path);
		struct dirent *d;

		while (dir && (d = readdir(dir)))
			if (isdigit(*d->d_name))
				look_at(atoi(d->d_name));
		if (!dir)
			break;
		closedir(dir);
		if (i % 64 == 0)
			space_refresh(space);
		usleep(1000 + (useconds_t)rand() % 1000);
	}
	printf("process %d, stacks: %lu equal, %lu different; apart: %lu that libunwind does not end, "
	       "%lu that go on on another stack\n",
	       pid, equal, different, cannot, other_stack);
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "rows") && strcmp(argv[1], "stacks")))
		die("usage: cfi rows FILE STRIDE, cfi stacks PID SAMPLES");
	strs = strtab_new();
	symbolizer = symbolizer_new(strs);
	unwinder = cunwind_new();
	theirs = unw_create_addr_space(&accessors, 0);
	unw_set_caching_policy(theirs, UNW_CACHE_NONE);
	if (!strcmp(argv[1], "rows")) {
		compare_rows(argv[2], strtoull(argv[3], NULL, 10));
	} else {
		pid = atoi(argv[2]);
		compare_stacks(strtoull(argv[3], NULL, 10));
	}
	unw_destroy_addr_space(theirs);
	cunwind_free(unwinder);
	space_close(space);
	symbolizer_close(symbolizer);
	strtab_free(strs);
	return different ? 1 : equal ? 0 : 2;
}
