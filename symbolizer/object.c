/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/object.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "profiler/base/log.h"
#include "symbolizer/elf.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

/* Best source first. */
static const struct resolver *const resolvers[] = { &gopclntab_resolver };

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

static void find_names(struct object *o)
{
	struct binary b = { o->elf, -1, o->path, "" };
	bool go = gobuildinfo_version(o->elf, o->version);

	for (size_t i = 0; i < sizeof(resolvers) / sizeof(*resolvers); i++) {
		const char *why = NULL;
		int err = resolvers[i]->open(&o->names, &b, &why);

		if (!err) {
			o->resolver = resolvers[i];
			if (o->resolver == &gopclntab_resolver)
				o->go = o->names;
			break;
		}
		if (go && resolvers[i] == &gopclntab_resolver)
			o->why = why;
		if (err != -ENOENT)
			debug("%s: %s: %s", o->path, resolvers[i]->name,
			      why ? why : strerror(-err));
	}
}

struct object *object_new(int fd, const struct object_key *key, const char *path,
			  size_t path_len)
{
	struct object *o = mem_zalloc(sizeof(*o));

	o->key = *key;
	o->path = mem_zalloc(path_len + 1);
	memcpy(o->path, path, path_len);
	if (fd >= 0 && !elf_open(&o->elf, fd))
		find_names(o);
	return o;
}

void object_free(struct object *o)
{
	if (!o)
		return;
	if (o->resolver)
		o->resolver->close(o->names);
	framecache_release(&o->cache);
	elf_close(o->elf);
	free(o->path);
	free(o);
}

int object_resolve(struct object *o, uint64_t addr, struct strtab *strs, struct frame *out)
{
	int n = o->resolver ? o->resolver->find(o->names, addr, strs, out, FRAMES_AT_PC)
			    : 0;

	if (n < 0)
		debug("%s: the table lies at %#llx", o->path, (unsigned long long)addr);
	if (n <= 0) {
		*out = (struct frame){ .addr = addr };
		n = 1;
	}
	for (int i = 0; i < n; i++)
		out[i].module = o->row;
	return n;
}
