/* SPDX-License-Identifier: BSD-2-Clause */
/* What `diff` calls different, over many pairs of recordings of programs whose figures are
 * known. */
#include "tests/unit/profile_by_hand.h"
#include "tests/unit/comparison_by_hand.h"

#include <math.h>
#include <stdio.h>

#include "output/agreement.h"

enum { FUNCTIONS = 14, CPUS = 2, HZ = 99 };

/* A program: how often each function runs, of 1,000 ticks of a CPU; else it is idle. A
 * function goes on running in the next tick with probability `stay`. */
struct program {
	int weights[FUNCTIONS];
	double stay;
	int swap_at; /* second at which functions 0 and 1 change places; 0: never */
};

static const struct program steady = {
	{ 200, 150, 100, 90, 80, 60, 50, 40, 30, 20, 10, 5, 3, 1 }, 0, 0
};

static double chance(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 11) / 9007199254740992.0;
}

static int choose(const struct program *pg, int second, uint64_t *seed)
{
	double at = chance(seed) * 1000;
	int f = 0;

	while (f < FUNCTIONS && (at -= pg->weights[f]) >= 0)
		f++;
	if (f < 2 && pg->swap_at && second >= pg->swap_at)
		f = !f;
	return f;
}

static struct profile *record(const struct program *pg, int seconds, uint64_t seed)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 1000 + (uint32_t)seed, "demo");
	uint32_t thread = hand_thread(p, pid, 1, ""), calls[FUNCTIONS], gs[FUNCTIONS];
	int now[CPUS] = { FUNCTIONS, FUNCTIONS };
	char text[128];

	p->kinds[1].freq = HZ;
	p->stats.duration_ns = (uint64_t)seconds * 1000000000;
	for (int f = 0; f < FUNCTIONS; f++) {
		snprintf(text, sizeof(text),
			 "goexit:runtime.goexit go:main.group%d go:main.busy%d", f % 5, f);
		calls[f] = hand_stack(p, text);
		snprintf(text, sizeof(text), "main.group%d", f % 5);
		gs[f] = hand_goroutine(p, pid, 10 + (uint32_t)f, text, "main.main a.go:7",
				       "");
	}
	for (int tick = 0; tick < seconds * HZ; tick++) {
		for (int cpu = 0; cpu < CPUS; cpu++) {
			if (chance(&seed) >= pg->stay)
				now[cpu] = choose(pg, tick / HZ, &seed);
			if (now[cpu] < FUNCTIONS)
				hand_event(p, (uint64_t)tick * 1000 / HZ, calls[now[cpu]],
					   gs[now[cpu]], thread, CLASS_USER);
		}
	}
	return p;
}

/* Of 100 rows of 40 pairs of recordings, those that are called different. */
static double called_different(const struct program *pg, int seconds, bool shares)
{
	double different = 0, rows = 0;

	for (uint64_t i = 0; i < 40; i++) {
		struct hand_pair r;

		hand_compare(&r, record(pg, 10, 2 * i + 1), record(pg, seconds, 2 * i + 2),
			     "start", shares, false);
		different += r.c.n_different;
		rows += r.c.n_groups + r.c.n_functions;
		hand_compared(&r);
	}
	return 100 * different / rows;
}

/* One function grows by a tenth of all CPU time: pairs of 20 in which it is the first row,
 * and differs. */
static int found(const struct program *old, bool shares)
{
	struct program more = *old;
	int n = 0;

	more.weights[4] += 84;

	for (uint64_t i = 0; i < 20; i++) {
		struct hand_pair r;

		hand_compare(&r, record(old, 10, 2 * i + 1), record(&more, 10, 2 * i + 2),
			     "start", shares, false);
		n += !strcmp(r.c.functions[0].name, "main.busy4") &&
		     r.c.functions[0].flat.differs;
		hand_compared(&r);
	}
	return n;
}

Test(comparison, recordings_of_one_program_do_not_differ)
{
	cr_expect_leq(called_different(&steady, 10, false), 5);
	cr_expect_leq(called_different(&steady, 10, true), 5);
	cr_expect_leq(called_different(&steady, 17, false), 5);
	cr_expect_leq(called_different(&steady, 17, true), 5);
}

/* The samples of one burst are not independent. */
Test(comparison, bursts_are_no_difference)
{
	struct program bursts = steady;

	bursts.stay = 0.8;
	cr_expect_leq(called_different(&bursts, 10, false), 2);
	bursts.stay = 0.9;
	cr_expect_leq(called_different(&bursts, 10, false), 5);
	cr_expect_leq(called_different(&bursts, 10, true), 5);
}

Test(comparison, finds_a_tenth)
{
	struct program phases = steady;

	cr_expect_geq(found(&steady, false), 19);
	cr_expect_geq(found(&steady, true), 19);
	phases.swap_at = 5;
	cr_expect_geq(found(&phases, false), 19);
}

/* A sample is 10 ms of CPU: so many of main.a, the rest of main.b, evenly over the
 * seconds. */
static struct profile *two(uint32_t a, uint32_t all, uint32_t seconds)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo"), thread = hand_thread(p, pid, 812, "");
	uint32_t g = hand_goroutine(p, pid, 7, "main.run", "", "");
	uint32_t calls[] = {
		hand_stack(p, "goexit:runtime.goexit go:main.run go:main.b"),
		hand_stack(p, "goexit:runtime.goexit go:main.run go:main.a"),
	};

	p->stats.duration_ns = seconds * 1000000000ull;
	for (uint32_t i = 0; i < all; i++)
		hand_event(p, (uint64_t)i * 1000 * seconds / all,
			   calls[(uint64_t)(i + 1) * a / all > (uint64_t)i * a / all], g,
			   thread, CLASS_USER);
	return p;
}

static const struct function_difference *function(const struct hand_pair *r,
						  const char *name)
{
	for (uint32_t i = 0; i < r->c.n_functions; i++)
		if (!strcmp(r->c.functions[i].name, name))
			return &r->c.functions[i];
	cr_assert_fail("no %s", name);
	return NULL;
}

static void expect_difference(const struct difference *d, double old, double new,
			      double error)
{
	cr_expect_float_eq(d->old, old, 1e-9, "%g", d->old);
	cr_expect_float_eq(d->new, new, 1e-9, "%g", d->new);
	cr_expect_float_eq(d->delta, new - old, 1e-9, "%g", d->delta);
	cr_expect_float_eq(d->error, error, 1e-6, "%g not %g", d->error, error);
}

/* 10 ms a sample, 10 s: a sample is 0.001 CPUs. */
Test(comparison, figures_are_those_of_the_model)
{
	struct hand_pair r;

	hand_compare(&r, two(256, 1024, 10), two(512, 1024, 10), "start", false, false);
	cr_expect_eq(r.c.unit, COMPARED_CPUS);
	expect_difference(&function(&r, "main.a")->flat, 0.256, 0.512,
			  0.001 * 1.959964 * sqrt(256 + 1 + 512 + 1));
	expect_difference(&function(&r, "main.run")->flat, 0, 0,
			  0.001 * 1.959964 * sqrt(2));
	expect_difference(&r.c.total, 1.024, 1.024, 0.001 * 1.959964 * sqrt(2 * 1025));
	expect_difference(&r.c.groups[0].d, 1.024, 1.024,
			  0.001 * 1.959964 * sqrt(2 * 1025));
	cr_expect(function(&r, "main.a")->flat.differs);
	cr_expect(function(&r, "main.b")->cum.differs);
	cr_expect_not(function(&r, "main.run")->cum.differs);
	cr_expect_eq(r.c.n_different, 2);
	cr_expect_eq(function(&r, "main.a")->cum.samples[1], 512);
	cr_expect_float_eq(function(&r, "main.a")->flat.p, erfc(256 / sqrt(2 * 770.0)),
			   1e-15);
	hand_compared(&r);
}

/* n (1 - n / all) samples, plus one, of all. */
Test(comparison, shares_have_the_error_of_shares)
{
	struct hand_pair r;

	hand_compare(&r, two(256, 1024, 10), two(256, 512, 10), "start", true, false);
	expect_difference(&function(&r, "main.a")->flat, 0.25, 0.5,
			  1.959964 * sqrt(193 / (1024.0 * 1024) + 129 / (512.0 * 512)));
	expect_difference(&function(&r, "main.run")->cum, 1, 1,
			  1.959964 * sqrt(1 / (1024.0 * 1024) + 1 / (512.0 * 512)));
	hand_compared(&r);
}

Test(comparison, lengths_do_not_matter)
{
	struct hand_pair r;

	hand_compare(&r, two(250, 500, 10), two(500, 1000, 20), "start", false, false);
	expect_difference(&r.c.total, 0.5, 0.5, 1.959964 * sqrt(501 + 1001 / 4.0) / 1000);
	hand_compared(&r);
}

/* What a few samples seem to say is chance. */
Test(comparison, five_samples_never_differ)
{
	struct hand_pair r;

	hand_compare(&r, two(0, 900, 10), two(5, 905, 10), "start", false, false);
	cr_expect_eq(r.c.n_different, 0);
	hand_compared(&r);
	hand_compare(&r, two(0, 900, 10), two(20, 920, 10), "start", false, false);
	cr_expect_eq(r.c.n_different, 1);
	cr_expect_str_eq(r.c.functions[0].name, "main.a");
	hand_compared(&r);
}

/* They could not differ, so they do not count among how many the others are. */
Test(comparison, rows_of_few_samples_do_not_hide_others)
{
	struct profile *p[2] = { two(100, 1000, 10), two(160, 1060, 10) };
	struct hand_pair r;
	char name[32];

	for (int i = 0; i < 3200; i++) {
		snprintf(name, sizeof(name), "go:main.rare%d", i / 8);
		hand_event(p[i & 1], (uint64_t)i * 3, hand_stack(p[i & 1], name), 0, 1,
			   CLASS_USER);
	}
	hand_compare(&r, p[0], p[1], "start", false, false);
	cr_expect_str_eq(r.c.functions[0].name, "main.a");
	cr_expect(r.c.functions[0].flat.differs);
	hand_compared(&r);
}

Test(comparison, rows_that_differ_come_first)
{
	/* main.b grows by 40 of 5,000, which may be chance, main.a by 30 of 10 */
	struct hand_pair r;

	hand_compare(&r, two(10, 5010, 10), two(40, 5080, 10), "start", false, false);
	cr_expect_str_eq(r.c.functions[0].name, "main.a");
	cr_expect_str_eq(r.c.functions[1].name, "main.b");
	hand_compared(&r);
	hand_compare(&r, two(10, 5010, 10), two(40, 5080, 10), "start", false, true);
	cr_expect_str_eq(r.c.functions[0].name, "main.a");
	cr_expect_str_eq(r.c.functions[1].name, "main.run", "by cum");
	hand_compared(&r);
}

Test(comparison, grown_beyond_its_error)
{
	struct hand_pair r;
	const struct difference *d;

	/* by 30.0 % ±6.2 % of all */
	hand_compare(&r, two(300, 1000, 10), two(600, 1300, 10), "start", false, false);
	cr_expect_str_eq(comparison_grown(&r.c, 0, &d), "main.a");
	cr_expect_float_eq(d->delta, 0.3, 1e-9);
	cr_expect_str_eq(comparison_grown(&r.c, 0.238, &d), "main.a");
	cr_expect_null(comparison_grown(&r.c, 0.25, &d));
	hand_compared(&r);
	/* what shrinks does not count */
	hand_compare(&r, two(600, 1300, 10), two(300, 1000, 10), "start", false, false);
	cr_expect_null(comparison_grown(&r.c, 0, &d));
	hand_compared(&r);
}

Test(comparison, one_side_may_have_none)
{
	struct hand_pair r;
	const struct difference *d;

	hand_compare(&r, hand_profile(), two(300, 1000, 10), "start", false, false);
	expect_difference(&function(&r, "main.a")->flat, 0, 0.3,
			  0.001 * 1.959964 * sqrt(301));
	hand_compared(&r);
	hand_compare(&r, hand_profile(), two(300, 1000, 10), "start", true, false);
	cr_expect_str_eq(comparison_grown(&r.c, 0.1, &d), "main.b");
	hand_compared(&r);
}

/* Of n pairs of recordings, those that agree. */
static int agreeing(const struct program *a, int a_seconds, const struct program *b,
		    int b_seconds, int n)
{
	int agree = 0;

	for (int i = 0; i < n; i++) {
		struct profile *p = record(a, a_seconds, 2 * (uint64_t)i + 1);
		struct hand_pair r;

		hand_compare(&r, p, record(b, b_seconds, 2 * (uint64_t)i + 2), "none", true,
			     false);
		agree += agreement_of(&r.c).agrees;
		hand_compared(&r);
	}
	return agree;
}

Test(agreement, two_samples_of_one_program_agree)
{
	cr_expect_geq(agreeing(&steady, 10, &steady, 10, 40), 38);
	/* few samples beside many */
	cr_expect_geq(agreeing(&steady, 50, &steady, 2, 40), 38);
	cr_expect_geq(agreeing(&steady, 2, &steady, 50, 40), 38);
}

Test(agreement, a_tenth_is_told_apart)
{
	struct program slower = steady;

	slower.weights[4] += 84;
	cr_expect_leq(agreeing(&steady, 10, &slower, 10, 20), 1);
}

/* Few samples are enough beside many, if all of them are of a function that the others
 * never had. */
Test(agreement, a_few_samples_of_something_else_differ)
{
	struct program other = { { 0 }, 0, 0 };
	struct hand_pair r;

	other.weights[13] = 25;
	hand_compare(&r, record(&steady, 20, 1), record(&other, 1, 2), "none", true, false);
	cr_assert_lt(r.v[1].n_events, 15);
	cr_expect_str_eq(r.c.functions[0].name, "main.busy13");
	cr_expect(r.c.functions[0].flat.differs, "%u samples", r.v[1].n_events);
	hand_compared(&r);
}

Test(agreement, another_program_never_agrees)
{
	struct program other = { { 0, 0, 0, 200, 0, 0, 0, 300, 0, 0, 0, 0, 100, 90 },
				 0,
				 0 };

	cr_expect_eq(agreeing(&steady, 10, &other, 10, 20), 0);
}

/* The distance of equal profiles is 0, that by chance is what theory says: for one function
 * of half the samples, sqrt((1 / n + 1 / m) / (2 pi)). */
Test(agreement, distances_are_those_of_theory)
{
	struct program two = { { 500, 500 }, 0, 0 };
	struct hand_pair r;
	struct agreement a;

	hand_compare(&r, record(&two, 10, 1), record(&two, 10, 1), "none", true, false);
	a = agreement_of(&r.c);
	cr_expect_lt(a.distance, 1e-9);
	hand_compared(&r);
	hand_compare(&r, record(&two, 10, 1), record(&two, 2, 2), "none", true, false);
	a = agreement_of(&r.c);
	cr_expect_float_eq(a.chance, sqrt((1 / 1980. + 1 / 396.) / (2 * M_PI)), 0.002, "%f",
			   a.chance);
	cr_expect_gt(a.chance_max, 2 * a.chance);
	hand_compared(&r);
}
