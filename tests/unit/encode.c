/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent makes of a profile: items, their halves, OpenTelemetry's tables. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "otlp.pb-c.h"
#include "output/pprof_labels.h"
#include "profiler/agent/bound.h"
#include "profiler/agent/encode.h"
#include "profiler/agent/halves.h"
#include "profiler/agent/item.h"
#include "profiler/agent/receiver.h"
#include "profiler/base/buf.h"
#include "profiler/profile/pprof_read.h"
#include "tests/unit/profile_by_hand.h"

/* Encoding. */

static struct item *items[64];
static uint32_t n_items, too_large_samples;

static void on_item(void *arg, struct item *it)
{
	(void)arg;
	cr_assert_lt(n_items, 64);
	items[n_items++] = item_share(it);
}

static void on_too_large(void *arg, const struct origin *o, uint32_t samples)
{
	(void)arg;
	(void)o;
	too_large_samples += samples;
}

static struct profile *decoded(const struct item *it)
{
	char path[] = "/tmp/unit-agent-XXXXXX";
	struct profile *p;
	const char *why;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, it->bytes, it->len), (ssize_t)it->len);
	close(fd);
	cr_assert_eq(pprof_read(&p, path, &why), 0, "%s", why);
	unlink(path);
	return p;
}

static const char *no_label[] = { "nothing" };

/* With labels, without recordings. */
static void encode_as(enum encoding encoding, struct profile *p, uint32_t max_samples,
		      const char **labels, uint32_t n)
{
	struct encode_options o = {
		.host = "h",
		.labels = labels,
		.n_labels = n,
		.bound = bound_new(1),
		.max_bytes = LIMIT_BYTES,
		.max_samples = max_samples,
		.wanted = { [ENCODED_RECORDING] = !n },
		.put = on_item,
		.too_large = on_too_large,
	};
	uint32_t processes;

	o.wanted[encoding] = true;
	cr_expect_eq(encode_profile(&o, p, &processes), 0);
	bound_free(o.bound);
	profile_free(p);
}

static void encode(struct profile *p, uint32_t max_samples, const char **labels, uint32_t n)
{
	encode_as(ENCODED_PPROF, p, max_samples, labels, n);
}

static void drop_items(void)
{
	while (n_items)
		item_drop(items[--n_items]);
}

Test(encode, one_profile_of_each_process)
{
	struct profile *p = hand_workers(), *one;
	uint32_t other = hand_process(p, 999, "api"),
		 thread = hand_thread(p, other, 999, "");

	p->processes[1].resource = hand_string(p, "a=b,service.name=we\\2cb");
	p->processes[1].go_version = hand_string(p, "go1.26");
	(void)hand_process(p, 1000, "idle");
	hand_event(p, 800, hand_stack(p, "go:main.main"), 0, thread, CLASS_USER);
	encode(p, 1000, NULL, 0);
	cr_assert_eq(n_items, 3);
	cr_expect_str_eq(items[0]->origin.service, "we,b");
	cr_expect_str_eq(items[0]->origin.program, "demo");
	cr_expect_str_eq(items[0]->origin.go_version, "go1.26");
	cr_expect_str_eq(items[0]->origin.host, "h");
	cr_expect_eq(items[0]->origin.pid, 812);
	cr_expect_eq(items[0]->samples, 7);
	cr_expect_eq(items[0]->start_ns, 1700000000000000000);
	cr_expect_eq(strlen(items[0]->id), 36);
	cr_expect_str_neq(items[0]->id, items[1]->id);
	cr_expect_str_eq(items[1]->origin.service, "api");
	cr_expect_eq(items[1]->samples, 1);
	cr_expect_eq(items[2]->encoding, ENCODED_RECORDING);
	cr_expect_eq(items[2]->samples, 8);
	one = decoded(items[1]);
	cr_expect_eq(one->n_events, 1);
	profile_free(one);
	drop_items();
}

Test(encode, a_profile_above_the_limit_is_split_by_time)
{
	uint64_t samples = 0, last_ns = 0, duration_ns = 0;

	encode(hand_workers(), 2, no_label, 1);
	cr_assert_eq(n_items, 3); /* two samples of 3, 2 and 2 events */
	for (uint32_t i = 0; i < n_items; i++) {
		struct profile *p = decoded(items[i]);
		struct event *e = p->events;

		cr_expect_eq(p->n_events, i ? 2 : 3);
		for (uint32_t k = 0; k < p->n_events; k++)
			samples += e[k].weight;
		cr_expect_gt(items[i]->start_ns, last_ns);
		cr_expect_eq(p->start_ns, items[i]->start_ns);
		last_ns = items[i]->start_ns;
		duration_ns += p->stats.duration_ns;
		profile_free(p);
	}
	cr_expect_eq(samples, 70000000);
	cr_expect_eq(duration_ns, 10000000000);
	cr_expect_eq(too_large_samples, 0);
	drop_items();
}

Test(encode, what_cannot_be_split_is_counted)
{
	struct profile *p = hand_workers();

	for (uint32_t i = 0; i < p->n_events; i++)
		p->events[i].time_ns = 5;
	encode(p, 2, no_label, 1);
	cr_expect_eq(n_items, 0);
	cr_expect_eq(too_large_samples, 7);
}

/* Labels of the only item, as pprof has them. */
static void strings(const char **labels, uint32_t n, const char *want_labels)
{
	struct buf b = { 0 };
	struct profile *p;

	encode(hand_workers(), 1000, labels, n);
	p = decoded(items[0]);
	for (uint32_t i = 1; i < p->n_goroutines; i++)
		buf_printf(&b, "%s%lu %s", i > 1 ? "; " : "",
			   (unsigned long)p->goroutines[i].goid,
			   profile_string(p, p->goroutines[i].labels));
	cr_expect_str_eq(buf_text(&b), want_labels);
	profile_free(p);
	buf_release(&b);
	drop_items();
}

Test(encode, only_chosen_labels_are_strings)
{
	const char *job[] = { "job" };

	strings(job, 1, "18 ; 19 ; 19 job=x; 1 ");
	strings(no_label, 1, "18 ; 19 ; 1 ");
}

/* OpenTelemetry. */

Test(encode, otlp_has_what_pprof_has)
{
	struct profile *p = hand_workers();
	Otlp__Dictionary *d;
	Otlp__Request *r;
	Otlp__Profile *to;
	struct buf b = { 0 };
	int64_t samples = 0;
	uint32_t linked = 0;

	p->goroutines[3].labels = hand_string(
		p,
		"job=x,span_id=00000000000000a1,trace_id=0123456789abcdef0123456789abcdef");
	encode_as(ENCODED_TRACES, p, 1000, no_label, 1);
	otlp_kind.body(items[0], &b);
	r = otlp__request__unpack(NULL, b.len, b.data);
	cr_assert(r);
	d = r->dictionary;
	to = r->resource_profiles[0]->scope_profiles[0]->profiles[0];
	cr_expect_eq(to->n_samples, 6);
	for (size_t i = 0; i < to->n_samples; i++) {
		samples += to->samples[i]->values[0];
		linked += to->samples[i]->link_index > 0;
	}
	cr_expect_eq(samples, 7);
	cr_expect_eq(linked, 1);
	cr_assert_eq(d->n_link_table, 2);
	cr_expect_eq(d->link_table[0]->span_id.len, 0);
	cr_expect_eq(d->link_table[1]->span_id.data[7], 0xa1);
	cr_expect_eq(d->link_table[1]->trace_id.data[15], 0xef);
	cr_expect_str_eq(d->string_table[0], "");
	cr_expect_eq(to->time_unix_nano, 1700000000000000000);
	otlp__request__free_unpacked(r, NULL);
	buf_release(&b);
	drop_items();
}

Test(encode, ids_of_spans_are_labels_where_they_are_no_series)
{
	for (int encoding = ENCODED_PPROF; encoding <= ENCODED_TRACES; encoding++) {
		struct profile *p = hand_workers(), *got;
		const char *labels;

		p->goroutines[1].labels = hand_string(p, "span_id=no");
		p->goroutines[3].labels = hand_string(
			p,
			"span_id=00000000000000a1,trace_id=0123456789abcdef0123456789abcdef");
		encode_as(encoding, p, 1000, no_label, 1);
		got = decoded(items[0]);
		labels = "";
		for (uint32_t i = 1; i < got->n_goroutines; i++)
			if (got->goroutines[i].labels)
				labels = profile_string(got, got->goroutines[i].labels);
		cr_expect_str_eq(labels, encoding == ENCODED_PPROF ? ""
					 : encoding == ENCODED_SPANS
						 ? "span_id=00000000000000a1"
						 : "span_id=00000000000000a1,trace_id="
						   "0123456789abcdef0123456789abcdef");
		profile_free(got);
		drop_items();
	}
}

Test(encode, types_of_frames)
{
	struct profile *p = hand_workers();
	Otlp__Request *r;
	Otlp__Dictionary *d;
	struct buf b = { 0 }, said = { 0 };

	profile_drop_before(p, UINT64_MAX);
	hand_event(p, 1, hand_stack(p, "go:main.main c:malloc kernel:do_page"), 0, 1,
		   CLASS_USER);
	encode_as(ENCODED_TRACES, p, 1000, no_label, 1);
	otlp_kind.body(items[0], &b);
	r = otlp__request__unpack(NULL, b.len, b.data);
	cr_assert(r);
	d = r->dictionary;
	for (size_t i = 1; i < d->n_location_table; i++) {
		const Otlp__Location *l = d->location_table[i];
		const Otlp__Attribute *a =
			d->attribute_table[l->n_attribute_indices ? l->attribute_indices[0]
								  : 0];

		buf_printf(&said, "%s %s %s\n",
			   d->string_table[d->function_table[l->lines[0]->function_index]
						   ->name_strindex],
			   d->string_table[a->key_strindex],
			   a->value ? a->value->string_value : "");
	}
	cr_expect_str_eq(buf_text(&said), "do_page profile.frame.type kernel\n"
					  "malloc profile.frame.type native\n"
					  "main.main profile.frame.type go\n");
	otlp__request__free_unpacked(r, NULL);
	buf_release(&b);
	buf_release(&said);
	drop_items();
}

/* Halves. */

/* Adds a line for each event of the item: its stack, its goroutine, its labels. */
static void tell(const struct item *it, struct buf *lines)
{
	struct profile *p = decoded(it);

	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct event *e = &p->events[i];

		for (uint32_t c = e->call; c; c = p->calls[c].parent)
			buf_printf(lines, "%s;",
				   profile_string(p, p->frames[p->calls[c].frame].func));
		buf_printf(lines, " %lu %s %lu\n",
			   (unsigned long)p->goroutines[e->goroutine].goid,
			   profile_string(p, p->goroutines[e->goroutine].labels),
			   (unsigned long)e->weight);
	}
	profile_free(p);
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted(struct buf *lines)
{
	char *rows[64], *text = strdup(buf_text(lines)), *rest = text, *line;
	struct buf b = { 0 };
	size_t n = 0;
	char *ret;

	while ((line = strsep(&rest, "\n")))
		rows[n++] = line;
	qsort(rows, n, sizeof(*rows), by_line);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s\n", rows[i]);
	ret = strdup(buf_text(&b));
	buf_release(&b);
	free(text);
	return ret;
}

/* Halves it down to single rows; how many. */
static uint32_t halve_all(const struct item *it, uint32_t depth, struct buf *lines,
			  uint64_t starts[16], uint32_t n)
{
	struct item *halves[2];

	if (!item_halve(it, depth, halves)) {
		tell(it, lines);
		starts[n] = it->start_ns;
		return n + 1;
	}
	for (int i = 0; i < 2; i++) {
		cr_expect_lt(halves[i]->samples, it->samples);
		cr_expect_str_eq(halves[i]->origin.service, it->origin.service);
		cr_expect_str_neq(halves[i]->id, it->id);
		n = halve_all(halves[i], depth + 1, lines, starts, n);
		item_drop(halves[i]);
	}
	return n;
}

Test(encode, halves_are_the_whole)
{
	const char *job[] = { "job" };
	struct buf whole = { 0 }, parts = { 0 };
	uint64_t starts[16];
	uint32_t n;
	char *a, *b;

	encode(hand_workers(), 1000, job, 1);
	tell(items[0], &whole);
	n = halve_all(items[0], 0, &parts, starts, 0);
	cr_expect_eq(n, 6);
	a = sorted(&whole);
	b = sorted(&parts);
	cr_expect_str_eq(a, b);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < i; k++)
			cr_expect_neq(starts[i], starts[k]);
	free(a);
	free(b);
	buf_release(&whole);
	buf_release(&parts);
	drop_items();
}

Test(encode, halves_lack_what_only_the_other_needs)
{
	struct item *halves[2];
	Pprof__Profile *p, *half;
	struct buf b = { 0 };
	Otlp__Request *r;

	encode_as(ENCODED_TRACES, hand_workers(), 1000, no_label, 1);
	cr_assert(item_halve(items[0], 0, halves));
	p = item_profile(items[0]);
	half = item_profile(halves[1]);
	cr_expect_lt(half->n_location, p->n_location);
	cr_expect_lt(half->n_string_table, p->n_string_table);
	for (size_t i = 0; i < half->n_location; i++)
		cr_expect_eq(half->location[i]->id, i + 1);
	cr_expect_eq(half->time_nanos, p->time_nanos + 1000000);
	otlp_kind.body(halves[1], &b);
	r = otlp__request__unpack(NULL, b.len, b.data);
	cr_expect(r);
	otlp__request__free_unpacked(r, NULL);
	buf_release(&b);
	pprof__profile__free_unpacked(p, NULL);
	pprof__profile__free_unpacked(half, NULL);
	item_drop(halves[0]);
	item_drop(halves[1]);
	drop_items();
}

Test(encode, recordings_and_rubbish_have_no_halves)
{
	const struct origin o = { "", "", "", "", "", "", 0 };
	struct item *recording = item_new(ENCODED_RECORDING, &o, "x", 1),
		    *rubbish = item_new(ENCODED_PPROF, &o, "x", 1), *halves[2];

	cr_expect(!item_halve(recording, 0, halves));
	cr_expect(!item_halve(rubbish, 0, halves));
	item_drop(recording);
	item_drop(rubbish);
}
