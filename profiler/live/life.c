/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/life.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/strtab.h"
#include "profiler/live/proc.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	/* How to find goroutines: a program that starts is ready soon, an idle one may take
	 * long */
	RETRY_FIRST_MS = 5, /* then twice as long each time, */
	RETRY_TIMES = 9,    /* up to 2.56 s */
	RETRY_NOTED = 5,    /* then the user is told */
	RETRY_IDLE_NS = 100000000,
	/* Probes for Go: a program maps its libraries when it starts; one that compiles its
	 * code maps more of it all the time. */
	PROBES_AT_ONCE = 16,
	PROBE_MS = 200,
	/* A packed program unpacks itself within this time. */
	UNPACK_LOOKS = 50,
	UNPACK_NS = 10000000,
	/* life_heal() checks each row every 5 s, or more often. */
	HEAL_NS = 50000000,
	HEAL_LEAST = 4,
	HEAL_SHARE = 100,
};

void session_note(struct session *s, const char *fmt, ...)
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
		session_note(s, "%s (%s): no goroutine ids, %s", path, p->program.version,
			     why);
}

/* The kernel side reads the goroutines of one runtime; it sees no g in the threads of
 * others. */
static void note_runtimes(struct session *s, struct proc *p)
{
	uint32_t n = space_runtimes(p->space);

	if (n < 2 || p->runtimes_noted)
		return;
	p->runtimes_noted = true;
	session_note(
		s,
		"%s has %u Go runtimes; goroutine ids are read for that of %s only, the others' are filed under [c]",
		p->comm, n, space_runtime(p->space, 0)->object->path);
}

struct executable life_executable(struct session *s, struct proc *p)
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
static void publish_image(struct session *s, struct proc *p)
{
	struct executable exe = life_executable(s, p);
	struct exe_key key = exe_key_image(p->tgid, p->image);

	s->kernel.executable(s->kernel.self, &key, &exe);
}

/* The row of this process before its last exec, or NULL; to the user it is the same
 * process. *outdated: p has been followed by another program already, since samples taken
 * before an exec can arrive after the record that announces it. */
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

/* Tells the kernel side what it does not know, for all processes of this executable if
 * possible. */
static void publish(struct session *s, struct proc *p, const struct image_record *r)
{
	static const struct exe_key no_key;
	struct exe_key one = exe_key_image(p->tgid, p->image);
	struct executable exe = { .state = EXE_NOT_GO, .one_image = true };

	if (p->left_out && p->image)
		s->kernel.executable(s->kernel.self, &one, &exe);
	/* a packed program is examined again when its mappings change */
	if (p->left_out || r->executable == EXE_GO ||
	    (r->executable == EXE_NOT_GO && !proc_is_go(p)) || !p->program.path ||
	    p->program.packed)
		return;
	exe = life_executable(s, p);
	if (exe.one_image || memcmp(&r->exe, &no_key, sizeof(no_key)))
		s->kernel.executable(s->kernel.self, exe.one_image ? &one : &r->exe, &exe);
}

/* Does the process still run this image? Else we have examined another one. */
static bool still_runs(const struct session *s, const struct proc *p)
{
	image_id now;

	return !s->kernel.image(s->kernel.self, p->tgid, &now) || !now || now == p->image;
}

/* Does the user of the session want this program? */
static bool chosen(struct session *s, struct proc *p)
{
	const char *path = p->program.path ? p->program.path : p->comm;
	struct buf resource = { 0 };

	if (s->o.choose && !p->asked) {
		p->left_out = !s->o.choose(s->o.arg, p->tgid, path, &resource);
		p->resource = mem_strdup(buf_text(&resource));
		buf_release(&resource);
	}
	p->asked = true;
	return !p->left_out;
}

bool life_record(struct session *s, struct proc *p, bool anyway)
{
	if ((proc_is_go(p) ? p->go_row : !anyway) || !chosen(s, p))
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
	life_record(s, p, false);
}

void life_unrecorded(struct session *s, const struct proc *p, const char *comm,
		     uint64_t samples)
{
	if (p && p->left_out)
		return;
	unrecorded_add(&s->unrecorded, p ? proc_comm(p) : comm, p ? proc_why(p) : NULL,
		       samples);
}

/* The probes are in the program that a target ran before; this one may be the same, at
 * other addresses. */
static void end_calls(struct session *s, struct proc *p)
{
	if (!s->calls || !p->wanted)
		return;
	session_note(s, "process %u runs another program now: its calls are not seen",
		     p->tgid);
	p->wanted = false;
	s->running--;
}

/* The first record of an image. */
static void examine(struct session *s, struct proc *p, struct proc *old,
		    const struct image_record *r)
{
	if (old) {
		p->wanted = old->wanted;
		procs_end(old);
		end_calls(s, p);
	}
	snprintf(p->comm, sizeof(p->comm), "%.*s", (int)sizeof(r->comm) - 1, r->comm);
	procs_examine(s->procs, p);
	if (!still_runs(s, p))
		procs_miss(p);
}

/* First sight of an image, or new code in a known one. */
void life_on_image(void *arg, const struct image_record *r)
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
	life_unrecorded(s, first ? old : p, "", r->unsent);
	if (first)
		examine(s, p, old, r);
	else
		procs_refresh(p);
	procs_share(s->procs, p, r);
	/* what the kernel side takes for Go was missed, but is Go */
	life_record(s, p, first && (p->wanted || r->executable == EXE_GO));
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
	if (life_record(s, p, false) && p->image)
		publish_image(s, p);
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

struct proc *life_of_sample(struct session *s, const struct sample *sample)
{
	struct proc *p = procs_find(s->procs, sample->tgid, sample->image);
	struct image_record r = { .tgid = sample->tgid, .image = sample->image };

	if (!p) {
		/* its image record was sent before the sample: it has arrived by now, or is
		 * lost */
		s->kernel.control(s->kernel.self);
		p = procs_find(s->procs, sample->tgid, sample->image);
	}
	if (!p) {
		life_on_image(s, &r);
		p = procs_find(s->procs, sample->tgid, sample->image);
	}
	refresh_packed(s, p, sample->time_ns);
	return p;
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

void life_on_exit(void *arg, const struct exit_record *r)
{
	struct session *s = arg;
	const struct proc *last = procs_find(s->procs, r->tgid, r->image);
	char comm[sizeof(r->comm)];

	/* of an executable that is not Go only the first process has a row */
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(comm) - 1, r->comm);
	life_unrecorded(s, last, comm, r->unsent);
	process_ended(s, r->tgid);
}

void life_heal(struct session *s)
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

static void retry(struct session *s, struct proc *p, uint64_t now)
{
	p->retry_ns = 0;
	if (!proc_is_go(p))
		probe(s, p);
	if (proc_is_go(p) && p->image)
		publish_image(s, p);
	else if (proc_is_go(p)) /* not sampled yet */
		p->retry_ns = now + RETRY_IDLE_NS;
}

int life_do_due(struct session *s, int timeout_ms)
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
