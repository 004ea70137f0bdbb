/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of goroutines over memory that lies, moves, or is not there. */
#include "profiler/goruntime/goroutines.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/goruntime/gocode.h"
#include "profiler/goruntime/goroutines_private.h"
#include "profiler/profile/dump.h"

enum {
	BASE = 0x100000,
	AREA = 1 << 20,
	ALLGS = BASE,
	ARRAY = BASE + 0x100,
	SUDOGS = BASE + 0x8000,
	CHANS = BASE + 0xa000,
	GS = BASE + 0x10000,
	G_SIZE = 512,
	STACKS = BASE + 0x40000,
	STACK = 0x1000,
	CODE = 0x401000,
};

static uint8_t area[AREA];
static uint32_t reads;
static void (*moves)(uint32_t read); /* the program, before each read */

static void area_read(struct memory *m, struct memory_part *parts, uint32_t n)
{
	(void)m;
	if (moves)
		moves(reads);
	reads++;
	for (uint32_t i = 0; i < n; i++) {
		struct memory_part *p = &parts[i];

		p->ok = p->addr >= BASE && p->len <= AREA &&
			p->addr - BASE <= AREA - p->len;
		if (p->ok)
			memcpy(p->to, area + (p->addr - BASE), p->len);
	}
}

static void put(uint64_t addr, uint64_t v)
{
	cr_assert(addr >= BASE && addr <= BASE + AREA - 8);
	memcpy(area + (addr - BASE), &v, 8);
}

static uint64_t g_at(uint32_t i)
{
	return GS + i * G_SIZE;
}

/* A reader as of Go 1.26, or of Go 1.16, whose program has n goroutines that wait. */
static struct goroutines *reader(uint32_t n, bool old)
{
	static struct memory m;
	struct goroutines *r = calloc(1, sizeof(*r));

	memset(area, 0, sizeof(area));
	reads = 0;
	moves = NULL;
	m = (struct memory){ .read = area_read };
	r->m = &m;
	r->allgs = ALLGS;
	r->words = calloc(POOL_WORDS, 8);
	r->again = calloc(POOL_WORDS, 8);
	r->f = (struct goroutine_fields){
		.sp = 56,
		.pc = 64,
		.bp = 96,
		.syscallsp = 104,
		.syscallpc = 112,
		.status = 144,
		.goid = 152,
		.since = 168,
		.reason = 176,
		.seq = old ? 0 : 191,
		.lockedm = 208,
		.gopc = 288,
		.startpc = 304,
		.waiting = 320,
		.labels = 352,
		.wake = 368,
		.head = 376,
		.sudog_next = 8,
		.sudog_elem = 24,
		.sudog_waitlink = 72,
		.sudog_c = 88,
		.poll_fd = 8,
		.poll_rg = 32,
		.poll_wg = 40,
	};
	r->n_reasons = 8;
	for (uint32_t i = 0; i < 8; i++)
		snprintf(r->reasons[i], REASON_LEN, "reason %u", i);
	r->reason_waits[1] = WAIT_CHAN;
	r->reason_waits[2] = WAIT_SELECT;
	r->reason_waits[3] = WAIT_POLL;
	r->reason_waits[4] = WAIT_SEMA;
	r->reason_waits[5] = WAIT_COND;
	r->reason_waits[6] = WAIT_SLEEP;
	put(ALLGS, ARRAY);
	put(ALLGS + 8, n);
	put(ALLGS + 16, n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t g = g_at(i), lo = STACKS + i * STACK;

		put(ARRAY + i * 8, g);
		put(g, lo);
		put(g + 8, lo + STACK);
		put(g + 56, lo + STACK - 64);
		put(g + 64, CODE);
		put(g + 144, STATUS_WAITING);
		put(g + 152, i + 1);
		for (uint64_t k = 0; k < 8; k++)
			put(lo + STACK - 64 + k * 8, i * 100 + k);
	}
	return r;
}

static struct goroutine_seen seen[BATCH];
static uint32_t n_seen;

static void visit(void *arg, const struct goroutine_seen *s)
{
	(void)arg;
	cr_assert_lt(n_seen, BATCH);
	for (uint32_t i = 0; i < s->n_words; i++) /* are they there? */
		cr_assert_neq(s->words[i], UINT64_MAX);
	seen[n_seen++] = *s;
}

static void read_all(struct goroutines *r)
{
	const uint64_t *gs;
	uint32_t n;

	n_seen = 0;
	gs = goroutines_list(r, &n);
	goroutines_read(r, gs, n, READ_ALL, visit, NULL);
}

Test(goroutines, states_and_stacks)
{
	struct goroutines *r = reader(5, false);

	put(g_at(1) + 144, STATUS_DEAD);
	put(g_at(2) + 144, STATUS_RUNNING);
	put(g_at(3) + 144, STATUS_RUNNABLE);
	put(g_at(3) + 304, CODE); /* it has never run: pc is no return address */
	put(g_at(4) + 144, STATUS_SYSCALL);
	put(g_at(4) + 104, STACKS + 4 * STACK + 8);
	put(g_at(4) + 112, CODE + 64);
	read_all(r);
	cr_assert_eq(n_seen, 4);
	cr_expect(seen[0].h.goid == 1 && seen[0].pc == CODE - 1 && seen[0].n_words == 8);
	cr_expect(seen[1].h.goid == 3 && !seen[1].pc && !seen[1].n_words);
	cr_expect(seen[2].h.goid == 4 && seen[2].pc == CODE);
	cr_expect(seen[3].h.goid == 5 && seen[3].pc == CODE + 63);
	cr_expect_eq(seen[3].n_words, STACK / 8 - 1);
	cr_expect(r->counts.dead == 1 && r->counts.seen == 4 && !r->counts.lost);
	cr_expect_str_eq(goroutines_state(r, &seen[1].h), "running");
	goroutines_close(r);
}

/* What a list says of itself is not believed. */
Test(goroutines, lists_that_lie)
{
	struct goroutines *r = reader(3, false);
	uint64_t since = clock_now_ns();

	put(ALLGS + 8, 1ull << 60);
	put(ALLGS + 16, 1ull << 60);
	read_all(r);
	cr_expect(goroutines_list_damaged(r));
	goroutines_close(r);

	r = reader(3, false);
	put(ARRAY + 8, 0);
	read_all(r);
	cr_expect(n_seen == 1 && goroutines_list_damaged(r));
	goroutines_close(r);

	r = reader(3, false);
	put(ALLGS + 16, 2); /* shorter than its length */
	read_all(r);
	cr_expect(n_seen == 0 && goroutines_list_damaged(r));
	goroutines_close(r);

	r = reader(3, false);
	r->m->bytes = 5000; /* no room for three */
	read_all(r);
	cr_expect(n_seen == 2 && goroutines_list_damaged(r));
	goroutines_close(r);
	cr_expect_lt(clock_now_ns() - since, 1000000000);
}

Test(goroutines, a_stack_of_2_to_the_60)
{
	struct goroutines *r = reader(2, false);

	put(g_at(0), BASE + AREA - 4096);
	put(g_at(0) + 56, BASE + AREA - 64);
	put(g_at(0) + 8, 1ull << 60);
	read_all(r);
	cr_expect(n_seen == 1 && r->counts.lost == 1, "it is longer than its memory");
	/* one that is there is cut */
	put(g_at(0), BASE);
	put(g_at(0) + 56, BASE + 8);
	put(g_at(0) + 8, 1ull << 60);
	read_all(r);
	cr_expect(n_seen == 2 && seen[0].cut && seen[0].n_words == STACK_WORDS);
	goroutines_close(r);
}

Test(goroutines, contradictions_are_lost)
{
	struct goroutines *r = reader(6, false);

	put(g_at(0) + 56, 8);                      /* SP outside of the stack */
	put(g_at(1) + 56, STACKS + STACK + 0x101); /* not aligned */
	put(g_at(2) + 64, 0);
	put(g_at(3) + 144, STATUS_COPYSTACK);
	put(g_at(4) + 144, STATUS_WAITING | STATUS_SCAN);
	put(ARRAY + 5 * 8, 0x7ffffffffff8); /* no memory */
	read_all(r);
	cr_expect(n_seen == 0 && r->counts.lost == 6, "%u seen", n_seen);
	goroutines_close(r);
}

static void runs_always(uint32_t n)
{
	put(g_at(1) + 191, n % 100);
}

static void runs_once(uint32_t n)
{
	if (n == 6)
		put(g_at(1) + 191, 9);
}

/* What runs meanwhile is read again, and not reported if it never stands still. */
Test(goroutines, those_that_move)
{
	struct goroutines *r = reader(3, false);

	moves = runs_always;
	read_all(r);
	cr_expect(n_seen == 2 && r->counts.lost == 1 && r->counts.again == 1);
	goroutines_close(r);

	r = reader(3, false);
	moves = runs_once;
	read_all(r);
	cr_expect(n_seen == 3 && !r->counts.lost && r->counts.again == 1, "%u, %lu", n_seen,
		  (unsigned long)r->counts.again);
	cr_expect_eq(seen[2].h.goid, 2, "it comes after the others");
	cr_expect_eq(seen[2].row, 1);
	goroutines_close(r);
}

static void writes_to_stack(uint32_t n)
{
	put(STACKS + STACK - 8, n);
}

/* Before Go 1.17, and in system calls, nothing but the stack tells. */
Test(goroutines, stacks_are_read_twice)
{
	struct goroutines *r = reader(1, true);

	moves = writes_to_stack;
	read_all(r);
	cr_expect(!n_seen && r->counts.lost == 1);
	goroutines_close(r);

	r = reader(1, false);
	moves = writes_to_stack;
	read_all(r);
	cr_expect_eq(n_seen, 1, "trackingSeq has not changed");
	put(g_at(0) + 144, STATUS_SYSCALL);
	put(g_at(0) + 104, STACKS + 8);
	put(g_at(0) + 112, CODE);
	read_all(r);
	cr_expect_eq(n_seen, 0);
	goroutines_close(r);
}

static void sudog_put(uint32_t i, uint64_t g, uint64_t next, uint64_t elem, uint64_t link,
		      uint64_t c)
{
	uint64_t at = SUDOGS + i * 104;

	put(at, g);
	put(at + 8, next);
	put(at + 24, elem);
	put(at + 72, link);
	put(at + 88, c);
}

static void chan_put(uint64_t at, uint64_t len, uint64_t cap, bool closed)
{
	put(at, len);
	put(at + 8, cap);
	put(at + 24, (uint64_t)closed << 32);
}

static void waits(uint32_t i, uint8_t reason)
{
	put(g_at(i) + 176, reason);
}

/* A word of the goroutine's stack. */
static void on_stack(uint32_t i, uint32_t word, uint64_t v)
{
	put(STACKS + i * STACK + STACK - 64 + word * 8, v);
}

Test(goroutines, what_they_wait_for)
{
	struct goroutines *r = reader(6, false);
	uint64_t poll = CHANS + 0x800, sema = CHANS + 0x940, cond = CHANS + 0xa00;

	chan_put(CHANS, 3, 4, true);
	chan_put(CHANS + 64, 0, 0, false);
	waits(0, 1);
	put(g_at(0) + 320, SUDOGS);
	sudog_put(0, g_at(0), 0, 0, 0, CHANS);
	waits(1, 2);
	put(g_at(1) + 320, SUDOGS + 104);
	sudog_put(1, g_at(1), 0, 0, SUDOGS + 208, CHANS);
	sudog_put(2, g_at(1), 0, 0, 0, CHANS + 64);
	waits(2, 3);
	put(poll + 8, 17);
	put(poll + 40, g_at(2));
	on_stack(2, 5, poll);
	waits(3, 4);
	sudog_put(3, g_at(3), 0, sema, 0, 0);
	put(sema - 8, 0x900000000);
	on_stack(3, 2, SUDOGS + 3 * 104);
	waits(4, 5);
	sudog_put(4, g_at(4), 0, 0, 0, 0);
	sudog_put(5, g_at(5), SUDOGS + 4 * 104, 0, 0, 0);
	put(cond + 32, SUDOGS + 5 * 104);
	put(cond + 40, SUDOGS + 4 * 104);
	on_stack(4, 7, cond);
	waits(5, 6);
	put(g_at(5) + 368, 12345);
	read_all(r);
	cr_assert_eq(n_seen, 6);
	cr_expect(seen[0].wait.kind == WAIT_CHAN && seen[0].wait.chans[0].addr == CHANS);
	cr_expect(seen[0].wait.chans[0].len == 3 && seen[0].wait.chans[0].cap == 4 &&
		  seen[0].wait.chans[0].closed);
	cr_expect(seen[1].wait.kind == WAIT_SELECT && seen[1].wait.n_chans == 2 &&
		  seen[1].wait.chans[1].addr == CHANS + 64);
	cr_expect(seen[2].wait.kind == WAIT_POLL && seen[2].wait.fd == 17 &&
		  seen[2].wait.write);
	cr_expect(seen[3].wait.kind == WAIT_SEMA && seen[3].wait.addr == sema);
	cr_expect_eq(seen[3].wait.sema[SEMA_BEFORE - 1], 9);
	cr_expect(seen[4].wait.kind == WAIT_COND && seen[4].wait.addr == cond);
	cr_expect(seen[5].wait.kind == WAIT_SLEEP && seen[5].wait.until_ns == 12345);
	goroutines_close(r);
}

/* Objects of others, and lists that are cycles. */
Test(goroutines, waits_that_lie)
{
	struct goroutines *r = reader(4, false);
	uint64_t since = clock_now_ns(), cond = CHANS + 0xa00;

	waits(0, 1);
	put(g_at(0) + 320, SUDOGS);
	sudog_put(0, g_at(3), 0, 0, 0, CHANS);
	waits(1, 2);
	put(g_at(1) + 320, SUDOGS + 104);
	sudog_put(1, g_at(1), 0, 0, SUDOGS + 104, CHANS);
	waits(2, 5);
	sudog_put(2, g_at(3), SUDOGS + 208, 0, 0, 0);
	put(cond + 32, SUDOGS + 208);
	put(cond + 40, SUDOGS + 208);
	on_stack(2, 0, cond);
	waits(3, 4);
	sudog_put(3, g_at(3), 0, CHANS + 2, 0, 0); /* no address of a semaphore */
	on_stack(3, 0, SUDOGS + 3 * 104);
	read_all(r);
	cr_assert_eq(n_seen, 4);
	cr_expect_eq(seen[0].wait.kind, WAIT_NONE);
	cr_expect(seen[1].wait.n_chans == WAIT_CHANS && seen[1].wait.n_cases == 1024);
	cr_expect_eq(seen[2].wait.kind, WAIT_NONE);
	cr_expect_eq(seen[3].wait.kind, WAIT_NONE);
	cr_expect_lt(clock_now_ns() - since, 1000000000);
	goroutines_close(r);
}

/* A mapping with a hole, as this process has it. */
Test(goroutines, memory_of_a_process)
{
	struct memory m = memory_of_process(getpid());
	uint8_t *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uintptr_t)pages, got[5] = { 0 };
	struct memory_part parts[] = {
		{ at + 8, &got[0], 8, false },
		{ at + 64, &got[1], 8, false },
		{ at + 4096, &got[2], 8, false },
		{ at + 2 * 4096, &got[3], 8, false },
		{ at + 2 * 4096 - 4, &got[4], 8, false },
	};

	cr_assert_neq(pages, MAP_FAILED);
	memset(pages, 7, 3 * 4096);
	munmap(pages + 4096, 4096);
	m.read(&m, parts, 5);
	cr_expect(parts[0].ok && parts[1].ok && !parts[2].ok && parts[3].ok &&
		  !parts[4].ok);
	cr_expect(got[0] == 0x0707070707070707 && got[1] == got[0] && got[3] == got[0]);
	cr_expect(m.bytes > 3 * 4096 && !m.err);
	munmap(pages, 4096);
	munmap(pages + 2 * 4096, 4096);
	m = memory_of_process(0x3ffffff);
	cr_expect(!memory_copy(&m, at, got, 8) && m.err);
}

static uint64_t allgs_of(const char *hex)
{
	uint8_t code[128];
	size_t n = 0;

	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		code[n++] = (uint8_t)byte;
	return gocode_allgs(cursor_over(code, n), 0x1000);
}

/* Loads and stores of 0x2000, 0x2008, 0x2010, and others. */
Test(goroutines, the_list_in_the_code_of_allgadd)
{
	cr_expect_eq(allgs_of("488b05f90f0000"
			      "488b0dfa0f0000"
			      "4c8915fb0f0000"),
		     0x2000);
	cr_expect_eq(allgs_of("488b05f90f0000"
			      "488b0dfa0f0000"),
		     0, "no capacity");
	cr_expect_eq(allgs_of("90488b05f80f0000"
			      "488b0df90f0000"
			      "4c8915fa0f0000"),
		     0x2000);
	cr_expect_eq(allgs_of("488b05f90f0000"
			      "488b0dfa0f0000"
			      "4c8915fb0f0000"
			      "488b05fc0f0000"),
		     0, "two answers are none");
	cr_expect_eq(allgs_of(""), 0);
}

/* As the runtime's tracebacks. */
Test(goroutines, functions_of_tracebacks)
{
	cr_expect(dump_shows("main.main", true) && dump_shows("sync.runtime_Sema", true));
	cr_expect(!dump_shows("runtime.gopark", true) &&
		  !dump_shows("runtime.main", false));
	cr_expect(dump_shows("runtime.Gosched", true) &&
		  dump_shows("runtime.(*Func).Name", 0));
	cr_expect(!dump_shows("runtime.(*mheap).Free", 0));
	cr_expect(dump_shows("runtime.gopanic", false) &&
		  !dump_shows("runtime.gopanic", true));
	cr_expect(!dump_shows("memeqbody", false));
	cr_expect(start_is_system("runtime.bgsweep") && !start_is_system("runtime.main"));
}
