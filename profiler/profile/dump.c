/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/dump.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/profile/profile.h"

_Static_assert(offsetof(struct wait_object, waiters) == WAIT_OBJECT_KEY, "its key");

void dump_init(struct dump *d)
{
	*d = (struct dump){ .profile = profile_new() };
	(void)table_add(d->objects, d->n_objects, d->cap_objects);
}

void dump_release(struct dump *d)
{
	if (d->profile)
		profile_free(d->profile);
	free(d->states);
	free(d->objects);
	index_release(&d->object_index);
	free(d->waits);
	*d = (struct dump){ 0 };
}

uint32_t dump_object(struct dump *d, const struct wait_object *o)
{
	uint32_t row = index_put(&d->object_index, d->objects, d->n_objects, d->cap_objects,
				 o, WAIT_OBJECT_KEY);
	uint32_t waiters = d->objects[row].waiters + 1;

	d->objects[row] = *o;
	d->objects[row].waiters = waiters;
	return row;
}

const struct wait_object *dump_wait(const struct dump *d, const struct goroutine_state *s,
				    uint32_t i)
{
	return &d->objects[d->waits[s->objects + i]];
}

/* "runtime.Gosched", "runtime.(*Func).Entry": exported, and so is its type. */
static bool is_exported(const char *name)
{
	const char *dot = strrchr(name, '.'), *type = name;

	if (!strncmp(type, "(*", 2))
		type += 2;
	if (dot && !(*type >= 'A' && *type <= 'Z'))
		return false;
	name = dot ? dot + 1 : name;
	return *name >= 'A' && *name <= 'Z';
}

bool dump_shows(const char *func, bool first)
{
	static const char package[] = "runtime.";

	if (!strcmp(func, "runtime.gopanic"))
		return !first;
	if (!strcmp(func, "runtime.runFinalizers") || !strcmp(func, "runtime.runCleanups"))
		return true;
	if (strncmp(func, package, sizeof(package) - 1))
		return strchr(func, '.');
	return is_exported(func + sizeof(package) - 1);
}

bool start_is_system(const char *start)
{
	return !strncmp(start, "runtime.", 8) && strcmp(start, "runtime.main") &&
	       strcmp(start, "runtime.corostart") &&
	       strcmp(start, "runtime.handleAsyncEvent");
}
