/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "profiler/agent/exporter.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"

static const char *const statuses[] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
enum { STATUSES = sizeof(statuses) / sizeof(*statuses) };

/* One metric of receivers: a line each, or for each of `names`. */
struct of_receivers {
	const char *name, *type, *help;
	const char *label, *const *names;
	uint32_t n; /* of names */
	/* in struct receiver_counts: of its atomic_ullong, or the first of n */
	size_t offset;
};

static void head(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_printf(to, "# HELP gostrobe_%s %s\n# TYPE gostrobe_%s %s\n", name, help, name,
		   type);
}

void metrics_one(struct buf *to, const char *name, const char *type, const char *help,
		 double value)
{
	head(to, name, type, help);
	buf_printf(to, "gostrobe_%s %.17g\n", name, value);
}

static void add_quoted(struct buf *to, const char *s)
{
	buf_u8(to, '"');
	for (; *s; s++)
		buf_printf(to, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	buf_u8(to, '"');
}

struct at {
	const struct of_receivers *metric;
	struct buf *to;
};

static void add_receiver(void *arg, const struct receiver *r)
{
	const struct at *at = arg;
	const struct of_receivers *m = at->metric;
	const atomic_ullong *v =
		(const atomic_ullong *)((const char *)&r->counts + m->offset);

	for (uint32_t i = 0; i < (m->n ? m->n : 1); i++) {
		buf_printf(at->to, "gostrobe_%s{receiver=", m->name);
		add_quoted(at->to, r->name);
		if (m->n)
			buf_printf(at->to, ",%s=\"%s\"", m->label, m->names[i]);
		buf_printf(at->to, "} %" PRIu64 "\n", (uint64_t)v[i]);
	}
}

static void add_receivers(struct exporter *x, struct buf *to)
{
#define AT(field) offsetof(struct receiver_counts, field)
	static const struct of_receivers all[] = {
		{ "sends_total", "counter",
		  "Answers of receivers, by class of HTTP status.", "status", statuses,
		  STATUSES, AT(tries) },
		{ "sent_profiles_total", "counter", "Profiles that receivers took.", NULL,
		  NULL, 0, AT(sent) },
		{ "sent_samples_total", "counter", "Samples in them.", NULL, NULL, 0,
		  AT(sent_samples) },
		{ "sent_bytes_total", "counter", "Bytes of requests that receivers took.",
		  NULL, NULL, 0, AT(sent_bytes) },
		{ "dropped_profiles_total", "counter",
		  "Profiles that did not reach a receiver.", "cause", cause_names,
		  CAUSE_BEHIND, AT(dropped) },
		{ "dropped_samples_total", "counter", "Samples in them.", "cause",
		  cause_names, CAUSE_BEHIND, AT(dropped_samples) },
		{ "halved_profiles_total", "counter",
		  "Profiles that were too large for a receiver, and became two.", NULL,
		  NULL, 0, AT(halved) },
		{ "queue_profiles", "gauge", "Profiles that wait.", NULL, NULL, 0,
		  AT(queued) },
		{ "queue_bytes", "gauge", "Memory that they take.", NULL, NULL, 0,
		  AT(queued_bytes) },
		{ "receiver_failing", "gauge", "1 while sending fails.", NULL, NULL, 0,
		  AT(failing) },
	};
#undef AT

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct at at = { &all[i], to };

		head(to, all[i].name, all[i].type, all[i].help);
		exporter_each(x, add_receiver, &at);
	}
}

static void add_causes(struct buf *to, const char *name, const char *help,
		       const char *const *causes, const atomic_ullong *const *values)
{
	head(to, name, "counter", help);
	for (; *causes; causes++, values++)
		buf_printf(to, "gostrobe_%s{cause=\"%s\"} %" PRIu64 "\n", name, *causes,
			   (uint64_t) * *values);
}

static void add_samples(const struct exporter_counts *c, struct buf *to)
{
	static const char *const lost[] = { "ring_full", "table_full", "behind", NULL },
				 *const partly[] = { "stack", "goroutine", "labels", NULL };
	const atomic_ullong *const lost_of[] = { &c->lost_ring_full, &c->lost_table_full,
						 &c->behind_samples },
				   *const partly_of[] = { &c->stack_faults, &c->g_faults,
							  &c->labels_cut };

	metrics_one(to, "samples_total", "counter", "Samples that were taken.",
		    (double)c->samples);
	add_causes(to, "samples_lost_total",
		   "Samples that were lost before they could be sent.", lost, lost_of);
	add_causes(to, "samples_incomplete_total", "Samples that lack a part of something.",
		   partly, partly_of);
	metrics_one(to, "samples_left_out_total", "counter",
		    "Samples of programs that are not Go, or not chosen.",
		    (double)c->not_go_samples);
	metrics_one(to, "processes", "gauge",
		    "Go processes that were sampled in the last interval.",
		    (double)c->processes);
	metrics_one(to, "intervals_total", "counter", "Intervals that were encoded.",
		    (double)c->intervals);
	metrics_one(to, "intervals_dropped_total", "counter",
		    "Intervals that came faster than they could be encoded.",
		    (double)c->behind);
	metrics_one(to, "encoding_errors_total", "counter",
		    "Intervals of which something could not be encoded.",
		    (double)c->errors);
	metrics_one(to, "label_values_other_total", "counter",
		    "Values of labels beyond --max-values.", (double)c->other_values);
}

static double status_bytes(const char *key)
{
	return (double)file_line_bytes(key, "/proc/self/status");
}

static void add_self(struct buf *to)
{
	static const char *const kinds[][2] = { { "RssAnon:", "anonymous" },
						{ "RssFile:", "file" },
						{ "RssShmem:", "shared" } };

	head(to, "memory_bytes", "gauge",
	     "Resident memory of the agent; file: pages of programs and libraries, shared "
	     "with whoever else uses them.");
	for (int i = 0; i < 3; i++)
		buf_printf(to, "gostrobe_memory_bytes{kind=\"%s\"} %.0f\n", kinds[i][1],
			   status_bytes(kinds[i][0]));
	head(to, "build_info", "gauge", "Its version.");
	buf_str(to, "gostrobe_build_info{version=\"" GOSTROBE_VERSION "\"} 1\n");
	buf_printf(to,
		   "# HELP process_cpu_seconds_total CPU time of the agent.\n"
		   "# TYPE process_cpu_seconds_total counter\n"
		   "process_cpu_seconds_total %.6f\n"
		   "# HELP process_resident_memory_bytes Resident memory of the agent.\n"
		   "# TYPE process_resident_memory_bytes gauge\n"
		   "process_resident_memory_bytes %.0f\n",
		   (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9,
		   status_bytes("VmRSS:"));
}

void metrics_add(struct exporter *x, struct buf *to)
{
	add_samples(exporter_counts(x), to);
	add_receivers(x, to);
	add_self(to);
}
