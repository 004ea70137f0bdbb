/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/session.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/living.h"
#include "profiler/base/log.h"
#include "profiler/base/strtab.h"
#include "profiler/live/pipeline.h"
#include "profiler/live/proc.h"
#include "profiler/profile/profile.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	/* How to find goroutines: a program that starts is ready soon, an idle one may take long */
	RETRY_FIRST_MS = 5, /* then twice as long each time, */
	RETRY_TIMES = 9,    /* up to 2.56 s */
	RETRY_NOTED = 5,    /* then the user is told */
	RETRY_IDLE_NS = 100000000,
	/* Probes for Go: a program maps its libraries when it starts; one that compiles its code maps
	 * more of it all the time. */
	PROBES_AT_ONCE = 16,
	PROBE_MS = 200,
	/* A packed program unpacks itself within this time. */
	UNPACK_LOOKS = 50,
	UNPACK_NS = 10000000,
	/* heal() checks each row every 5 s, or more often. */
	HEAL_NS = 50000000,
	HEAL_LEAST = 4,
	HEAL_SHARE = 100,
	NAMES_MIN = 1024, /* strings of the symbolizer that are worth letting go */
};

/* What counts from the start of an interval on. */
struct interval {
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t cpu_ns;   /* our own until then */
	uint64_t counts[COUNT_MAX];
};

struct session {
	struct session_options o;
	struct kernel_side kernel;
	struct profile *profile;
	struct strtab *names; /* strings of the symbolizer */
	uint32_t names_max;   /* with more of them it gets a new table; 0: not known yet */
	struct symbolizer *symbolizer;
	struct procs *procs;
	struct pipeline *pipeline;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	struct interval interval;
	uint64_t samples;
	uint32_t running;     /* processes of session_follow() */
	uint64_t healed_ns;   /* when heal() last ran, CLOCK_MONOTONIC */
	uint32_t heal_next;   /* the row that it checks next */
	struct strtab *noted; /* paths that note_no_goroutines() has named */
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
	struct profile *p = profile_new();

	profile_kind(p, &(struct event_kind){
				.name = strtab_add(p->strings, "cpu"),
				.unit = strtab_add(p->strings, UNIT_NS),
				.source = strtab_add(p->strings, s->kernel.event_name),
				.freq = s->o.collector.freq,
				.period = s->kernel.period_ns,
			});
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
	symbolizer_open(&s->symbolizer, s->names);
	s->procs = procs_new(s->symbolizer, s->profile);
	return s;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	pipeline_close(s->pipeline);
	procs_close(s->procs);
	symbolizer_close(s->symbolizer);
	s->kernel.close(s->kernel.self);
	profile_free(s->profile);
	strtab_free(s->names);
	strtab_free(s->noted);
	free(s);
}

static void note(struct session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct session *s, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (s->o.note)
		s->o.note(s->o.arg, line);
}

/* Tells the user, once for each program. */
static void note_no_goroutines(struct session *s, const struct proc *p, const char *why)
{
	const char *path = p->program.path ? p->program.path : p->comm;
	uint32_t n = strtab_count(s->noted);

	if (strtab_add(s->noted, path) == n)
		note(s, "%s (%s): no goroutine ids, %s", path, p->program.version, why);
}

/* The kernel side reads the goroutines of one runtime; it sees no g in the threads of others. */
static void note_runtimes(struct session *s, struct proc *p)
{
	uint32_t n = space_runtimes(p->space);

	if (n < 2 || p->runtimes_noted)
		return;
	p->runtimes_noted = true;
	note(s,
	     "%s has %u Go runtimes; goroutine ids are read for that of %s only, the others' are filed under [c]",
	     p->comm, n, space_runtime(p->space, 0)->object->path);
}

/* proc_layout(), plus a note to the user when goroutine ids are unavailable and a retry timer when
 * they may become available. */
static struct executable executable_of(struct session *s, struct proc *p)
{
	struct executable exe;
	const char *why;
	int err = proc_layout(s->procs, p, &exe, &why);

	note_runtimes(s, p);
	if (err == -EAGAIN) {
		p->retry_ns = clock_now_ns() + (RETRY_FIRST_MS * 1000000ull << p->tries);
		p->tries += p->tries < RETRY_TIMES;
	}
	/* -ESRCH: it is gone, there is nobody to report on */
	if (why && (err == -ENOTSUP || (err == -EAGAIN && p->tries > RETRY_NOTED)))
		note_no_goroutines(s, p, why);
	return exe;
}

/* Tells the kernel side about this image of this process alone. */
static void publish_own(struct session *s, struct proc *p)
{
	struct executable exe = executable_of(s, p);
	struct exe_key key = exe_key_image(p->tgid, p->image);

	s->kernel.executable(s->kernel.self, &key, &exe);
}

/* The row of this process before its last exec, or NULL; to the user it is the same process.
 * *outdated: p has been followed by another program already, since samples taken before an exec can
 * arrive after the record that announces it. */
static struct proc *predecessor(struct session *s, const struct proc *p, bool *outdated)
{
	struct proc *last = NULL, *row;

	*outdated = false;
	for (uint32_t i = 0; (row = procs_of(s->procs, p->tgid, i)); i++) {
		*outdated |= row->image > p->image;
		if (row->image < p->image && !row->ended_ns)
			last = row;
	}
	return last;
}

/* Tells the kernel side what it does not know, for all processes of this executable if possible. */
static void publish(struct session *s, struct proc *p, const struct image_record *r)
{
	static const struct exe_key no_key;
	struct exe_key one = exe_key_image(p->tgid, p->image);
	struct executable exe;

	/* a packed program is examined again when its mappings change */
	if (r->executable == EXE_GO || (r->executable == EXE_NOT_GO && !proc_is_go(p)) ||
	    !p->program.path || p->program.packed)
		return;
	exe = executable_of(s, p);
	if (exe.one_image || memcmp(&r->exe, &no_key, sizeof(no_key)))
		s->kernel.executable(s->kernel.self, exe.one_image ? &one : &r->exe, &exe);
}

/* Does the process still run this image? Else we have examined another one. */
static bool still_runs(const struct session *s, const struct proc *p)
{
	image_id now;

	return !s->kernel.image(s->kernel.self, p->tgid, &now) || !now || now == p->image;
}

/* Gives p a row of the profile if it is Go, or a better one if it turned out to be Go only now; anyway:
 * also if it is not. false: nothing to do. */
static bool record(struct session *s, struct proc *p, bool anyway)
{
	if (proc_is_go(p) ? p->go_row : !anyway)
		return false;
	procs_record(s->procs, p);
	return true;
}

/* Searches a program that is not Go, and has mapped new code, for Go libraries. */
static void probe(struct session *s, struct proc *p)
{
	uint64_t next = p->refreshed_ns + PROBE_MS * 1000000ull;

	if (p->retry_ns || p->ended_ns)
		return;
	if (p->tries >= PROBES_AT_ONCE && clock_now_ns() < next) {
		p->retry_ns = next;
		return;
	}
	p->retry_ns = procs_probe(s->procs, p);
	if (proc_is_go(p) && !still_runs(s, p))
		procs_miss(p);
	p->tries += !proc_is_go(p) && !p->retry_ns;
	record(s, p, false);
}

/* Samples of a process that is not Go; comm: of one that has no row. */
static void leave_out(struct session *s, const struct proc *p, const char *comm,
		      uint64_t samples)
{
	pipeline_leave_out(s->pipeline, p ? proc_comm(p) : comm, p ? proc_why(p) : NULL,
			   samples);
}

/* The first record of an image. */
static void examine(struct session *s, struct proc *p, struct proc *old,
		    const struct image_record *r)
{
	if (old) {
		p->wanted = old->wanted;
		procs_end(old);
	}
	snprintf(p->comm, sizeof(p->comm), "%.*s", (int)sizeof(r->comm) - 1, r->comm);
	procs_examine(s->procs, p);
	if (!still_runs(s, p))
		procs_miss(p);
}

/* First sight of an image, or new code in a known one. */
static void on_image(void *arg, const struct image_record *r)
{
	struct session *s = arg;
	struct proc *p = r->given ? procs_find(s->procs, r->tgid, 0) : NULL, *old;
	bool first, outdated;

	if (p)
		procs_identify(s->procs, p, r->image);
	else
		p = procs_get(s->procs, r->tgid, r->image);
	first = p->state == PROC_NEW;
	old = predecessor(s, p, &outdated);
	/* the samples are of the previous program, or of this one since its last record */
	leave_out(s, first ? old : p, "", r->left_out);
	if (first)
		examine(s, p, old, r);
	else
		procs_refresh(p);
	procs_share(s->procs, p, r);
	/* what the kernel side takes for Go was missed, but is Go */
	record(s, p, first && (p->wanted || r->executable == EXE_GO));
	if (first && outdated)
		procs_end(p);
	if (!proc_is_go(p) && (!first || r->executable == EXE_NOT_GO))
		probe(s, p);
	note_runtimes(s, p);
	publish(s, p, r);
}

/* A program that turned out to be Go while no record announced it. */
static void announce(struct session *s, struct proc *p)
{
	if (record(s, p, false) && p->image)
		publish_own(s, p);
}

/* A packed program first maps memory and then unpacks into it, which no record reports. */
static void refresh_packed(struct session *s, struct proc *p, uint64_t now_ns)
{
	if (proc_is_go(p) || !p->program.packed || p->unpack_looks == UNPACK_LOOKS ||
	    now_ns < p->refreshed_ns + UNPACK_NS)
		return;
	p->unpack_looks++;
	procs_refresh(p);
	announce(s, p);
}

static void on_sample(void *arg, const struct sample *sample)
{
	struct session *s = arg;
	struct proc *p = procs_find(s->procs, sample->tgid, sample->image);
	struct image_record r = { .tgid = sample->tgid, .image = sample->image };

	if (!p) {
		/* its image record was sent before the sample: it has arrived by now, or is lost */
		s->kernel.control(s->kernel.self);
		p = procs_find(s->procs, sample->tgid, sample->image);
	}
	if (!p) {
		on_image(s, &r);
		p = procs_find(s->procs, sample->tgid, sample->image);
	}
	refresh_packed(s, p, sample->time_ns);
	pipeline_sample(s->pipeline, p, sample);
	s->samples++;
}

static void process_ended(struct session *s, uint32_t tgid)
{
	bool wanted = false;
	struct proc *p;

	for (uint32_t i = 0; (p = procs_of(s->procs, tgid, i)); i++) {
		if (p->ended_ns)
			continue;
		wanted |= p->wanted;
		procs_end(p);
	}
	s->running -= wanted;
}

static void on_process_exit(void *arg, const struct exit_record *r)
{
	struct session *s = arg;
	const struct proc *last = procs_find(s->procs, r->tgid, r->image);
	char comm[sizeof(r->comm)];

	/* of an executable that is not Go only the first process has a row */
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(comm) - 1, r->comm);
	leave_out(s, last, comm, r->left_out);
	process_ended(s, r->tgid);
}

/* Finds processes that have ended: the records of that may be lost when very many end at once. */
static void heal(struct session *s)
{
	uint32_t n = HEAL_LEAST + procs_count(s->procs) / HEAL_SHARE;
	uint64_t now = clock_now_ns();

	if (now < s->healed_ns + HEAL_NS)
		return;
	s->healed_ns = now;
	for (; n; n--, s->heal_next++) {
		const struct proc *p = procs_row(s->procs, s->heal_next);
		image_id image;
		bool gone;

		if (!p) {
			s->heal_next = 0;
			return;
		}
		if (p->ended_ns)
			continue;
		gone = kill((pid_t)p->tgid, 0) && errno == ESRCH;
		if (gone) /* perhaps before the kernel side knew it */
			s->kernel.drop(s->kernel.self, p->tgid);
		if (gone || !s->kernel.image(s->kernel.self, p->tgid, &image))
			process_ended(s, p->tgid);
	}
}

enum session_target session_follow(struct session *s, pid_t pid, const char **why)
{
	struct proc *p = procs_get(s->procs, (uint32_t)pid, 0);
	struct executable exe;
	char path[64];

	p->wanted = true;
	procs_examine(s->procs, p);
	if (record(s, p, false)) {
		exe = executable_of(s, p);
		if (s->kernel.follow(s->kernel.self, p->tgid, &exe,
				     PROCESS_WANTED | PROCESS_GIVEN))
			return TARGET_TOO_MANY;
		s->running++;
		return TARGET_GO;
	}
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
	struct executable exe;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;
		struct proc *p;

		if (!pid || pid == getpid())
			continue;
		p = procs_get(s->procs, (uint32_t)pid, 0);
		procs_examine(s->procs, p);
		if (record(s, p, false)) {
			exe = executable_of(s, p);
			s->kernel.follow(s->kernel.self, p->tgid, &exe, PROCESS_GIVEN);
		} else {
			procs_drop(s->procs, p);
		}
	}
	if (dir)
		closedir(dir);
}

int session_follow_tree(struct session *s, pid_t pid)
{
	struct executable unknown = { .state = EXE_UNKNOWN };

	return s->kernel.follow(s->kernel.self, (uint32_t)pid, &unknown, PROCESS_CHILDREN);
}

void session_prepare(struct session *s)
{
	if (s->o.collector.kernel_stacks)
		symbolizer_load_kernel(s->symbolizer);
	procs_begin(s->procs);
	s->start_ns = s->interval.start_ns = clock_now_ns();
	s->profile->start_ns = clock_ns(CLOCK_REALTIME);
	pipeline_open(&s->pipeline, s->profile, s->symbolizer, s->start_ns);
}

int session_start(struct session *s, const char **what)
{
	return s->kernel.start(s->kernel.self, what);
}

static void retry(struct session *s, struct proc *p, uint64_t now)
{
	p->retry_ns = 0;
	if (!proc_is_go(p))
		probe(s, p);
	if (proc_is_go(p) && p->image)
		publish_own(s, p);
	else if (proc_is_go(p)) /* not sampled yet */
		p->retry_ns = now + RETRY_IDLE_NS;
}

/* Does what was put off and is due. Returns the time until the next, at most timeout_ms. */
static int do_due(struct session *s, int timeout_ms)
{
	uint64_t now = clock_now_ns(), next = now + (uint64_t)timeout_ms * 1000000;
	struct proc *p;

	for (uint32_t i = 0; (p = procs_row(s->procs, i)); i++) {
		if (p->ended_ns)
			continue;
		if (p->stale_ns && now >= p->stale_ns) {
			procs_refresh(p);
			announce(s, p);
		}
		if (p->retry_ns && now >= p->retry_ns)
			retry(s, p, now);
		if (p->stale_ns && p->stale_ns < next)
			next = p->stale_ns;
		if (p->retry_ns && p->retry_ns < next)
			next = p->retry_ns;
	}
	return next > now ? (int)((next - now + 999999) / 1000000) : 0;
}

static void on_closing(void *pipeline, const struct object *o)
{
	pipeline_forget(pipeline, o);
}

int session_step(struct session *s, int timeout_ms)
{
	const struct record_handler h = { on_sample, on_image, on_process_exit, s };

	heal(s);
	procs_reap(s->procs, s->kernel.settled_ns(s->kernel.self));
	pipeline_tidy(s->pipeline, s->procs);
	procs_sweep(s->procs, on_closing, s->pipeline);
	return s->kernel.poll(s->kernel.self, do_due(s, timeout_ms), &h);
}

/* Not from getrusage(), which includes the program that started us. */
static uint64_t peak_rss(void)
{
	struct buf b = { 0 };
	const char *line;
	uint64_t kb = 0;

	if (!file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &b)) {
		buf_u8(&b, 0);
		line = strstr((char *)b.data, "VmHWM:");
		if (line)
			kb = strtoull(line + 6, NULL, 10);
	}
	buf_release(&b);
	return kb << 10;
}

static void on_left_out(void *arg, uint32_t tgid, image_id image, uint64_t samples)
{
	struct session *s = arg;
	struct proc *p = procs_get(s->procs, tgid, image);

	if (p->state == PROC_NEW)
		procs_examine(s->procs, p);
	leave_out(s, p, "", samples);
}

/* Fills what the profile says about the interval as a whole; now_ns: its end. left_out may be NULL. */
static void summarize(struct session *s, uint64_t now_ns,
		      void (*left_out)(void *arg, uint32_t tgid, image_id image,
				       uint64_t samples))
{
	struct interval now = { .start_ns = now_ns,
				.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) };
	const uint64_t *before = s->interval.counts;
	struct truth *t = &s->profile->truth;
	const char *names;

	s->kernel.totals(s->kernel.self, now.counts, left_out, s);
	t->duration_ns = now_ns - s->interval.start_ns;
	t->cpu_ns = now.cpu_ns - s->interval.cpu_ns;
	t->peak_rss = peak_rss();
	t->lost_ring_full = now.counts[COUNT_RING_FULL] - before[COUNT_RING_FULL];
	t->lost_table_full = now.counts[COUNT_TABLE_FULL] - before[COUNT_TABLE_FULL];
	t->stack_faults = now.counts[COUNT_STACK_FAULT] - before[COUNT_STACK_FAULT];
	/* beside those that the pipeline counts */
	t->g_faults += now.counts[COUNT_G_FAULT] - before[COUNT_G_FAULT];
	t->not_go_samples = pipeline_not_go(s->pipeline, &names);
	s->profile->not_go_names = strtab_add(s->profile->strings, names);
	s->interval = now;
}

/* Lets go the names of what has ended. The symbolizer has to find the others again, so this waits until
 * they may be fewer than half: those of one interval say how many are in use. */
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

	summarize(s, clock_now_ns(), NULL);
	renew_names(s);
	s->profile = profile_begin(s);
	s->profile->start_ns = clock_ns(CLOCK_REALTIME);
	s->profile->command = strtab_add(s->profile->strings,
					 profile_string(done, done->command));
	procs_begin_interval(s->procs, s->profile);
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
	why = symbolizer_kernel_why(s->symbolizer);
	if (why && s->o.collector.kernel_stacks)
		note(s, "kernel functions have no names: %s", why);
	changed = symbolizer_changed(s->symbolizer, &path);
	if (changed)
		note(s,
		     "%u file%s changed while being read, e.g. %s: functions may lack names",
		     changed, changed > 1 ? "s were" : " was", path);
	summarize(s, end_ns, on_left_out);
}

uint32_t session_running(const struct session *s)
{
	return s->running;
}

uint64_t session_elapsed_ns(const struct session *s)
{
	return clock_now_ns() - s->start_ns;
}

uint64_t session_samples(const struct session *s)
{
	return s->samples;
}

struct profile *session_profile(struct session *s)
{
	return s->profile;
}
