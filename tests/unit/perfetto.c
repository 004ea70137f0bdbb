/* SPDX-License-Identifier: BSD-2-Clause */
/* The packets of export -f perfetto, as text. tests/oracle/check_perfetto.py has the
 * definitions of Perfetto itself read them. */
#include "output/writer.h"
#include "perfetto.pb-c.h"
#include "profiler/base/cursor.h"
#include "profiler/profile/view.h"
#include "tests/unit/hard_by_hand.h"
#include "tests/unit/tree_by_hand.h"

static void add_strings(struct buf *to, const char *table, Perfetto__InternedString **rows,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "%s %d: %.*s\n", table, (int)rows[i]->iid,
			   (int)rows[i]->str.len, rows[i]->str.data);
}

static void add_numbers(struct buf *to, const uint64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(to, " %d", (int)numbers[i]);
	buf_u8(to, '\n');
}

static void add_frames(struct buf *to, const Perfetto__InternedData *d)
{
	for (size_t i = 0; i < d->n_mappings; i++) {
		const Perfetto__Mapping *m = d->mappings[i];

		buf_printf(to, "mapping %d: build-id %d, path", (int)m->iid,
			   (int)m->build_id);
		add_numbers(to, m->path_string_ids, m->n_path_string_ids);
	}
	for (size_t i = 0; i < d->n_build_ids; i++) {
		buf_printf(to, "build-id %d:", (int)d->build_ids[i]->iid);
		for (size_t k = 0; k < d->build_ids[i]->str.len; k++)
			buf_printf(to, " %02x", d->build_ids[i]->str.data[k]);
		buf_u8(to, '\n');
	}
	for (size_t i = 0; i < d->n_frames; i++) {
		const Perfetto__Frame *f = d->frames[i];

		buf_printf(to, "frame %d: name %d, mapping %d, pc 0x%x, file %d, line %u",
			   (int)f->iid, (int)f->function_name_id, (int)f->mapping_id,
			   (unsigned)f->rel_pc, (int)f->source_path_iid, f->line_number);
		if (f->type_case == PERFETTO__FRAME__TYPE_KIND)
			buf_printf(to, ", kind %u", f->kind);
		if (f->type_case == PERFETTO__FRAME__TYPE_KIND_STR)
			buf_printf(to, ", kind %s", f->kind_str);
		buf_u8(to, '\n');
	}
	for (size_t i = 0; i < d->n_callstacks; i++) {
		buf_printf(to, "stack %d:", (int)d->callstacks[i]->iid);
		add_numbers(to, d->callstacks[i]->frame_ids, d->callstacks[i]->n_frame_ids);
	}
}

static void add_interned(struct buf *to, const Perfetto__InternedData *d)
{
	add_strings(to, "name", d->function_names, d->n_function_names);
	add_strings(to, "path", d->mapping_paths, d->n_mapping_paths);
	add_strings(to, "file", d->source_paths, d->n_source_paths);
	add_frames(to, d);
	for (size_t i = 0; i < d->n_async_context_descriptors; i++) {
		const Perfetto__AsyncContextDescriptor *a = d->async_context_descriptors[i];

		buf_printf(to, "%s %d: %s, parent %d\n", a->kind, (int)a->iid, a->name,
			   (int)a->parent_iid);
	}
	for (size_t i = 0; i < d->n_task_contexts; i++) {
		const Perfetto__TaskContext *t = d->task_contexts[i];

		buf_printf(to, "task %d: pid %u, tid %u, goroutine %d\n", (int)t->iid,
			   t->pid, t->tid, (int)t->async_id);
	}
	for (size_t i = 0; i < d->n_execution_contexts; i++)
		buf_printf(to, "execution %d: mode %u\n",
			   (int)d->execution_contexts[i]->iid,
			   d->execution_contexts[i]->mode);
}

static void add_tree(struct buf *to, const Perfetto__ProcessTree *t)
{
	for (size_t i = 0; i < t->n_processes; i++)
		buf_printf(to, "process %d: %s\n", t->processes[i]->pid,
			   t->processes[i]->cmdline[0]);
	for (size_t i = 0; i < t->n_threads; i++)
		buf_printf(to, "thread %d of %d: %s\n", t->threads[i]->tid,
			   t->threads[i]->tgid, t->threads[i]->name);
}

static void add_packet(struct buf *to, const Perfetto__TracePacket *p)
{
	const Perfetto__StackSample *s = p->stack_sample;

	cr_expect_eq(p->trusted_packet_sequence_id, 1);
	if (p->clock_snapshot)
		buf_printf(to, "clock %u: %llu\n", p->clock_snapshot->primary_trace_clock,
			   (unsigned long long)p->clock_snapshot->clocks[0]->timestamp);
	if (p->trace_packet_defaults) {
		const Perfetto__StackSampleDefaults *d =
			p->trace_packet_defaults->stack_sample_defaults;

		cr_expect_eq(p->sequence_flags, 1);
		buf_printf(to, "defaults: clock %u, %s: %s, unit %u, scope %u, %s\n",
			   p->trace_packet_defaults->timestamp_clock_id, d->source,
			   d->primary_descriptor->name, d->primary_descriptor->unit,
			   d->primary_descriptor->scope,
			   d->primary_descriptor->description);
	} else if (!p->clock_snapshot) {
		cr_expect_eq(p->sequence_flags, 2);
	}
	if (p->process_tree)
		add_tree(to, p->process_tree);
	if (p->interned_data)
		add_interned(to, p->interned_data);
	if (s)
		buf_printf(to, "%llu: weight %d, task %d, execution %d, stack %d, %s\n",
			   (unsigned long long)p->timestamp, (int)s->primary_weight,
			   (int)s->task_context_iid, (int)s->execution_context_iid,
			   (int)s->callstack_iid, s->unwind_error);
}

/* The trace of the view as text; the caller frees it. */
static char *dumped(struct view *v)
{
	struct buf text = { 0 };
	char *data;
	size_t len;
	FILE *out = open_memstream(&data, &len);
	struct cursor c;

	cr_assert_eq(perfetto_writer.write(v, &(struct writer_options){ 0 }, out), 0);
	fclose(out);
	c = cursor_over(data, len);
	while (cursor_left(&c)) {
		Perfetto__TracePacket *packet;
		uint64_t n;

		cr_assert_eq(cursor_u8(&c), 0x0a);
		n = cursor_uvarint(&c);
		packet = perfetto__trace_packet__unpack(NULL, n, cursor_bytes(&c, n));
		cr_assert(packet);
		cr_expect_eq(packet->base.n_unknown_fields, 0);
		add_packet(&text, packet);
		perfetto__trace_packet__free_unpacked(packet, NULL);
	}
	free(data);
	buf_u8(&text, 0);
	return (char *)text.data;
}

Test(perfetto, has_threads_and_goroutines_with_their_parents)
{
	struct profile *p = hard_workers();
	struct view v = { 0 };
	char *text;

	view_select(&v, p);
	text = dumped(&v);
	expect_golden(text, "tests/unit/golden/perfetto.txt");
	free(text);
	view_release(&v);
	profile_free(p);
}
