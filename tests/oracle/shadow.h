/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of the calls of a thread that have not returned, kept by watching each of its
 * instructions. Part of step.c. It knows nothing of frame pointers, frame sizes or tables.
 * A call is a step after which the word at SP is the address just after the instruction,
 * and SP has moved down for it. It has returned when SP is above that word. When SP leaves
 * one stack for another, the name of the function that did so says whether it continues
 * above what was there (systemstack, morestack, asmcgocall, the vDSO), begins anew (mcall),
 * or returns. A signal handler continues above whatever it has interrupted.
 *
 * It uses some of the runtime's data: the bounds of stacks, to know which one SP is on, and
 * the g that they belong to.
 */
#pragma once

enum { MAX_CALLS = 4096, MAX_LISTS = 16 };

enum place { ON_THREAD, ON_GOROUTINE, ON_SIGNAL };

/* The stack that SP is on. */
struct where {
	enum place place;
	uint64_t g, lo, hi;
};

struct entry {
	/* of the return address; on a goroutine, which may move: from the end of
	 * the stack */
	uint64_t at;
	uint64_t g;     /* owner of the stack; 0: the thread */
	uint32_t chain; /* row of profile.calls: the call and its callers */
	bool entered;   /* not a call: what follows is on another stack */
};

/* What runs, or will continue one day, outermost call first. */
struct list {
	uint64_t g;
	uint32_t n;
	struct entry calls[MAX_CALLS];
};

static struct list now, interrupted, *parked[MAX_LISTS];
static uint64_t interrupted_at;
static struct where where;
static uint64_t n_calls, n_switches;

/* The stack that SP is on now. */
static struct where place_of(const struct user_regs_struct *r)
{
	uint64_t g = word(r->fs_base + (uint64_t)exe.layout.tls_g), m = word(g + 48);
	uint64_t g0 = word(m), gsignal = word(m + exe.layout.m_procid + 8);
	uint64_t all[] = { g, word(m + exe.layout.m_curg), g0, gsignal };

	for (int i = 0; i < 4; i++) {
		uint64_t lo = word(all[i]), hi = word(all[i] + 8);

		if (all[i] && r->rsp >= lo && r->rsp < hi)
			return (struct where){ all[i] == g0        ? ON_THREAD
					       : all[i] == gsignal ? ON_SIGNAL
								   : ON_GOROUTINE,
					       all[i] == g0 ? 0 : all[i], lo, hi };
	}
	return (struct where){ .place = ON_THREAD };
}

static uint32_t top(void)
{
	return now.n ? now.calls[now.n - 1].chain : 0;
}

static void push(uint64_t sp, uint64_t pc, bool entered)
{
	if (now.n == MAX_CALLS)
		die("too many calls");
	now.calls[now.n] = (struct entry){
		.at = where.place == ON_GOROUTINE ? where.hi - sp : sp,
		.g = where.g,
		.chain = entered ? top() : chain_of(top(), pc),
		.entered = entered,
	};
	now.n++;
}

/* The stacks that SP has left. */
static void prune(uint64_t sp)
{
	while (now.n) {
		const struct entry *c = &now.calls[now.n - 1];
		uint64_t at = where.place == ON_GOROUTINE ? where.hi - c->at : c->at;

		if (c->entered || c->g != where.g || at >= sp)
			break;
		now.n--;
	}
}

static struct list **parked_of(uint64_t g)
{
	int i;

	for (i = 0; i < MAX_LISTS - 1 && parked[i] && parked[i]->g != g; i++)
		;
	return &parked[i];
}

/* Stores what the goroutine beneath has called. */
static void park(void)
{
	struct list **l;

	while (now.n && !now.calls[now.n - 1].g)
		now.n--;
	if (!now.n)
		return;
	now.g = now.calls[now.n - 1].g;
	l = parked_of(now.g);
	if (!*l)
		*l = mem_zalloc(sizeof(**l));
	(*l)->g = now.g;
	(*l)->n = now.n;
	memcpy((*l)->calls, now.calls, now.n * sizeof(*now.calls));
	now.n = 0;
}

/* SP is on a goroutine's stack, by gogo. */
static void resume(const struct user_regs_struct *r)
{
	struct list **l;
	uint64_t ra = word(r->rsp);

	park();
	l = parked_of(where.g);
	if (where.hi - r->rsp < 128 && !strcmp(name_at(ra), "runtime.goexit")) {
		push(r->rsp, ra - 1, false); /* a new one */
		return;
	}
	if (!*l)
		die("a goroutine that was never seen");
	memcpy(now.calls, (*l)->calls, (*l)->n * sizeof(*now.calls));
	now.n = (*l)->n;
	prune(r->rsp);
}

/* Back on a stack that was seen before. */
static void leave(uint64_t sp)
{
	while (now.n && !now.calls[now.n - 1].entered)
		now.n--;
	if (now.n)
		now.n--;
	prune(sp);
}

/* The instruction at `at` has taken SP to another stack. */
static void change_stack(uint64_t at, const struct user_regs_struct *r, enum place from)
{
	const char *name = name_at(at);
	bool callback = !strncmp(name, "runtime.cgocallback", 19);

	n_switches++;
	if (!strcmp(name, "gogo") || !strcmp(name, "runtime.gogo"))
		resume(r);
	else if (!strcmp(name, "runtime.mcall"))
		park();
	else if ((from == ON_GOROUTINE) != callback)
		push(r->rsp, 0, true);
	else
		leave(r->rsp);
}

/* Is this that instruction? */
static bool is_sigreturn(const struct user_regs_struct *r)
{
	uint8_t code[2];

	return r->rax == SYS_rt_sigreturn && !read_user(code, 2, r->rip) &&
	       code[0] == 0x0f && code[1] == 0x05;
}

/* An instruction was executed. handled: instead, a signal handler was entered; returning:
 * back from one. */
static void step_seen(const struct user_regs_struct *before,
		      const struct user_regs_struct *r, bool handled, bool returning)
{
	enum place from = where.place;
	uint64_t ra;

	if (r->rsp == before->rsp && !handled)
		return;
	if (r->rsp < where.lo || r->rsp >= where.hi || handled)
		where = place_of(r);
	if (handled) {
		interrupted = now;
		interrupted_at = before->rip;
		push(r->rsp, interrupted_at, false);
		now.calls[now.n - 1].entered = true;
		return;
	}
	if (returning) {
		now = interrupted;
		prune(r->rsp);
		/* the handler made it look like a call */
		if (word(r->rsp) == interrupted_at && r->rip != interrupted_at)
			push(r->rsp, interrupted_at, false);
		return;
	}
	if (where.place != from) {
		change_stack(before->rip, r, from);
		return;
	}
	if (r->rsp == before->rsp - 8) {
		ra = word(r->rsp);
		if (ra > before->rip && ra <= before->rip + 8 && r->rip != ra) {
			push(r->rsp, ra - 1, false);
			n_calls++;
			return;
		}
	}
	prune(r->rsp);
}
