/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * step TITLE PROGRAM [STEPS [ALLOWED]]: runs PROGRAM (tests/oracle/steps) and executes one
 * of its threads instruction by instruction, at most STEPS of them (0: all). Status 0: at
 * most ALLOWED of a thousand differ.
 *
 * After each instruction a sample is taken by the code of the kernel side, from ptrace's
 * registers and the memory of the process, and stack_unwind() makes a stack of it. This
 * must equal the list of calls that have not returned. That list is tests/oracle/shadow.h.
 * The names in both come from the symbolizer, which has tests of its own
 * (tests/oracle/check-pcs).
 */
#include <dirent.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "profiler/base/arena.h"
#include "profiler/base/pairs.h"
#include "profiler/unwind/cunwind.h"
#include "profiler/unwind/unwind.h"
#include "symbolizer/resolver.h"
#include "tests/oracle/stopped.h"

enum {
	MEMO = 1 << 16,
	KINDS = 256,
	STALL_US = 4000, /* no step takes longer, unless it waits for another thread */
	SIGNAL_EVERY = 2000,
};

/* An allowed difference: after the last function that is the same comes one of these, or
 * none. */
struct kind {
	uint32_t last, ours, theirs;
	uint64_t n;
	/* where they first differ: theirs, ours */
	uint32_t chains[2];
};

/* A chain is a frame and its callers. Equal ones are the same row; row 0 is none. */
struct link {
	uint32_t parent, func;
	uint64_t addr;
	uint8_t kind;
};

static struct link *links;
static uint32_t n_links, cap_links;
static struct pairs frames; /* function and line; address, kind, inlined */
static struct pairs chains; /* parent, frame; the ids are rows of links less 1 */

struct memo {
	uint64_t pc;
	uint32_t parent, chain;
};

static struct cunwind *of_c;
static uint64_t begin_at, end_at, goexit_at;

static struct memo memos[MEMO];
static struct kind kinds[KINDS];
static uint32_t n_kinds;
static uint64_t n_steps, n_equal, n_signals, n_differ;

static void die(const char *what)
{
	fprintf(stderr, "step %" PRIu64 ": %s\n", n_steps, what);
	kill(pid, SIGKILL);
	exit(2);
}

static uint32_t link_get(uint32_t parent, const struct frame *f)
{
	uint32_t frame = pairs_add(&frames, (uint64_t)f->func << 32 | f->line,
				   f->addr << 9 | f->kind << 1 | f->inlined);
	uint32_t id = 1 + pairs_add(&chains, parent, frame);

	if (!n_links)
		(void)table_add(links, n_links, cap_links);
	if (id == n_links)
		*table_add(links, n_links, cap_links) = (struct link){ parent, f->func,
								       f->addr, f->kind };
	return id;
}

/* Adds its frames to parent's; a root has nothing after it. */
static uint32_t chain_of(uint32_t parent, uint64_t pc)
{
	struct memo *m = &memos[(pc * 31 + parent * 0x9e3779b1u) % MEMO];
	struct frame f[FRAMES_AT_PC];
	uint8_t kind;
	int n;

	if (m->pc == pc && m->parent == parent && m->chain)
		return m->chain;
	*m = (struct memo){ pc, parent, parent };
	n = symbolizer_user(symbolizer, proc->space, pc, f, FRAMES_AT_PC, NULL);
	kind = f[n - 1].kind;
	if (kind == FRAME_GOEXIT || kind == FRAME_MCALL || kind == FRAME_MSTART)
		m->chain = 0;
	while (n--)
		m->chain = link_get(m->chain, &f[n]);
	return m->chain;
}

static const char *name_at(uint64_t pc)
{
	struct frame f[FRAMES_AT_PC];
	int n = symbolizer_user(symbolizer, proc->space, pc, f, FRAMES_AT_PC, NULL);

	return strtab_get(strs, f[n - 1].func);
}

static uint64_t word(uint64_t addr)
{
	uint64_t v;

	return read_user(&v, sizeof(v), addr) ? 0 : v;
}

#include "tests/oracle/shadow.h"

static void show(const char *title, uint32_t chain)
{
	fprintf(stderr, "    %s:", title);
	for (; chain; chain = links[chain].parent)
		fprintf(stderr, " %s+%" PRIx64,
			links[chain].kind == FRAME_CUT
				? "[cut]"
				: strtab_get(strs, links[chain].func),
			links[chain].addr);
	fprintf(stderr, "\n");
}

static uint32_t frame_of(uint32_t chain)
{
	return chain ? (uint32_t)chains.rows[chain - 1].b : UINT32_MAX;
}

static uint32_t func_of(uint32_t chain)
{
	return chain ? links[chain].func : 0;
}

static uint32_t root_of(uint32_t chain)
{
	while (chain && links[chain].parent)
		chain = links[chain].parent;
	return func_of(chain);
}

/* Without theirs' next frames, including inlined ones, they continue alike. */
static bool lacks_one(uint32_t ours, uint32_t theirs)
{
	while (theirs && theirs != ours)
		theirs = links[theirs].parent;
	return ours == theirs;
}

static bool holds(uint32_t chain, const char *name)
{
	for (; chain; chain = links[chain].parent)
		if (!strcmp(strtab_get(strs, links[chain].func), name))
			return true;
	return false;
}

/*
 * What cannot be known, or not yet; each is counted. Here: frame pointers of a stack that
 * is being moved, and of its copy.
 */
static bool is_moving(uint32_t ours, uint32_t theirs, const struct user_regs_struct *r)
{
	(void)ours;
	(void)r;
	return holds(theirs, "runtime.copystack");
}

/* newstack has given the thread away, and which goroutine it was is unknown. */
static bool has_left(uint32_t ours, uint32_t theirs, const struct user_regs_struct *r)
{
	uint64_t m = word(word(r->fs_base + (uint64_t)exe.layout.tls_g) + 48);
	uint64_t curg = word(m + exe.layout.m_curg);

	(void)theirs;
	return (!curg || !word(curg + 48)) && holds(ours, "runtime.newstack") &&
	       !strncmp(strtab_get(strs, root_of(ours)), "runtime.morestack", 17);
}

/* The rest of ours is [cut]. */
static bool is_cut(uint32_t ours)
{
	return ours && !links[ours].parent && links[ours].kind == FRAME_CUT;
}

/* A function without a frame, or in its prologue, was made to call something that it does
 * not call: its return address is neither in the chain nor among the words at SP. */
static bool is_injected(uint32_t ours, uint32_t theirs, const struct user_regs_struct *r)
{
	bool called = false;

	(void)r;
	for (; ours && theirs; ours = links[ours].parent, theirs = links[theirs].parent) {
		const char *name = strtab_get(strs, func_of(theirs));

		if (frame_of(ours) != frame_of(theirs))
			return called && is_cut(ours);
		called = called || !strncmp(name, "runtime.sigpanic", 16) ||
			 !strcmp(name, "runtime.asyncPreempt");
	}
	return false;
}

/* The handler changes the registers that it will return to: SP, then PC, to those of a call
 * that was not made. The function that seems to make the call may have no frame, as
 * above. */
static bool is_injecting(uint32_t ours, uint32_t theirs, const struct user_regs_struct *r)
{
	bool changing = holds(theirs, "runtime.(*sigctxt).pushCall"), handles = false;

	(void)r;
	while (ours && theirs && frame_of(ours) == frame_of(theirs)) {
		const char *name = strtab_get(strs, func_of(ours));

		handles = handles || !strcmp(name, "runtime.sigtramp") ||
			  !strncmp(name, "runtime.sigreturn", 17) ||
			  !strcmp(name, "__restore_rt");
		ours = links[ours].parent;
		theirs = links[theirs].parent;
	}
	if (!handles || changing)
		return handles;
	if (strcmp(strtab_get(strs, func_of(ours)), "runtime.asyncPreempt") &&
	    strncmp(strtab_get(strs, func_of(ours)), "runtime.sigpanic", 16))
		return false;
	ours = links[ours].parent;
	return ours == theirs || (frame_of(ours) == frame_of(theirs) &&
				  lacks_one(links[ours].parent, links[theirs].parent));
}

enum { EXCUSES = 4 };

static struct {
	const char *what;
	bool (*is)(uint32_t ours, uint32_t theirs, const struct user_regs_struct *r);
	uint64_t n;
} excuses[EXCUSES] = {
	{ "in copystack", is_moving, 0 },
	{ "goroutine gone", has_left, 0 },
	{ "below an injected call", is_injected, 0 },
	{ "before an injected call", is_injecting, 0 },
};

static void differs(uint32_t ours, uint32_t theirs, const struct user_regs_struct *r)
{
	struct kind k = { .chains = { theirs, ours }, .n = 1 };
	uint32_t i;

	for (i = 0; i < EXCUSES; i++) {
		if (excuses[i].is(ours, theirs, r)) {
			excuses[i].n++;
			return;
		}
	}
	n_differ++;
	while (ours && theirs && frame_of(ours) == frame_of(theirs)) {
		k.last = func_of(ours);
		ours = links[ours].parent;
		theirs = links[theirs].parent;
	}
	k.ours = func_of(ours);
	k.theirs = func_of(theirs);
	for (i = 0; i < n_kinds; i++) {
		if (kinds[i].last == k.last && kinds[i].ours == k.ours &&
		    kinds[i].theirs == k.theirs) {
			kinds[i].n++;
			return;
		}
	}
	if (n_kinds < KINDS)
		kinds[n_kinds++] = k;
}

/* What the unwinder makes of the sample. */
static uint32_t unwound(void)
{
	static const struct frame cut = { .kind = FRAME_CUT };
	static struct stack stack;
	uint32_t ret = 0;

	stack_unwind(&stack, proc->space, of_c, &scratch.sample);
	for (uint32_t i = stack.n; i--;)
		ret = stack.pcs[i] == STACK_GAP ? link_get(ret, &cut)
						: chain_of(ret, stack.pcs[i]);
	return ret;
}

static void check(const struct user_regs_struct *r)
{
	uint32_t theirs = chain_of(top(), r->rip), ours;

	sample(r);
	ours = unwound();
	n_steps++;
	if (ours == theirs)
		n_equal++;
	else
		differs(ours, theirs, r);
}

/* Threads */

static pid_t others[64];
static uint32_t n_others;

/* All other threads stand still, so that only what we step through happens. */
static void freeze(void)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)) && n_others < 64) {
		pid_t t = atoi(d->d_name);
		int status;

		if (t <= 0 || t == tid || ptrace(PTRACE_SEIZE, t, 0, 0))
			continue;
		ptrace(PTRACE_INTERRUPT, t, 0, 0);
		while (waitpid(t, &status, __WALL) < 0 && errno == EINTR)
			;
		if (WIFSTOPPED(status) && status >> 16 != PTRACE_EVENT_STOP)
			ptrace(PTRACE_DETACH, t, 0, WSTOPSIG(status));
		else
			others[n_others++] = t;
	}
	closedir(dir);
}

static void thaw(void)
{
	while (n_others)
		ptrace(PTRACE_DETACH, others[--n_others], 0, 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static int wait_stop(struct user_regs_struct *r)
{
	int status, alarms = 0;

	while (waitpid(tid, &status, __WALL) != tid) {
		if (errno != EINTR)
			die("it is gone");
		if (++alarms == 2)
			thaw();
	}
	if (!WIFSTOPPED(status))
		die("it ended");
	if (alarms >= 2)
		freeze();
	if (ptrace(PTRACE_GETREGS, tid, 0, r))
		die("no registers");
	return status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
}

static int function_found(void *arg, const struct func *f)
{
	uint64_t bias = *(uint64_t *)arg;

	if (!strcmp(f->name, "steps/load.begin"))
		begin_at = f->addr + bias;
	if (!strcmp(f->name, "steps/load.end"))
		end_at = f->addr + bias;
	if (!strcmp(f->name, "runtime.goexit"))
		goexit_at = f->addr + bias;
	return 0;
}

/* Where it begins and ends. */
static void find_ends(void)
{
	uint64_t bias = 0;

	space_go(proc->space, &bias);
	space_functions(proc->space, function_found, &bias);
	if (!begin_at || !end_at)
		die("it is not our program");
}

static void start(char *program, int *in)
{
	int in_pipe[2], out_pipe[2];
	char line[32] = "";

	if (pipe(in_pipe) || pipe(out_pipe))
		exit(2);
	pid = fork();
	if (!pid) {
		dup2(in_pipe[0], 0);
		dup2(out_pipe[1], 1);
		execl(program, program, NULL);
		_exit(127);
	}
	close(out_pipe[1]);
	if (read(out_pipe[0], line, sizeof(line) - 1) <= 0)
		die("it does not start");
	tid = atoi(line);
	*in = in_pipe[1];
}

/* Runs to where the thread calls load.begin(), whose caller's caller is goexit. */
static void run_to_begin(int in, struct user_regs_struct *r)
{
	struct itimerval every = { { 0, STALL_US }, { 0, STALL_US } };
	struct sigaction alarmed = { .sa_handler = on_alarm };
	long code;
	int sig;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		die("it cannot be traced");
	wait_stop(r);
	code = ptrace(PTRACE_PEEKTEXT, tid, begin_at, 0);
	ptrace(PTRACE_POKETEXT, tid, begin_at, (code & ~0xffl) | 0xcc);
	ptrace(PTRACE_CONT, tid, 0, 0);
	if (write(in, "\n", 1) != 1)
		die("it is gone");
	while ((sig = wait_stop(r)) != SIGTRAP)
		ptrace(PTRACE_CONT, tid, 0, sig);
	r->rip = begin_at;
	ptrace(PTRACE_SETREGS, tid, 0, r);
	ptrace(PTRACE_POKETEXT, tid, begin_at, code);
	sigaction(SIGALRM, &alarmed, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	freeze();
	where = place_of(r);
	push(where.hi, goexit_at, false);
	push(r->rsp, word(r->rsp) - 1, false);
}

static void step_through(struct user_regs_struct *r, uint64_t max)
{
	struct user_regs_struct before;
	bool handled, returning;
	int sig = 0;

	while (r->rip != end_at && n_steps < max) {
		check(r);
		if (where.place != ON_SIGNAL && rand() % SIGNAL_EVERY == 0)
			syscall(SYS_tgkill, pid, tid, SIGURG);
		before = *r;
		returning = where.place == ON_SIGNAL && is_sigreturn(r);
		handled = sig != 0;
		if (sig)
			n_signals++;
		if (ptrace(PTRACE_SINGLESTEP, tid, 0, sig))
			die("no step");
		sig = wait_stop(r);
		if (sig == SIGTRAP)
			sig = 0;
		step_seen(&before, r, handled, returning);
	}
}

static int by_number(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->n < y->n ? 1 : -(x->n > y->n);
}

int main(int argc, char **argv)
{
	struct user_regs_struct r;
	uint64_t max = UINT64_MAX;
	int in;

	if (argc < 3)
		return 2;
	start(argv[2], &in);
	look();
	of_c = cunwind_new();
	find_ends();
	run_to_begin(in, &r);
	if (argc > 3 && atoi(argv[3]))
		max = (uint64_t)atoi(argv[3]);
	step_through(&r, max);
	qsort(kinds, n_kinds, sizeof(*kinds), by_number);
	printf("%s: %" PRIu64 " steps, %" PRIu64 " calls, %" PRIu64
	       " changes of stack, %" PRIu64 " signals: %" PRIu64 " equal, %" PRIu64
	       " different",
	       argv[1], n_steps, n_calls, n_switches, n_signals, n_equal, n_differ);
	for (int i = 0; i < EXCUSES; i++)
		if (excuses[i].n)
			printf(", %" PRIu64 " %s", excuses[i].n, excuses[i].what);
	printf("\n");
	for (uint32_t i = 0; i < n_kinds; i++) {
		fprintf(stderr, "  %6" PRIu64 " after %s: %s, not %s\n", kinds[i].n,
			strtab_get(strs, kinds[i].last), strtab_get(strs, kinds[i].ours),
			strtab_get(strs, kinds[i].theirs));
		if (getenv("SHOW")) {
			show("called", kinds[i].chains[0]);
			show("ours  ", kinds[i].chains[1]);
		}
	}
	kill(pid, SIGKILL);
	for (uint32_t i = 0; i < EXCUSES; i++)
		if (excuses[i].is != has_left &&
		    excuses[i].n * (excuses[i].is == is_injecting ? 10 : 100) > n_steps)
			return 1;
	return n_differ * 1000 > n_steps * (argc > 4 ? (uint64_t)atoi(argv[4]) : 0);
}
