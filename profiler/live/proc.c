/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/budget.h"
#include "profiler/base/buf.h"
#include "profiler/base/clock.h"
#include "profiler/base/file.h"
#include "profiler/base/living.h"
#include "profiler/base/log.h"
#include "profiler/base/strtab.h"
#include "profiler/goruntime/golayout.h"
#include "profiler/kernel/threads.h"
#include "profiler/profile/profile.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"

/*
 * How much time reading mappings may take. Programs that unpack themselves or load
 * libraries are followed at once; after READING_FREE_NS one process gets a 50th of the
 * time, and all of them together a 10th. Processes that are cheap to read do not wait for
 * the others.
 */
enum {
	READING_FREE_NS = 200000000,
	READING_SHARE = 50,
	ALL_FREE_NS = 500000000,
	ALL_SHARE = 10,
	CHEAP_NS = 1000000, /* a process that owes no more than this need not wait */
};

/* How often a process is asked about unknown code at most, and which share of the time that
 * takes. */
enum { REFRESH_NS = 100000000, CODE_SHARE = 50 };

struct known_exe {
	struct exe_key key;
	struct object *exe;
};

struct program_layout {
	const struct object *object;
	bool dwarf;
	struct golayout layout;
};

/* Rows are sorted by pid and image: looked up at each sample, changed rarely. */
struct procs {
	struct symbolizer *symbolizer;
	struct profile *profile;
	struct proc **rows;
	uint32_t n, cap;
	struct program_layout *layouts;
	uint32_t n_layouts, cap_layouts;
	struct known_exe *known;
	uint32_t n_known, cap_known;
	struct budget reading;       /* of all rows */
	struct threads_bpf *threads; /* NULL: they cannot be listed or checked */
};

struct procs *procs_new(struct symbolizer *symbolizer, struct profile *profile)
{
	struct procs *ps = mem_zalloc(sizeof(*ps));
	const char *what;

	ps->symbolizer = symbolizer;
	ps->profile = profile;
	if (threads_open(&ps->threads, &what))
		log_debug("no self-checks: %s", what);
	return ps;
}

void procs_close(struct procs *ps)
{
	if (!ps)
		return;
	while (ps->n)
		procs_drop(ps, ps->rows[ps->n - 1]);
	free(ps->rows);
	free(ps->layouts);
	free(ps->known);
	threads_close(ps->threads);
	free(ps);
}

/* The index of this row, or where to insert it. */
static uint32_t place(const struct procs *ps, uint32_t tgid, image_id image)
{
	return table_until(ps->n, i,
			   ps->rows[i]->tgid < tgid || (ps->rows[i]->tgid == tgid &&
							ps->rows[i]->image < image));
}

struct proc *procs_find(struct procs *ps, uint32_t tgid, image_id image)
{
	uint32_t i = place(ps, tgid, image);

	return i < ps->n && ps->rows[i]->tgid == tgid && ps->rows[i]->image == image
		       ? ps->rows[i]
		       : NULL;
}

struct proc *procs_row(struct procs *ps, uint32_t n)
{
	return n < ps->n ? ps->rows[n] : NULL;
}

uint32_t procs_count(const struct procs *ps)
{
	return ps->n;
}

struct proc *procs_of(struct procs *ps, uint32_t tgid, uint32_t n)
{
	uint32_t i = place(ps, tgid, 0) + n;

	return i < ps->n && ps->rows[i]->tgid == tgid ? ps->rows[i] : NULL;
}

static void row_insert(struct procs *ps, struct proc *p)
{
	uint32_t i = place(ps, p->tgid, p->image);

	(void)table_add(ps->rows, ps->n, ps->cap);
	memmove(ps->rows + i + 1, ps->rows + i, (ps->n - 1 - i) * sizeof(*ps->rows));
	ps->rows[i] = p;
}

static void row_remove(struct procs *ps, const struct proc *p)
{
	uint32_t i = place(ps, p->tgid, p->image);

	memmove(ps->rows + i, ps->rows + i + 1, (ps->n - 1 - i) * sizeof(*ps->rows));
	ps->n--;
}

struct proc *procs_get(struct procs *ps, uint32_t tgid, image_id image)
{
	struct proc *p = procs_find(ps, tgid, image);

	if (p)
		return p;
	p = mem_zalloc(sizeof(*p));
	p->tgid = tgid;
	p->image = image;
	p->all_reading = &ps->reading;
	row_insert(ps, p);
	return p;
}

void procs_identify(struct procs *ps, struct proc *p, image_id image)
{
	row_remove(ps, p);
	p->image = image;
	row_insert(ps, p);
}

void procs_drop(struct procs *ps, struct proc *p)
{
	row_remove(ps, p);
	space_close(p->space);
	free(p->resource);
	free(p);
}

void procs_end(struct proc *p)
{
	if (!p->ended_ns)
		p->ended_ns = clock_now_ns();
}

void procs_reap(struct procs *ps, uint64_t settled_ns)
{
	for (uint32_t i = ps->n; i--;)
		if (ps->rows[i]->ended_ns && ps->rows[i]->ended_ns < settled_ns) {
			if (ps->rows[i]->process)
				profile_process_ended(ps->profile, ps->rows[i]->process);
			procs_drop(ps, ps->rows[i]);
		}
}

void procs_forget(struct procs *ps, const struct object *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ps->n_layouts; i++)
		if (ps->layouts[i].object != o)
			ps->layouts[n++] = ps->layouts[i];
	ps->n_layouts = n;
	n = 0;
	for (uint32_t i = 0; i < ps->n_known; i++)
		if (ps->known[i].exe != o)
			ps->known[n++] = ps->known[i];
	ps->n_known = n;
}

void procs_mark(struct procs *ps)
{
	for (uint32_t i = 0; i < ps->n; i++) {
		space_mark(ps->rows[i]->space);
		if (ps->rows[i]->program.exe)
			ps->rows[i]->program.exe->in_use = true;
	}
}

void proc_thread_comm(uint32_t tgid, uint32_t tid, char comm[16])
{
	struct buf b = { 0 };
	char path[64];

	*comm = 0;
	snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", tgid, tid);
	if (!file_read(AT_FDCWD, path, 256, &b) && b.len)
		snprintf(comm, 16, "%.*s", (int)b.len - 1, (const char *)b.data);
	buf_release(&b);
}

static void become(struct proc *p, enum proc_state state)
{
	static const char *const names[] = {
		[PROC_NEW] = "new",      [PROC_MISSED] = "missed",
		[PROC_OTHER] = "not Go", [PROC_TWIN] = "twin of a Go process",
		[PROC_GO] = "Go",
	};

	if (p->state == state)
		return;
	log_debug("process %u: %s (was %s)", p->tgid, names[state], names[p->state]);
	p->state = state;
	p->retry_ns = 0;
	p->tries = 0;
}

/* Reads /proc/PID/exe, and nothing else that is mapped. */
static enum proc_state examine_exe(struct procs *ps, struct proc *p)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", living_thread((pid_t)p->tgid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ESRCH ? PROC_MISSED : PROC_OTHER;
	err = symbolizer_program(ps->symbolizer, fd, &p->program);
	if (err)
		log_debug("process %u: %s", p->tgid, strerror(-err));
	close(fd);
	return p->program.version ? PROC_GO : PROC_OTHER;
}

/* Begins to read the mappings of p. 0, or when that may be done. */
static uint64_t begin_reading(struct proc *p)
{
	uint64_t now = clock_now_ns();
	uint64_t alone = budget_due(&p->reading, READING_SHARE, READING_FREE_NS);
	uint64_t all = budget_due(p->all_reading, ALL_SHARE, ALL_FREE_NS);
	uint64_t due = alone > all ? alone : all;

	if (now < due && budget_debt(&p->reading, now, READING_SHARE) > CHEAP_NS)
		return due;
	p->refreshed_ns = now;
	return 0;
}

static void end_reading(struct proc *p)
{
	uint64_t now = clock_now_ns(), took = now - p->refreshed_ns;

	budget_spend(&p->reading, now, READING_SHARE, took);
	budget_spend(p->all_reading, now, ALL_SHARE, took);
}

void procs_begin(struct procs *ps)
{
	ps->reading = (struct budget){ 0 };
}

/* Is there Go in the mappings? */
static bool space_has_go(struct proc *p)
{
	space_program(p->space, &p->program);
	return p->program.version;
}

void procs_examine(struct procs *ps, struct proc *p)
{
	enum proc_state state = examine_exe(ps, p);

	if (!p->comm[0])
		proc_thread_comm(p->tgid, p->tgid, p->comm);
	/* nobody will ask for the names of other programs */
	if (state == PROC_GO || p->wanted || p->program.packed) {
		p->refreshed_ns = clock_now_ns();
		if (!space_open(&p->space, ps->symbolizer, (pid_t)p->tgid))
			state = space_has_go(p) ? PROC_GO : PROC_OTHER;
		end_reading(p);
	}
	become(p, state);
}

uint64_t procs_probe(struct procs *ps, struct proc *p)
{
	uint64_t due = begin_reading(p);

	if (due)
		return due;
	if (!p->space && !space_open(&p->space, ps->symbolizer, (pid_t)p->tgid)) {
		if (space_has_go(p)) {
			become(p, PROC_GO);
		} else {
			space_close(p->space);
			p->space = NULL;
		}
	}
	end_reading(p);
	return 0;
}

void procs_share(struct procs *ps, struct proc *p, const struct image_record *r)
{
	static const struct exe_key none;
	struct known_exe *k = NULL;
	struct gone gone = { .start_code = r->start_code, .vdso = r->vdso };
	struct space *space;

	if (!memcmp(&r->exe, &none, sizeof(none)))
		return;
	for (uint32_t i = 0; i < ps->n_known && !k; i++)
		if (!memcmp(&ps->known[i].key, &r->exe, sizeof(r->exe)))
			k = &ps->known[i];
	if (!k && proc_is_go(p) && p->program.exe) {
		k = table_add(ps->known, ps->n_known, ps->cap_known);
		k->key = r->exe;
		k->exe = p->program.exe;
	}
	if (!k || (p->space && p->state != PROC_TWIN))
		return;
	gone.exe = k->exe;
	if (space_open_gone(&space, ps->symbolizer, &gone))
		return;
	space_close(p->space);
	p->space = space;
	become(p, space_has_go(p) ? PROC_TWIN : PROC_MISSED);
}

const char *proc_comm(const struct proc *p)
{
	return p->state == PROC_MISSED ? "" : p->comm;
}

const char *proc_why(const struct proc *p)
{
	return proc_is_go(p) ? NULL : p->program.why;
}

void procs_miss(struct proc *p)
{
	become(p, PROC_MISSED);
	space_close(p->space);
	p->space = NULL;
	memset(&p->program, 0, sizeof(p->program));
}

void proc_record(struct proc *p, struct profile *profile)
{
	struct strtab *strings = profile->strings;
	const char *path = p->program.path ? p->program.path : "";
	const char *name = basename(path);
	struct process row = {
		.tgid = p->tgid,
		.name = strtab_add(strings, *name ? name : p->comm),
		.path = strtab_add(strings, path),
		.go_version = strtab_add(strings, proc_is_go(p) ? p->program.version : ""),
		.resource = strtab_add(strings, p->resource ? p->resource : ""),
	};

	p->process = profile_process(profile, &row);
	p->go_row = proc_is_go(p);
}

void procs_record(struct procs *ps, struct proc *p)
{
	proc_record(p, ps->profile);
}

void procs_begin_interval(struct procs *ps, struct profile *profile)
{
	ps->profile = profile;
	for (uint32_t i = 0; i < ps->n; i++)
		if (ps->rows[i]->process)
			procs_record(ps, ps->rows[i]);
}

void procs_refresh(struct proc *p)
{
	p->stale_ns = begin_reading(p);
	if (p->stale_ns)
		return;
	if (p->space && !space_refresh(p->space) && !proc_is_go(p) && space_has_go(p))
		become(p, PROC_GO);
	end_reading(p);
}

bool proc_may_refresh(const struct proc *p, uint64_t now_ns)
{
	return now_ns >= p->refreshed_ns + REFRESH_NS;
}

bool proc_code_changed(struct proc *p, uint64_t addr, enum space_code code, uint64_t now_ns)
{
	bool lists = now_ns >= p->code_due_ns, changed;
	uint64_t start, took;

	if (code == CODE_OF_FILE || (code == CODE_BARE && !lists))
		return false;
	start = clock_now_ns();
	changed = space_code_changed(p->space, addr, lists);
	took = (clock_now_ns() - start) * CODE_SHARE;
	if (lists)
		p->code_due_ns = now_ns + (took > REFRESH_NS ? took : REFRESH_NS);
	return changed;
}

/* What the file says; read once for all processes that run it. */
static const struct golayout *layout_of(struct procs *ps, const struct object *o,
					bool dwarf)
{
	struct program_layout *l;

	for (uint32_t i = 0; i < ps->n_layouts; i++)
		if (ps->layouts[i].object == o && ps->layouts[i].dwarf == dwarf)
			return &ps->layouts[i].layout;
	l = table_add(ps->layouts, ps->n_layouts, ps->cap_layouts);
	l->object = o;
	l->dwarf = dwarf;
	golayout_find(&l->layout, o, dwarf);
	return &l->layout;
}

int proc_layout(struct procs *ps, const struct proc *p, struct executable *ret,
		const char **why)
{
	struct thread_state *threads = NULL;
	const struct object *o;
	struct golayout l;
	uint64_t bias;
	uint32_t n = 0;
	int err = 0;

	*ret = (struct executable){ .state = proc_is_go(p) ? EXE_GO : EXE_NOT_GO };
	*why = p->program.why;
	if (!proc_is_go(p)) {
		/* each process is reported, with the reason */
		ret->one_image = *why != NULL;
		return -ENOENT;
	}
	o = p->space ? space_go(p->space, &bias) : NULL;
	if (*why)
		return -ENOTSUP;
	if (!o) {
		/* that this one was gone says nothing about others */
		ret->one_image = true;
		*why = "its memory could not be read";
		return p->space ? -ENOTSUP : -ESRCH;
	}
	if (ps->threads)
		threads_read(ps->threads, (pid_t)p->tgid, &threads, &n);
	/* DWARF takes longest, so it is tried last; the first layout that passes is
	 * taken */
	for (int dwarf = 0; dwarf < 2 && !ret->layout.ok; dwarf++) {
		l = *layout_of(ps, o, dwarf);
		if (!l.why)
			err = golayout_check(&l, p->space, (pid_t)p->tgid, threads, n);
		*why = *why ? *why : l.why;
		ret->layout = l.layout;
		ret->one_image = l.got || err == -EAGAIN || o != space_exe(p->space);
	}
	free(threads);
	if (ret->one_image)
		ret->layout.text = bias + o->go->text;
	if (!ret->layout.ok)
		return err == -EAGAIN ? err : -ENOTSUP;
	*why = NULL;
	return 0;
}
