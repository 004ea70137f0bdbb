/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trace for Perfetto 58 or later: a StackSample per event, which tells thread and
 * goroutine. A goroutine is an AsyncContextDescriptor; its parent is the one that created
 * it, of which the number may be all that is known.
 *
 * All timestamps are CLOCK_REALTIME, which the trace says is its clock. Weights have the
 * scope "global": with "CPU", Perfetto drops those of samples that name no CPU, and a
 * recording does not know it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/json_meta.h"
#include "output/perfetto.h"
#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/plain.h"

enum {
	REALTIME = 1, /* BuiltinClock */
	UNIT_NANOSECONDS = 1,
	UNIT_COUNTS = 9,
	SCOPE_GLOBAL = 1,
	MODE_USER = 1, /* also their iids */
	MODE_KERNEL = 2,
};

static void put_clock(struct perfetto *x)
{
	Perfetto__ClockSnapshot__Clock clock = PERFETTO__CLOCK_SNAPSHOT__CLOCK__INIT,
				       *clocks = &clock;
	Perfetto__ClockSnapshot snapshot = PERFETTO__CLOCK_SNAPSHOT__INIT;
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;

	clock.clock_id = REALTIME;
	clock.timestamp = x->view->profile->start_ns;
	snapshot.n_clocks = 1;
	snapshot.clocks = &clocks;
	snapshot.primary_trace_clock = REALTIME;
	packet.clock_snapshot = &snapshot;
	perfetto_put(x, &packet);
}

/* "CPU time by cpu-clock at 99 Hz". */
static void describe(const struct perfetto *x, struct buf *to)
{
	const struct profile *p = x->view->profile;
	const struct event_kind *k = &p->kinds[x->view->kind];

	plain_add(to, profile_string(p, k->name));
	if (k->source) {
		buf_str(to, " by ");
		plain_add(to, profile_string(p, k->source));
	}
	if (k->freq)
		buf_printf(to, " at %" PRIu32 " Hz", k->freq);
}

static void put_defaults(struct perfetto *x)
{
	const struct profile *p = x->view->profile;
	Perfetto__CounterDescriptor counter = PERFETTO__COUNTER_DESCRIPTOR__INIT;
	Perfetto__StackSampleDefaults sample = PERFETTO__STACK_SAMPLE_DEFAULTS__INIT;
	Perfetto__TracePacketDefaults defaults = PERFETTO__TRACE_PACKET_DEFAULTS__INIT;
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;
	struct buf source = { 0 }, text = { 0 };

	buf_str(&source, "gostrobe.");
	plain_add(&source, profile_string(p, p->kinds[x->view->kind].name));
	describe(x, &text);
	counter.name = buf_text(&source) + strlen("gostrobe.");
	counter.unit = profile_is_time(p, x->view->kind) ? UNIT_NANOSECONDS : UNIT_COUNTS;
	counter.scope = SCOPE_GLOBAL;
	counter.description = buf_text(&text);
	sample.source = buf_text(&source);
	sample.primary_descriptor = &counter;
	defaults.timestamp_clock_id = REALTIME;
	defaults.stack_sample_defaults = &sample;
	packet.trace_packet_defaults = &defaults;
	packet.sequence_flags = PERFETTO_CLEARED;
	perfetto_put(x, &packet);
	buf_release(&source);
	buf_release(&text);
}

static void put_modes(struct perfetto *x)
{
	for (uint32_t mode = MODE_USER; mode <= MODE_KERNEL; mode++) {
		Perfetto__ExecutionContext c = PERFETTO__EXECUTION_CONTEXT__INIT, *one = &c;
		Perfetto__InternedData data = PERFETTO__INTERNED_DATA__INIT;

		c.iid = c.mode = mode;
		data.n_execution_contexts = 1;
		data.execution_contexts = &one;
		perfetto_put_interned(x, &data);
	}
}

static void put_tree(struct perfetto *x, Perfetto__ProcessTree *tree)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;

	packet.timestamp = x->view->profile->start_ns;
	packet.sequence_flags = PERFETTO_NEEDS_STATE;
	packet.process_tree = tree;
	perfetto_put(x, &packet);
}

static void put_process(struct perfetto *x, uint32_t row)
{
	const struct profile *p = x->view->profile;
	const struct process *pr = &p->processes[row];
	Perfetto__ProcessTree__Process process = PERFETTO__PROCESS_TREE__PROCESS__INIT,
				       *processes = &process;
	Perfetto__ProcessTree tree = PERFETTO__PROCESS_TREE__INIT;
	char *command = perfetto_text(x, profile_string(p, pr->path ? pr->path : pr->name));

	process.pid = (int32_t)pr->tgid;
	process.n_cmdline = 1;
	process.cmdline = &command;
	tree.n_processes = 1;
	tree.processes = &processes;
	put_tree(x, &tree);
}

static void put_thread(struct perfetto *x, uint32_t row)
{
	const struct profile *p = x->view->profile;
	const struct thread *t = &p->threads[row];
	Perfetto__ProcessTree__Thread thread = PERFETTO__PROCESS_TREE__THREAD__INIT,
				      *threads = &thread;
	Perfetto__ProcessTree tree = PERFETTO__PROCESS_TREE__INIT;

	thread.tid = (int32_t)t->tid;
	thread.tgid = (int32_t)p->processes[t->process].tgid;
	thread.name = perfetto_text(x, profile_string(p, t->name));
	tree.n_threads = 1;
	tree.threads = &threads;
	put_tree(x, &tree);
}

static void put_processes(struct perfetto *x)
{
	const struct view *v = x->view;
	bool *seen = mem_zalloc(v->profile->n_threads * sizeof(*seen));

	for (uint32_t i = 0; i < v->n_processes; i++)
		put_process(x, v->processes[i]);
	for (uint32_t i = 0; i < v->n_events; i++) {
		uint32_t thread = v->profile->events[v->events[i]].thread;

		if (!seen[thread])
			put_thread(x, thread);
		seen[thread] = true;
	}
	free(seen);
}

/* In which mode the CPU was; 0: not known, or not a sample of a CPU. */
static uint32_t mode_of(const struct perfetto *x, const struct event *e, uint32_t stack)
{
	const struct frame *leaf = view_frame(x->view, x->stacks.rows[stack].frame);

	if (!view_is_cpu(x->view))
		return 0;
	if (e->class == CLASS_KERNEL || (stack && leaf->kind == FRAME_KERNEL))
		return MODE_KERNEL;
	return x->kernel_known ? MODE_USER : 0;
}

static void put_sample(struct perfetto *x, const struct event *e)
{
	Perfetto__StackSample s = PERFETTO__STACK_SAMPLE__INIT;
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;

	s.callstack_iid = perfetto_stack(x, e);
	s.task_context_iid = perfetto_task(x, e);
	s.execution_context_iid = mode_of(x, e, (uint32_t)s.callstack_iid);
	if (!(e->flags & EVENT_ROOTED) && !x->view->as_pprof) {
		x->text.len = 0;
		buf_printf(&x->text, "ends %s", stack_end_texts[e->end]);
		s.unwind_error = buf_text(&x->text);
	}
	s.primary_weight = e->weight;
	packet.timestamp = x->view->profile->start_ns + e->time_ns;
	packet.sequence_flags = PERFETTO_NEEDS_STATE;
	packet.stack_sample = &s;
	perfetto_put(x, &packet);
}

static void put_all(struct perfetto *x)
{
	uint32_t *events = view_by_time(x->view);

	put_clock(x);
	put_defaults(x);
	put_modes(x);
	put_processes(x);
	for (uint32_t i = 0; i < x->view->n_events && !ferror(x->out); i++)
		put_sample(x, &x->view->profile->events[events[i]]);
	perfetto_flush(x);
	free(events);
}

static int perfetto_write(struct view *v, const struct writer_options *o, FILE *out)
{
	struct perfetto *x = mem_zalloc(sizeof(*x));

	(void)o;
	x->view = v;
	x->out = out;
	perfetto_init(x);
	put_all(x);
	perfetto_release(x);
	free(x);
	return 0;
}

const struct writer perfetto_writer = {
	.name = "perfetto",
	.ending = ".pftrace",
	.help = "for ui.perfetto.dev (Perfetto 58): samples by thread and goroutine on a timeline",
	.binary = true,
	.groups = GROUPS_NONE,
	.by = BY_START,
	.write = perfetto_write,
};
