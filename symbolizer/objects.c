/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/objects.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "symbolizer/image.h"
#include "symbolizer/maps.h"
#include "symbolizer/object.h"

enum {
	MAX_VDSO = 1 << 20,
	UNUSED_MAX = 64, /* kept although no process has them */
	SWEEP_EVERY = 32 /* opened objects between sweeps: a sweep visits all mappings */
};

static const char vdso[] = "[vdso]";

struct object_name {
	struct objects *os;
	const struct object_key *key;
	const char *path;
	size_t path_len;
};

/* Files are identified by their key, everything else by name. */
static bool same_object(const void *arg, uint32_t id)
{
	const struct object_name *n = arg;
	const struct object *o = n->os->rows[id];

	return !memcmp(n->key, &o->key, sizeof(o->key)) &&
	       (n->key->inode ||
		(strlen(o->path) == n->path_len && !memcmp(o->path, n->path, n->path_len)));
}

static uint64_t name_hash(const struct object_name *n)
{
	return n->key->inode ? hash_bytes(n->key, sizeof(*n->key))
			     : hash_bytes(n->path, n->path_len);
}

static struct object *find(const struct object_name *n)
{
	uint32_t id = index_find(&n->os->index, name_hash(n), same_object, n);

	if (id == INDEX_NONE)
		return NULL;
	n->os->rows[id]->used = ++n->os->clock;
	return n->os->rows[id];
}

static void add_to_index(struct objects *os, uint32_t id)
{
	const struct object *o = os->rows[id];
	struct object_name n = { os, &o->key, o->path, strlen(o->path) };

	index_add(&os->index, name_hash(&n), id);
}

void objects_keep(struct objects *os, struct object *o)
{
	o->used = ++os->clock;
	*table_add(os->rows, os->n, os->cap) = o;
	add_to_index(os, os->n - 1);
}

struct object *objects_of_file(struct objects *os, const char *file, uint64_t inode,
			       const char *path, size_t path_len, const char *root)
{
	struct object_name name = { os, NULL, path, path_len };
	struct object_key key;
	struct object *o;
	struct stat st;
	int fd;

	/* check that it is a file before open(), which has effects on a device */
	if (stat(file, &st) || !S_ISREG(st.st_mode) || (inode && st.st_ino != inode))
		return NULL;
	key = object_key(&st);
	name.key = &key;
	o = find(&name);
	if (o) {
		snprintf(o->root, sizeof(o->root), "%s", root); /* of a living process */
		return o;
	}
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st)) {
		struct object_key opened = object_key(&st);

		if (!memcmp(&key, &opened, sizeof(key))) {
			o = object_new(fd, &key, path, path_len, root);
			objects_keep(os, o);
		}
	}
	close(fd);
	return o;
}

struct object *objects_of_name(struct objects *os, const char *path, size_t path_len)
{
	struct object_key key = { 0 };
	struct object_name name = { os, &key, path, path_len };
	struct object *o = find(&name);

	if (!o) {
		o = object_new(-1, &key, path, path_len, "");
		objects_keep(os, o);
	}
	return o;
}

struct object *objects_of_vdso(struct objects *os, pid_t pid, const struct mapping *m)
{
	struct object_key key = { .size = m->end - m->start };
	struct object_name name = { os, &key, vdso, sizeof(vdso) - 1 };
	struct object *o;
	void *bytes;

	bytes = key.size <= MAX_VDSO ? memory_read(pid, m->start, key.size) : NULL;
	if (bytes)
		key.mtime_ns = hash_bytes(bytes, key.size);
	o = find(&name);
	if (!o) {
		o = bytes ? object_of_bytes(bytes, key.size, &key, name.path, name.path_len)
			  : object_new(-1, &key, name.path, name.path_len, "");
		o->vdso = true;
		objects_keep(os, o);
		bytes = NULL;
	}
	free(bytes);
	return o;
}

struct object *objects_find(struct objects *os, const struct object_key *key,
			    const char *path, size_t path_len)
{
	return find(&(struct object_name){ os, key, path, path_len });
}

bool objects_crowded(const struct objects *os)
{
	uint32_t left = os->swept > UNUSED_MAX ? os->swept : UNUSED_MAX;

	return os->n >= left + SWEEP_EVERY;
}

static int newest_first(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

/* Unused objects last used before this time are closed. */
static uint64_t time_to_go(const struct objects *os)
{
	uint64_t *times = NULL, time = 0;
	uint32_t n = 0, cap = 0;

	for (uint32_t i = 0; i < os->n; i++)
		if (!os->rows[i]->in_use)
			*table_add(times, n, cap) = os->rows[i]->used;
	if (n > UNUSED_MAX) {
		qsort(times, n, sizeof(*times), newest_first);
		time = times[UNUSED_MAX - 1];
	}
	free(times);
	return time;
}

void objects_sweep(struct objects *os, void (*fn)(void *arg, const struct object *o),
		   void *arg)
{
	uint64_t time = time_to_go(os);
	uint32_t n = os->n;

	os->n = 0;
	index_release(&os->index);
	for (uint32_t i = 0; i < n; i++) {
		struct object *o = os->rows[i];

		if (o->in_use || o->used >= time) {
			o->in_use = false;
			os->rows[os->n++] = o;
			add_to_index(os, os->n - 1);
			continue;
		}
		fn(arg, o);
		if (object_changed(o)) {
			os->n_changed++;
			free(os->changed);
			os->changed = mem_strdup(o->path);
		}
		object_free(o);
	}
	os->swept = os->n;
}

void objects_release(struct objects *os)
{
	for (uint32_t i = 0; i < os->n; i++)
		object_free(os->rows[i]);
	free(os->rows);
	free(os->changed);
	index_release(&os->index);
}
