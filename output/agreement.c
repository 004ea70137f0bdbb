/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/agreement.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>

#include "output/comparison.h"
#include "output/diff.h"
#include "output/json.h"
#include "profiler/base/arena.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/view.h"

enum {
	MAX_PAIRS = 1000,
	MIN_PAIRS = 100,
	MAX_DRAWS = 40000000, /* in all, unless that are fewer than MIN_PAIRS */
};

/* Functions, and how samples are drawn from them. */
struct urn {
	double *up_to; /* per function: the share of it and of all before */
	uint32_t *drawn[2];
	uint32_t n;
	uint64_t state;
};

/* Uniform, 0 to 1. */
static double draw(struct urn *u)
{
	u->state ^= u->state << 13;
	u->state ^= u->state >> 7;
	u->state ^= u->state << 17;
	return (double)(u->state >> 11) * 0x1p-53;
}

static uint32_t draw_function(struct urn *u)
{
	double x = draw(u) * u->up_to[u->n - 1];

	return table_until(u->n - 1, i, u->up_to[i] <= x);
}

/* The distance of a pair of samples of n[0] and n[1]. */
static double draw_pair(struct urn *u, const uint64_t n[2])
{
	double ret = 0;

	for (int side = 0; side < 2; side++) {
		for (uint32_t i = 0; i < u->n; i++)
			u->drawn[side][i] = 0;
		for (uint64_t i = 0; i < n[side]; i++)
			u->drawn[side][draw_function(u)]++;
	}
	for (uint32_t i = 0; i < u->n; i++)
		ret += fabs((double)u->drawn[0][i] / (double)n[0] -
			    (double)u->drawn[1][i] / (double)n[1]);
	return ret / 2;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return ascending(*x, *y);
}

static void find_chance(struct agreement *a, struct urn *u, const uint64_t n[2])
{
	double *distances = mem_zalloc(MAX_PAIRS * sizeof(*distances));
	uint64_t pairs = MAX_DRAWS / (n[0] + n[1]);

	pairs = pairs > MAX_PAIRS ? MAX_PAIRS : pairs < MIN_PAIRS ? MIN_PAIRS : pairs;
	for (uint64_t i = 0; i < pairs; i++) {
		distances[i] = draw_pair(u, n);
		a->chance += distances[i] / (double)pairs;
	}
	qsort(distances, pairs, sizeof(*distances), by_size);
	a->chance_max = distances[pairs * 99 / 100];
	free(distances);
}

struct agreement agreement_of(const struct comparison *c)
{
	uint64_t n[2] = { c->views[0]->n_events, c->views[1]->n_events };
	struct urn u = { .n = c->n_functions, .state = 0x9e3779b97f4a7c15u };
	struct agreement a = { 0 };
	double sum = 0;

	if (!n[0] || !n[1] || !u.n)
		return a;
	u.up_to = mem_zalloc(u.n * sizeof(*u.up_to));
	u.drawn[0] = mem_zalloc(u.n * sizeof(*u.drawn[0]));
	u.drawn[1] = mem_zalloc(u.n * sizeof(*u.drawn[1]));
	for (uint32_t i = 0; i < u.n; i++) {
		const struct difference *d = &c->functions[i].flat;

		a.distance += fabs(d->delta) / 2;
		sum += (double)(d->samples[0] + d->samples[1]);
		u.up_to[i] = sum;
	}
	if (sum > 0)
		find_chance(&a, &u, n);
	a.agrees = !c->n_different && a.distance <= AGREEMENT_SLACK * a.chance_max;
	free(u.up_to);
	free(u.drawn[0]);
	free(u.drawn[1]);
	return a;
}

/* What is printed. */

/* pattern: of names, as for the shell. */
static bool function_differs(const struct comparison *c, const char *pattern)
{
	for (uint32_t i = 0; i < c->n_functions; i++) {
		const struct function_difference *f = &c->functions[i];

		if ((f->flat.differs || f->cum.differs) && !fnmatch(pattern, f->name, 0))
			return true;
	}
	return false;
}

/* Is a stack of the view as deep as runtime/pprof records them? */
static bool is_cut(const struct view *v)
{
	for (uint32_t i = 0; i < v->n_events; i++) {
		const struct profile *p = v->profile;

		if (p->sums[p->events[v->events[i]].call].depth >= SIGPROF_DEPTH)
			return true;
	}
	return false;
}

/* Reasons of a disagreement that are no fault of either profile, if they apply. Calls say()
 * for each. */
static void find_reasons(const struct compared *c, void (*say)(void *arg, const char *),
			 void *arg)
{
	const struct comparison *f = c->functions;
	const struct view *v = f->views[1];

	if (c->apart)
		say(arg, "they were not taken at the same time");
	if (function_differs(f, "?*_\\[k]"))
		say(arg, "runtime/pprof does not see what the kernel does for the program; "
			 "--as-pprof leaves it out");
	if (function_differs(f, "runtime.cgocall"))
		say(arg, "runtime/pprof does not see C code, only that it was called");
	if (function_differs(f, "runtime._System") || function_differs(f, "runtime._GC") ||
	    function_differs(f, "runtime._ExternalCode"))
		say(arg, "where there is no Go stack runtime/pprof says _System, _GC or "
			 "_ExternalCode, and a recording cannot always tell which");
	if (c->as_pprof && v->profile->kinds[v->kind].freq > 250)
		say(arg,
		    "the runtime's clock ticks with the kernel's, which is often 250 times "
		    "a second, whatever rate is asked for");
	if (c->as_pprof)
		say(arg,
		    "the runtime's clock favours the places where a program is interrupted, "
		    "the more so on a machine with more work than CPUs");
	if (is_cut(f->views[0]) || is_cut(v))
		say(arg, "runtime/pprof keeps 64 frames of a stack, so outer functions of "
			 "deeper ones are missing");
	if (f->views[0]->profile->stats.lost_ring_full +
	    f->views[1]->profile->stats.lost_ring_full)
		say(arg, "samples were lost");
}

static void say_text(void *arg, const char *reason)
{
	fprintf(arg, "  known reason: %s\n", reason);
}

static void write_verdict(const struct compared *c, FILE *out)
{
	const struct agreement *a = &c->agreement;
	uint32_t n = c->functions->n_different;

	fprintf(out,
		"distance %.2f%%; by chance it would be %.2f%%, and up to %.2f%% in 99 "
		"of 100 cases\n",
		100 * a->distance, 100 * a->chance, 100 * a->chance_max);
	if (c->agrees) {
		fputs("They agree: nothing differs by more than the sampling error.\n",
		      out);
		return;
	}
	fputs("They disagree: ", out);
	if (n)
		fprintf(out, "%u function%s differ%s", n, n == 1 ? "" : "s",
			n == 1 ? "s" : "");
	else if (a->agrees)
		fputs("values of labels differ", out);
	else
		fputs("the distance is more than chance explains", out);
	fputs(".\n", out);
	if (!a->agrees)
		find_reasons(c, say_text, out);
}

void compared_write_text(const struct compared *c, const struct diff_options *o, FILE *out)
{
	diff_write_titles(c->functions, o, out);
	fprintf(out,
		"shares of all CPU time%s · ± is the sampling error at 95%% · %s may be "
		"chance\n\n",
		c->as_pprof ? ", as runtime/pprof would have recorded it" : "",
		o->color ? "what is dim" : "~");
	diff_write_functions(c->functions, o, out);
	for (uint32_t i = 0; i < c->n_labels; i++) {
		fputc('\n', out);
		diff_write_groups(&c->labels[i], o, out);
	}
	fputc('\n', out);
	write_verdict(c, out);
}

static void say_json(void *arg, const char *reason)
{
	json_str(arg, NULL, reason);
}

void compared_write_json(const struct compared *c, const struct diff_options *o, FILE *out)
{
	const struct agreement *a = &c->agreement;
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	diff_json_side(&j, c->functions, 0, o);
	diff_json_side(&j, c->functions, 1, o);
	json_bool(&j, "as_pprof", c->as_pprof);
	json_bool(&j, "agrees", c->agrees);
	json_num(&j, "distance", a->distance);
	json_num(&j, "chance", a->chance);
	json_num(&j, "chance_99", a->chance_max);
	json_num(&j, "confidence", COMPARED_CONFIDENCE);
	json_uint(&j, "different", c->functions->n_different);
	json_open(&j, "reasons", '[');
	if (!a->agrees)
		find_reasons(c, say_json, &j);
	json_close(&j, ']');
	diff_json_functions(&j, c->functions, o);
	json_open(&j, "labels", '[');
	for (uint32_t i = 0; i < c->n_labels; i++) {
		json_open(&j, NULL, '{');
		json_str(&j, "label", c->keys[i]);
		diff_json_groups(&j, &c->labels[i], o);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
}
