/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/session.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/living.h"
#include "profiler/base/strtab.h"
#include "profiler/live/calls.h"
#include "profiler/live/life.h"
#include "profiler/live/pipeline.h"
#include "profiler/live/proc.h"
#include "profiler/profile/copy.h"
#include "profiler/profile/profile.h"
#include "symbolizer/symbolizer.h"

enum {
	NAMES_MIN = 256,    /* fewer strings of the symbolizer are not worth freeing */
	REFUSED_NAMED = 10, /* functions that cannot be probed and are named */
	MAX_TURNS = 10,     /* of reading first calls while more are sent */
};

int session_open(struct session **ret, const struct session_options *o, const char **what)
{
	struct kernel_side kernel;
	int err = collector_open(&kernel, &o->collector, what);

	if (!err)
		*ret = session_new(o, &kernel);
	return err;
}

static struct profile *profile_begin(const struct session *s)
{
	bool calls = s->o.collector.event == EVENT_CALLS;
	const char *source = calls ? s->o.calls : s->kernel.event_name;
	struct profile *p = profile_new();

	profile_kind(p,
		     &(struct event_kind){
			     .name = strtab_add(p->strings, calls ? "calls" : "cpu"),
			     .unit = strtab_add(p->strings, calls ? UNIT_COUNT : UNIT_NS),
			     .source = strtab_add(p->strings, source),
			     .freq = calls ? 0 : s->o.collector.freq,
			     .period = s->kernel.period_ns,
		     });
	if (s->o.collector.firsts)
		profile_kind(p, &(struct event_kind){
					.unit = strtab_add(p->strings, UNIT_COUNT) });
	return p;
}

struct session *session_new(const struct session_options *o,
			    const struct kernel_side *kernel)
{
	struct session *s = mem_zalloc(sizeof(*s));

	s->o = *o;
	s->kernel = *kernel;
	s->profile = profile_begin(s);
	s->names = strtab_new();
	s->noted = strtab_new();
	s->symbolizer = symbolizer_new(s->names);
	s->procs = procs_new(s->symbolizer, s->profile);
	return s;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	pipeline_free(s->pipeline);
	procs_close(s->procs);
	symbolizer_close(s->symbolizer);
	s->kernel.close(s->kernel.self);
	unrecorded_release(&s->unrecorded);
	profile_free(s->profile);
	strtab_free(s->names);
	strtab_free(s->noted);
	free(s);
}

/* Follows a process if it is Go: 0 or an error of the kernel side. -ENOENT: it is not. */
static int follow(struct session *s, struct proc *p, uint32_t flags)
{
	struct executable exe;

	procs_examine(s->procs, p);
	if (!life_record(s, p, false))
		return -ENOENT;
	exe = life_executable(s, p);
	return s->kernel.follow(s->kernel.self, p->tgid, &exe, flags | PROCESS_GIVEN);
}

enum session_target session_follow(struct session *s, pid_t pid, const char **why)
{
	struct proc *p = procs_get(s->procs, (uint32_t)pid, 0);
	char path[64];
	int err;

	if (p->wanted)
		return TARGET_GO;
	p->wanted = true;
	err = follow(s, p, PROCESS_WANTED);
	s->running += !err;
	if (err != -ENOENT)
		return err ? TARGET_TOO_MANY : TARGET_GO;
	*why = proc_why(p);
	snprintf(path, sizeof(path), "/proc/%d/exe", living_thread(pid));
	procs_drop(s->procs, p);
	if (kill(pid, 0) && errno == ESRCH)
		return TARGET_GONE;
	if (*why)
		return TARGET_UNSUPPORTED;
	return !access(path, R_OK) || errno == ENOENT ? TARGET_NOT_GO : TARGET_DENIED;
}

void session_follow_all(struct session *s)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;
		struct proc *p;

		if (!pid || pid == getpid())
			continue;
		p = procs_get(s->procs, (uint32_t)pid, 0);
		if (follow(s, p, 0) == -ENOENT)
			procs_drop(s->procs, p);
	}
	if (dir)
		closedir(dir);
}

int session_follow_tree(struct session *s, pid_t pid)
{
	struct executable unknown = { .state = EXE_UNKNOWN };

	return s->kernel.follow(s->kernel.self, (uint32_t)pid, &unknown, PROCESS_CHILDREN);
}

int session_probe(struct session *s, pid_t pid, const char *const *patterns, uint32_t n,
		  struct calls *found)
{
	struct proc *p = procs_get(s->procs, (uint32_t)pid, 0);
	int err = calls_find(found, p->space, living_thread(pid), patterns, n);

	snprintf(s->probed, sizeof(s->probed), "/proc/%d/exe", living_thread(pid));
	s->probes = (struct probes){ s->probed, pid, found->rows, found->n };
	s->calls = found;
	return err ? err : s->kernel.probe(s->kernel.self, &s->probes, false);
}

static void begin_time(struct session *s)
{
	s->start_ns = s->interval.start_ns = clock_now_ns();
	s->profile->start_ns = clock_ns(CLOCK_REALTIME);
}

void session_prepare(struct session *s)
{
	if (s->o.collector.kernel_stacks)
		symbolizer_load_kernel(s->symbolizer);
	procs_begin(s->procs);
	begin_time(s);
	s->profile->n_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	s->pipeline = pipeline_new(s->profile, s->symbolizer, s->start_ns);
}

/* Names functions that cannot be probed; a few of them if they are many. */
static void note_refused(struct session *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->probes.n; i++)
		if (s->probes.rows[i].refused && n++ < REFUSED_NAMED)
			session_note(s, "the kernel cannot probe %s",
				     s->probes.rows[i].name);
	if (n > REFUSED_NAMED)
		session_note(s, "the kernel cannot probe %u more functions",
			     n - REFUSED_NAMED);
}

int session_start(struct session *s, const char **what)
{
	int err = s->kernel.start(s->kernel.self, what);

	if (err || !s->calls)
		return err;
	/* very many probes take seconds to set */
	begin_time(s);
	pipeline_begin(s->pipeline, s->profile, s->start_ns);
	note_refused(s);
	return 0;
}

/* Probes slow a function down that is called very often: leaves it alone. */
static void on_hot(void *arg, const struct hot_record *r)
{
	struct session *s = arg;
	struct probe *p = s->calls ? calls_at(s->calls, r->ip) : NULL;

	if (!p || p->off)
		return;
	p->off = true;
	s->kernel.probe(s->kernel.self, &s->probes, true);
	session_note(s,
		     "%s is no longer probed: a thread calls it %lu times a second "
		     "(--max-rate %u)",
		     p->name, (unsigned long)(r->calls * (uint64_t)SECOND / (r->ns + 1)),
		     s->o.collector.max_rate);
}

/* A call of the function that has its entry there, or of those whose copies do, or both. */
static void on_call(struct session *s, struct proc *p, const struct sample *sample)
{
	const struct probe *row = calls_at(s->calls, sample->ip);
	const struct call_copy *copies;
	uint32_t n = calls_copies(s->calls, sample->ip, &copies);

	if (row && row->entry)
		pipeline_sample(s->pipeline, p, sample);
	for (uint32_t i = 0; i < n; i++)
		pipeline_copy(s->pipeline, p, sample, copies[i].body);
}

static void on_sample(void *arg, const struct sample *sample)
{
	struct session *s = arg;
	struct proc *p = life_of_sample(s, sample);

	if (p->process && sample->call && s->calls)
		on_call(s, p, sample);
	else if (p->process)
		pipeline_sample(s->pipeline, p, sample);
	else
		life_unrecorded(s, p, "", 1);
	s->samples += sample->call != CALL_FIRST;
}

static void on_closing(void *arg, const struct object *o)
{
	struct session *s = arg;

	procs_forget(s->procs, o);
	pipeline_forget(s->pipeline, o);
}

static struct record_handler handler(struct session *s)
{
	return (struct record_handler){ on_sample, life_on_image, life_on_exit, on_hot, s };
}

int session_step(struct session *s, int timeout_ms)
{
	const struct record_handler h = handler(s);

	life_heal(s);
	if (!s->o.collector.add_up) /* sums are handed over at the end, also of the dead */
		procs_reap(s->procs, s->kernel.settled_ns(s->kernel.self));
	pipeline_tidy(s->pipeline, s->procs);
	if (symbolizer_crowded(s->symbolizer)) {
		procs_mark(s->procs);
		symbolizer_sweep(s->symbolizer, on_closing, s);
	}
	if (clock_now_ns() > s->rest_ns) {
		symbolizer_rest(s->symbolizer);
		s->rest_ns = clock_now_ns() + SECOND;
	}
	return s->kernel.poll(s->kernel.self, life_do_due(s, timeout_ms), &h);
}

static void take_counts(struct session *s)
{
	const struct record_handler h = handler(s);

	if (!s->o.collector.add_up)
		return;
	s->kernel.counts(s->kernel.self, &h);
	/* their first calls were sent before, so they are there now */
	for (int turn = 0; turn < MAX_TURNS && s->o.collector.firsts; turn++)
		if (s->kernel.poll(s->kernel.self, 0, &h) <= 0)
			break;
}

static void on_unsent(void *arg, uint32_t tgid, image_id image, uint64_t samples)
{
	struct session *s = arg;
	struct proc *p = procs_get(s->procs, tgid, image);

	if (p->state == PROC_NEW)
		procs_examine(s->procs, p);
	life_unrecorded(s, p, "", samples);
}

/* Fills in what the profile says about the whole interval, which ends at now_ns. unsent:
 * as fn of totals(). */
static void summarize(struct session *s, uint64_t now_ns,
		      void (*unsent)(void *arg, uint32_t tgid, image_id image,
				     uint64_t samples))
{
	struct interval now = { .start_ns = now_ns,
				.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) };
	const uint64_t *before = s->interval.counts;
	struct stats *t = &s->profile->stats;

	s->kernel.totals(s->kernel.self, now.counts, unsent, s);
	t->duration_ns = now_ns - s->interval.start_ns;
	t->cpu_ns = now.cpu_ns - s->interval.cpu_ns;
	/* not from getrusage(), which includes the program that started us */
	t->peak_rss = file_line_bytes("VmHWM:", "/proc/self/status");
	t->lost_ring_full = now.counts[COUNT_RING_FULL] - before[COUNT_RING_FULL];
	t->lost_ring_full += now.counts[COUNT_SCRATCHES_FULL] -
			     before[COUNT_SCRATCHES_FULL];
	t->lost_table_full = now.counts[COUNT_TABLE_FULL] - before[COUNT_TABLE_FULL];
	t->lost_table_full += now.counts[COUNT_SUMS_FULL] - before[COUNT_SUMS_FULL];
	t->stack_faults = now.counts[COUNT_STACK_FAULT] - before[COUNT_STACK_FAULT];
	/* beside those that the pipeline counts */
	t->g_faults += now.counts[COUNT_G_FAULT] - before[COUNT_G_FAULT];
	t->not_go_samples = unrecorded_names(&s->unrecorded, s->profile->strings,
					     &s->profile->not_go_names);
	unrecorded_release(&s->unrecorded);
	s->interval = now;
}

/* Frees strings of the symbolizer that are no longer in use. It has to find the others
 * again, so this waits until more than half may be unused: the first interval shows how
 * many are in use. */
static void renew_names(struct session *s)
{
	struct strtab *old = s->names;

	if (!s->names_max)
		s->names_max = 2 * strtab_count(old) + NAMES_MIN;
	if (strtab_count(old) < s->names_max)
		return;
	s->names = strtab_new();
	s->names_max = 0;
	symbolizer_renew(s->symbolizer, s->names);
	strtab_free(old);
}

struct profile *session_next(struct session *s)
{
	struct profile *done = s->profile;

	take_counts(s);
	summarize(s, clock_now_ns(), NULL);
	renew_names(s);
	s->profile = profile_begin(s);
	s->profile->start_ns = clock_ns(CLOCK_REALTIME);
	s->profile->n_cpus = done->n_cpus;
	s->profile->command = strtab_add(s->profile->strings,
					 profile_string(done, done->command));
	procs_begin_interval(s->procs, s->profile);
	if (s->o.collector.firsts) /* goroutines still run what they ran */
		profile_copy_kind(s->profile, done, profile_find_kind(done, ""));
	pipeline_begin(s->pipeline, s->profile, s->interval.start_ns);
	return done;
}

void session_stop(struct session *s)
{
	uint64_t end_ns = clock_now_ns();
	const char *why, *path = "";
	uint32_t changed;

	s->kernel.stop(s->kernel.self);
	while (session_step(s, 0) > 0)
		;
	take_counts(s);
	s->stopped = true;
	why = symbolizer_kernel_why(s->symbolizer);
	if (why && s->o.collector.kernel_stacks)
		session_note(s, "kernel functions have no names: %s", why);
	changed = symbolizer_changed(s->symbolizer, &path);
	if (changed)
		session_note(
			s,
			"%u file%s changed while being read, e.g. %s: functions may lack names",
			changed, changed > 1 ? "s were" : " was", path);
	summarize(s, end_ns, on_unsent);
	if (s->interval.counts[COUNT_FIRST_LOST])
		session_note(s,
			     "%lu stacks of first calls were lost: such goroutines may be "
			     "named after a function that only starts others",
			     (unsigned long)s->interval.counts[COUNT_FIRST_LOST]);
}

struct profile *session_take(struct session *s)
{
	struct profile *p = s->profile;

	s->profile = NULL;
	return p;
}

uint32_t session_running(const struct session *s)
{
	return s->running;
}

uint64_t session_elapsed_ns(const struct session *s)
{
	return clock_now_ns() - s->start_ns;
}

uint64_t session_settled_ns(const struct session *s)
{
	uint64_t ns = s->kernel.settled_ns(s->kernel.self);

	return s->stopped                  ? UINT64_MAX
	       : ns > s->interval.start_ns ? ns - s->interval.start_ns
					   : 0;
}

uint64_t session_samples(const struct session *s)
{
	return s->samples;
}

struct profile *session_profile(struct session *s)
{
	return s->profile;
}
