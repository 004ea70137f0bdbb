/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/dumper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/base/arena.h"
#include "profiler/base/budget.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/goglobals.h"
#include "profiler/goruntime/goroutines.h"
#include "profiler/live/dumpwaits.h"
#include "profiler/live/files.h"
#include "profiler/live/pipeline.h"
#include "profiler/live/proc.h"
#include "profiler/profile/dump.h"
#include "profiler/profile/profile.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum { CREATORS = 256, LABEL_WORDS = LABEL_BYTES / 8, SYSTEM_FRAMES = 64 };

/* One of the Go runtimes of the process; each has goroutines of its own. */
struct runtime {
	struct go_runtime go;
	struct goroutines *reader;
	struct proc proc;  /* a row of the profile for each */
	uint32_t first, n; /* its rows of dump.states */
};

struct dumper {
	struct dump *dump;
	pid_t pid;
	struct symbolizer *symbolizer; /* with the strings of the profile */
	struct space *space;
	struct memory memory;
	struct runtime runtimes[RUNTIMES_MAX];
	uint32_t n_runtimes;
	struct pipeline *pipeline;
	struct budget reading;
	struct files *files;
	struct sample *sample; /* scratch */
	uint8_t kind;          /* "goroutine" */
	uint64_t now_ns;       /* of the look */
	int64_t ahead_ns;      /* of the process's CLOCK_MONOTONIC before ours */
	struct {
		uint64_t gopc;
		uint32_t frame;
	} creators[CREATORS]; /* direct-mapped */
	struct dump_waits waits;
};

/* A process in a time namespace has a clock of its own. */
static int64_t clock_offset(const char *pid)
{
	char path[64], line[64];
	long long s = 0, ns = 0;

	snprintf(path, sizeof(path), "/proc/%s/timens_offsets", pid);
	return sscanf(file_line(line, "monotonic", path), "%lld %lld", &s, &ns) == 2
		       ? s * (int64_t)SECOND + ns
		       : 0;
}

static int64_t clock_ahead(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return clock_offset(text) - clock_offset("self");
}

/* Runtimes that cannot be read are left out, unless it is all of them. */
static int runtimes_open(struct dumper *d, const char **why)
{
	const struct go_runtime *go;
	int err = -ENOEXEC;

	for (uint32_t i = 0; (go = space_runtime(d->space, i)); i++) {
		struct runtime *rt = &d->runtimes[d->n_runtimes];
		const char *this = NULL;
		int e;

		rt->go = *go;
		e = goroutines_open(&rt->reader, d->space, go, &d->memory, &this);
		if (!e) {
			d->n_runtimes++;
			continue;
		}
		err = e;
		*why = d->dump->not_go_part = this;
	}
	return d->n_runtimes ? 0 : err;
}

static void proc_fill(struct dumper *d, struct runtime *rt)
{
	struct proc *p = &rt->proc;

	*p = (struct proc){
		.tgid = (uint32_t)d->pid,
		.image = 1,
		.state = PROC_GO,
		.space = d->space,
		.all_reading = &d->reading,
	};
	space_program(d->space, &p->program);
	proc_thread_comm(p->tgid, p->tgid, p->comm);
	if (rt != d->runtimes) { /* a library, with goroutines of its own */
		p->program.path = rt->go.object->path;
		p->program.version = rt->go.object->version;
	}
	proc_record(p, d->dump->profile);
}

int dumper_open(struct dumper **ret, pid_t pid, struct dump *dump, const char **why)
{
	struct profile *profile = dump->profile;
	struct go_program program = { 0 };
	struct dumper *d = mem_zalloc(sizeof(*d));
	int err;

	*why = NULL;
	d->dump = dump;
	d->pid = pid;
	d->symbolizer = symbolizer_new(profile->strings);
	d->sample = mem_zalloc(sizeof(*d->sample) + (UINT16_MAX + LABEL_WORDS + 1) * 8);
	d->memory = memory_of_process(pid);
	d->ahead_ns = clock_ahead(pid);
	err = space_open(&d->space, d->symbolizer, pid);
	if (err)
		goto fail;
	space_program(d->space, &program);
	*why = program.why;
	err = runtimes_open(d, why);
	if (err)
		goto fail;
	d->kind = profile_kind(
		profile,
		&(struct event_kind){
			.name = strtab_add(profile->strings, "goroutine"),
			.unit = strtab_add(profile->strings, UNIT_COUNT),
			.source = strtab_add(profile->strings, "a look at all goroutines"),
			.period = 1 });
	profile->start_ns = clock_ns(CLOCK_REALTIME);
	for (uint32_t i = 0; i < d->n_runtimes; i++)
		proc_fill(d, &d->runtimes[i]);
	d->files = files_open(pid);
	d->pipeline = pipeline_new(profile, d->symbolizer, 0);
	*ret = d;
	return 0;
fail:
	dumper_close(d);
	return err;
}

void dumper_close(struct dumper *d)
{
	if (!d)
		return;
	pipeline_free(d->pipeline);
	for (uint32_t i = 0; i < d->n_runtimes; i++)
		goroutines_close(d->runtimes[i].reader);
	files_close(d->files);
	space_close(d->space);
	symbolizer_close(d->symbolizer);
	free(d->sample);
	free(d);
}

/* What a goroutine is like, for the look after this one. */
static uint64_t mark_of(const struct goroutine_header *h)
{
	uint64_t mark = hash_pair(h->goid, h->seq | (uint64_t)h->status << 8);

	mark = hash_pair(mark, h->sp);
	mark = hash_pair(mark, h->pc);
	mark = hash_pair(mark, h->waiting);
	return hash_pair(mark, h->syscallsp ^ h->syscallpc << 1);
}

/* The go statement: the function that has it, and its line. */
static uint32_t created_at(struct dumper *d, uint64_t gopc)
{
	uint32_t slot = (uint32_t)hash_pair(gopc, 0) % CREATORS;
	struct frame f[FRAMES_AT_PC];
	int n;

	if (!gopc || d->creators[slot].gopc == gopc)
		return gopc ? d->creators[slot].frame : 0;
	n = symbolizer_user(d->symbolizer, d->space, gopc - 1, f, FRAMES_AT_PC, NULL);
	f[0].func = f[n - 1].func; /* the runtime names the function around it */
	f[0].start_line = f[n - 1].start_line;
	f[0].kind = f[n - 1].kind;
	f[0].inlined = 0;
	f[0].module = 0;
	d->creators[slot].gopc = gopc;
	d->creators[slot].frame = f[0].func ? profile_frame(d->dump->profile, &f[0]) : 0;
	return d->creators[slot].frame;
}

static void sample_fill(struct dumper *d, const struct goroutine_seen *s, uint32_t tid)
{
	struct sample *to = d->sample;
	uint32_t n = s->n_words;

	memset(to, 0, sizeof(*to));
	to->type = RECORD_SAMPLE;
	to->tgid = (uint32_t)d->pid;
	to->tid = tid;
	to->cpu = UINT32_MAX; /* not known */
	to->time_ns = d->now_ns;
	to->weight = 1;
	to->goid = s->h.goid;
	to->parent_goid = s->h.parent_goid;
	to->startpc = s->h.startpc;
	to->gopc = s->h.gopc;
	to->ip = s->pc;
	to->sp = s->sp;
	to->flags = (s->cut ? SAMPLE_CUT : 0u) | (s->h.lockedm ? SAMPLE_LOCKED : 0u) |
		    (s->more_labels ? SAMPLE_LABELS_CUT : 0u);
	to->n_words = (uint16_t)n;
	if (n)
		memcpy(to->pcs, s->words, n * 8ul);
	to->n_label_bytes = (uint16_t)s->n_label_bytes;
	if (s->n_label_bytes)
		memcpy(to->pcs + n, s->label_bytes, s->n_label_bytes);
}

/* The runtime's own goroutines that call finalizers are the program's while they do. */
static bool is_system(const struct profile *p, const struct event *e)
{
	uint32_t call = e->call;

	if (!start_is_system(profile_string(p, p->goroutines[e->goroutine].start)))
		return false;
	for (int i = 0; call && i < SYSTEM_FRAMES; i++, call = p->calls[call].parent) {
		const char *func = profile_string(p, p->frames[p->calls[call].frame].func);

		if (*func && strncmp(func, "runtime.", 8) &&
		    strncmp(func, "internal/runtime", 16))
			return false;
	}
	return true;
}

struct visit {
	struct dumper *d;
	struct runtime *rt;
};

static void visit_first(void *arg, const struct goroutine_seen *s)
{
	struct visit *v = arg;
	struct dumper *d = v->d;
	struct profile *p = d->dump->profile;
	uint32_t tid = files_thread(d->files, goroutines_thread(v->rt->reader, &s->h));
	uint64_t since = s->h.since_ns, now = d->now_ns + (uint64_t)d->ahead_ns;
	struct goroutine_state *st;
	const struct event *e;

	sample_fill(d, s, tid);
	pipeline_event(d->pipeline, &v->rt->proc, d->sample, d->kind);
	e = &p->events[p->n_events - 1];
	st = table_add(d->dump->states, d->dump->n, d->dump->cap);
	*st = (struct goroutine_state){
		.g = s->g,
		.mark = mark_of(&s->h),
		.since_ns = since && since < now ? now - since : 0,
		.until_ns = s->wait.kind == WAIT_SLEEP ? (int64_t)(s->wait.until_ns - now)
						       : INT64_MIN,
		.state = strtab_add(p->strings, goroutines_state(v->rt->reader, &s->h)),
		.tid = tid,
		.created = s->h.goid == 1 ? 0 : created_at(d, s->h.gopc),
		.flags = (s->h.lockedm ? STATE_LOCKED : 0) |
			 (s->wait.write ? STATE_WRITE : 0) | (s->h.scan ? STATE_SCAN : 0) |
			 (is_system(p, e) ? STATE_SYSTEM : 0),
	};
	d->waits.reader = v->rt->reader;
	d->waits.process = v->rt->proc.process;
	dump_waits_add(&d->waits, st, e, s);
}

/* Names the global variables among what is waited for. */
static void globals_name(struct dumper *d)
{
	struct dump *dump = d->dump;
	struct buf b = { 0 };

	for (uint32_t i = 0; i < d->n_runtimes; i++) {
		const struct runtime *rt = &d->runtimes[i];
		struct goglobals *g = goglobals_open(rt->go.object->elf);

		for (uint32_t k = 1; k < dump->n_objects; k++) {
			struct wait_object *o = &dump->objects[k];

			if (!o->addr || o->process != rt->proc.process ||
			    o->kind == OBJECT_SYSCALL || o->kind == OBJECT_FILE)
				continue;
			b.len = 0;
			goglobals_name(g, o->addr - rt->go.bias, &b);
			if (b.len)
				o->symbol = strtab_addn(dump->profile->strings,
							(char *)b.data, b.len);
		}
		goglobals_close(g);
	}
	buf_release(&b);
}

int dumper_look(struct dumper *d)
{
	struct dump *dump = d->dump;

	d->now_ns = clock_now_ns();
	d->waits.dump = dump;
	d->waits.files = d->files;
	d->waits.pid = d->pid;
	d->waits.memory = &d->memory;
	pipeline_begin(d->pipeline, dump->profile, d->now_ns);
	for (uint32_t i = 0; i < d->n_runtimes; i++) {
		struct runtime *rt = &d->runtimes[i];
		struct visit v = { d, rt };
		const struct goroutines_counts *c;
		const uint64_t *gs;
		uint32_t n;

		gs = goroutines_list(rt->reader, &n);
		rt->first = dump->n;
		goroutines_read(rt->reader, gs, n, READ_ALL, visit_first, &v);
		rt->n = dump->n - rt->first;
		c = goroutines_counts(rt->reader);
		dump->lost += c->lost;
		dump->again += c->again;
		dump->damaged |= goroutines_list_damaged(rt->reader);
		dump->counted = goroutines_counted(rt->reader) && (!i || dump->counted);
	}
	dump->took_ns = clock_now_ns() - d->now_ns;
	globals_name(d);
	return d->memory.err;
}

static void visit_again(void *arg, const struct goroutine_seen *s)
{
	struct visit *v = arg;
	struct goroutine_state *st = &v->d->dump->states[v->rt->first + s->row];

	if (s->h.status != STATUS_RUNNING && mark_of(&s->h) == st->mark)
		st->flags |= STATE_UNMOVED;
}

int dumper_look_again(struct dumper *d)
{
	struct dump *dump = d->dump;
	uint64_t *gs = mem_realloc(NULL, dump->n ? dump->n : 1, sizeof(*gs));

	dump->between_ns = clock_now_ns() - d->now_ns;
	for (uint32_t i = 0; i < d->n_runtimes; i++) {
		struct runtime *rt = &d->runtimes[i];
		struct visit v = { d, rt };

		for (uint32_t k = 0; k < rt->n; k++)
			gs[k] = dump->states[rt->first + k].g;
		goroutines_read(rt->reader, gs, rt->n, 0, visit_again, &v);
	}
	free(gs);
	return d->memory.err;
}
