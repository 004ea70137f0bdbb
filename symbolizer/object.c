/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/log.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

/* best source first */
static const struct resolver *const resolvers[] = { &gopclntab_resolver, &symtab_resolver };

struct object_key object_key(const struct stat *st)
{
	return (struct object_key){
		.dev = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000 +
			    (uint64_t)st->st_mtim.tv_nsec,
	};
}

/* Plugins and programs linked with -linkshared have no code that starts a runtime. */
static bool has_runtime(const struct gopclntab *go)
{
	uint64_t entry;
	uint32_t len;

	return gopclntab_function(go, "runtime.rt0_go", &entry, &len);
}

static void find_names(struct object *o)
{
	bool go = gobuildinfo_version(o->elf, o->version);
	struct binary b = { .elf = o->elf, .path = o->path, .root = o->root };

	for (size_t i = 0; i < sizeof(resolvers) / sizeof(*resolvers); i++) {
		struct source s = { .resolver = resolvers[i] };
		const char *why = NULL;
		int err = s.resolver->open(&s.self, &b, &why);

		if (!err) {
			o->sources[o->n_sources++] = s;
			if (s.resolver == &gopclntab_resolver) {
				o->go = s.self;
				o->runtime = has_runtime(o->go);
			}
			continue;
		}
		if (err != -ENOENT)
			log_debug("%s: %s: %s", o->path, s.resolver->name,
				  why ? why : strerror(-err));
		if (go && s.resolver == &gopclntab_resolver) {
			o->why = why;
			break; /* other tables would give its functions different names */
		}
	}
}

/* What a file is that elf_open() rejects; NULL: nothing that we know. */
static const char *why_not(int fd)
{
	char version[GO_VERSION_MAX];
	struct elf *e;
	bool go;

	if (elf_open_32(&e, fd))
		return NULL;
	go = e->go || gobuildinfo_version(e, version);
	elf_close(e);
	return go ? "32-bit Go is not supported" : NULL;
}

/* A copy of fd, or -1 if there would be too few left for other uses. */
static int fd_keep(int fd)
{
	struct rlimit limit;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy >= 0 &&
	    (getrlimit(RLIMIT_NOFILE, &limit) || (rlim_t)copy >= limit.rlim_cur / 2)) {
		close(copy);
		copy = -1;
	}
	return copy;
}

static struct object *object_alloc(const struct object_key *key, const char *path,
				   size_t path_len)
{
	struct object *o = mem_zalloc(sizeof(*o));

	o->key = *key;
	o->fd = -1;
	o->path = mem_zalloc(path_len + 1);
	memcpy(o->path, path, path_len);
	return o;
}

struct object *object_new(int fd, const struct object_key *key, const char *path,
			  size_t path_len, const char *root)
{
	struct object *o = object_alloc(key, path, path_len);

	snprintf(o->root, sizeof(o->root), "%s", root);
	if (fd >= 0 && !elf_open(&o->elf, fd))
		find_names(o);
	else if (fd >= 0)
		o->why = why_not(fd);
	if (o->elf)
		o->fd = fd_keep(fd);
	return o;
}

struct object *object_of_bytes(void *bytes, size_t size, const struct object_key *key,
			       const char *path, size_t path_len)
{
	struct object *o = object_alloc(key, path, path_len);

	o->bytes = bytes;
	if (!elf_parse(&o->elf, bytes, size))
		find_names(o);
	return o;
}

void object_free(struct object *o)
{
	if (!o)
		return;
	for (uint32_t i = 0; i < o->n_sources; i++)
		o->sources[i].resolver->close(o->sources[i].self);
	framecache_release(&o->cache);
	elf_close(o->elf);
	if (o->fd >= 0)
		close(o->fd);
	free(o->go_pcs);
	free(o->bytes);
	free(o->path);
	free(o);
}

bool object_changed(const struct object *o)
{
	return o->changed || (o->elf && guard_changed(&o->elf->guard));
}

bool object_check(struct object *o)
{
	struct object_key now;
	struct stat st;

	if (o->fd < 0 || o->changed || fstat(o->fd, &st))
		return !object_changed(o);
	now = object_key(&st);
	o->changed = memcmp(&now, &o->key, sizeof(now)) != 0;
	return !object_changed(o);
}

int object_resolve(struct object *o, uint64_t addr, struct strtab *strs, struct frame *out)
{
	unsigned faults = guard_faults();
	int n = 0;

	for (uint32_t i = 0; !n && i < o->n_sources && !object_changed(o); i++)
		n = o->sources[i].resolver->find(o->sources[i].self, addr, strs, out,
						 FRAMES_AT_PC);
	/* perhaps in its debug file, which libdw has mapped */
	if (guard_faults() != faults)
		o->changed = true;
	if (!object_check(o))
		n = 0;
	if (n < 0)
		log_debug("%s: its table is wrong at %#llx", o->path,
			  (unsigned long long)addr);
	if (n <= 0) {
		*out = (struct frame){ .addr = addr };
		n = 1;
	}
	for (int i = 0; i < n; i++) {
		out[i].module = o->row;
		if (o->vdso)
			out[i].kind = FRAME_VDSO;
	}
	return n;
}

enum { GO_PC_MEMOS = 4096 };

struct go_pc_memo {
	uint64_t addr; /* 0: unused */
	struct go_pc pc;
};

bool object_go_pc(struct object *o, uint64_t addr, struct go_pc *ret)
{
	struct go_pc_memo *m;

	if (!o->go_pcs)
		o->go_pcs = mem_zalloc(GO_PC_MEMOS * sizeof(*o->go_pcs));
	m = &o->go_pcs[(addr ^ addr >> 12) % GO_PC_MEMOS];
	if (m->addr != addr) {
		m->addr = addr;
		gopclntab_pc(o->go, addr, &m->pc);
		object_check(o);
	}
	*ret = object_changed(o) ? (struct go_pc){ 0 } : m->pc;
	return ret->go;
}
