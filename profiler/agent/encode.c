/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/encode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "output/pprof_labels.h"
#include "output/writer.h"
#include "profiler/agent/bound.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/plain.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"
#include "profiler/profile/view.h"

/* The profile of one process, at work. */
struct encode {
	const struct encode_options *o;
	const struct profile *profile;
	uint32_t process; /* row */
	enum encoding encoding;
	struct origin origin;
	struct arena arena; /* its strings */
};

/* Labels. */

/* How many hexadecimal digits the label has that says which span of which trace a sample is
 * of; 0: it is not one that this encoding has. */
static size_t link_digits(const struct encode *e, const char *key)
{
	if (e->encoding >= ENCODED_SPANS && !strcmp(key, "span_id"))
		return 16;
	return e->encoding == ENCODED_TRACES && !strcmp(key, "trace_id") ? 32 : 0;
}

static bool choice_has(void *arg, const char *key)
{
	const struct encode *e = arg;

	if (link_digits(e, key))
		return true;
	for (uint32_t i = 0; i < e->o->n_labels; i++)
		if (!strcmp(e->o->labels[i], key))
			return true;
	return false;
}

static const char *choice_value(void *arg, const char *key, const char *value)
{
	struct encode *e = arg;
	size_t digits = link_digits(e, key);

	if (digits)
		return strlen(value) == digits &&
				       strspn(value, "0123456789abcdefABCDEF") == digits
			       ? value
			       : "";
	return *value ? bound_value(e->o->bound, e->origin.service, key, value,
				    e->profile->start_ns)
		      : value;
}

static const char *plain(struct encode *e, const char *s)
{
	struct buf b = { 0 };
	char *ret;

	plain_add(&b, s);
	ret = arena_strndup(&e->arena, buf_text(&b), b.len);
	buf_release(&b);
	return ret;
}

/* An attribute of the process; "": it has none. */
static const char *attribute(struct encode *e, const char *key)
{
	const struct process *pr = &e->profile->processes[e->process];
	struct buf value = { 0 };
	const char *ret;

	labels_find(profile_string(e->profile, pr->resource), key, strlen(key), &value);
	ret = plain(e, buf_text(&value));
	buf_release(&value);
	return ret;
}

static void find_origin(struct encode *e)
{
	const struct profile *p = e->profile;
	const struct process *pr = &p->processes[e->process];

	e->origin = (struct origin){
		.service = attribute(e, "service.name"),
		.host = e->o->host,
		.program = plain(e, profile_string(p, pr->name)),
		.container_id = attribute(e, "container.id"),
		.go_version = plain(e, profile_string(p, pr->go_version)),
		.attributes = profile_string(p, pr->resource),
		.pid = pr->tgid,
	};
	if (!*e->origin.service)
		e->origin.service = e->origin.program;
}

/* Profiles. */

static void put(const struct encode_options *o, enum encoding encoding,
		const struct origin *origin, const void *bytes, size_t len,
		uint64_t start_ns, uint32_t samples)
{
	struct item *it = item_new(encoding, origin, bytes, len);

	it->start_ns = start_ns;
	it->samples = samples;
	o->put(o->arg, it);
	item_drop(it);
}

/* Where to cut the events of a view in two, by their times; 0: nowhere. */
static uint64_t middle(const struct view *v)
{
	const struct event *all = v->profile->events;
	uint32_t *rows = view_by_time(v), n = v->n_events;
	uint64_t ret = 0;

	if (n > 1 && all[rows[n - 1]].time_ns > all[rows[0]].time_ns) {
		ret = all[rows[n / 2]].time_ns;
		/* of equal times around the middle all go to one side, if the other keeps
		 * some */
		if (ret == all[rows[0]].time_ns)
			ret++;
	}
	free(rows);
	return ret;
}

static int encode_part(struct encode *e, uint64_t from_ns, uint64_t to_ns);

/* Encodes the two halves of what is too large. */
static int split(struct encode *e, const struct view *v)
{
	uint64_t at = middle(v), from = v->filter.from_ns, to = v->filter.to_ns;
	int err;

	if (!at) {
		e->o->too_large(e->o->arg, &e->origin, v->n_events);
		return 0;
	}
	err = encode_part(e, from, at);
	return encode_part(e, at, to) ?: err;
}

/* The events of a part of the time, to_ns 0: to the end. */
static int encode_part(struct encode *e, uint64_t from_ns, uint64_t to_ns)
{
	const struct label_choice choice = { choice_has, choice_value, e };
	struct pprof_size size = { 0 };
	const struct writer_options wo = { .labels = LABELS_CHOSEN,
					   .choice = &choice,
					   .kinds = e->encoding == ENCODED_TRACES,
					   .size = &size };
	struct view v = { .filter.process = e->process,
			  .filter.from_ns = from_ns,
			  .filter.to_ns = to_ns };
	char *bytes = NULL;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);
	int err;

	if (!out)
		return -errno;
	view_select(&v, e->profile);
	err = pprof_writer.write(&v, &wo, out);
	if (fclose(out) && !err)
		err = -errno;
	if (!err && (size.bytes > e->o->max_bytes || size.samples > e->o->max_samples))
		err = split(e, &v);
	else if (!err)
		put(e->o, e->encoding, &e->origin, bytes, len,
		    e->profile->start_ns + from_ns, v.n_events);
	free(bytes);
	view_release(&v);
	return err;
}

static int encode_processes(const struct encode_options *o, struct profile *p,
			    uint32_t *processes)
{
	bool *have = mem_zalloc(p->n_processes * sizeof(*have));
	uint64_t not_go = p->stats.not_go_samples;
	int err = 0;

	p->stats.not_go_samples = 0; /* of other processes: no business of this one's */
	for (uint32_t i = 0; i < p->n_events; i++)
		have[p->threads[p->events[i].thread].process] = true;
	for (uint32_t i = 1; i < p->n_processes; i++) {
		struct encode e = { .o = o, .profile = p, .process = i };

		if (!have[i])
			continue;
		++*processes;
		find_origin(&e);
		for (e.encoding = ENCODED_PPROF; e.encoding <= ENCODED_TRACES; e.encoding++)
			if (o->wanted[e.encoding])
				err = encode_part(&e, 0, 0) ?: err;
		arena_release(&e.arena);
	}
	p->stats.not_go_samples = not_go;
	free(have);
	return err;
}

/* Recordings. */

static int encode_recording(const struct encode_options *o, struct profile *p)
{
	const struct origin all = { "all", o->host, "", "", "", "", 0 };
	int fd = memfd_create("recording", MFD_CLOEXEC), kept = dup(fd), err;
	uint32_t samples = p->n_events;
	struct recording *r;
	void *bytes;
	off_t len;

	if (fd < 0 || kept < 0)
		return -errno;
	err = recording_create(&r, fd, p);
	if (!err)
		err = recording_finish(r, p);
	len = lseek(kept, 0, SEEK_END);
	bytes = err ? MAP_FAILED : mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, kept, 0);
	if (bytes != MAP_FAILED) {
		put(o, ENCODED_RECORDING, &all, bytes, (size_t)len, p->start_ns, samples);
		munmap(bytes, (size_t)len);
	} else if (!err) {
		err = -errno;
	}
	close(kept);
	return err;
}

int encode_profile(const struct encode_options *o, struct profile *p, uint32_t *processes)
{
	int err;

	*processes = 0;
	err = encode_processes(o, p, processes);

	if (o->wanted[ENCODED_RECORDING] && p->n_events)
		err = encode_recording(o, p) ?: err;
	return err;
}
