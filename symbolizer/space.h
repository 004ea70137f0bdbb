/* SPDX-License-Identifier: BSD-2-Clause */
/* What a symbolizer and its spaces consist of; for the files that implement symbolizer.h. */
#ifndef SYMBOLIZER_SPACE_H
#define SYMBOLIZER_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/added.h"
#include "symbolizer/framecache.h"
#include "symbolizer/objects.h"
#include "symbolizer/symbolizer.h"

struct kallsyms;
struct strtab;

/* Of the text of /proc/PID/maps: 65,530 mappings, the kernel's limit, need 7 MB. */
#define MAX_MAPS ((size_t)64 << 20)

/* A row that frames name. */
struct module_row {
	const struct symbolizer *of;
	const char *path, *build_id; /* in strs */
	uint32_t go_minor;
};

struct symbolizer {
	struct strtab *strs;
	struct objects objects;
	struct object *vdso; /* of objects: our own, once it was asked for; or NULL */
	struct module_row *rows;
	uint32_t n_rows, cap_rows;
	struct index row_index;
	uint32_t changes;    /* files that have changed, as far as was noticed */
	uint32_t check_next; /* row of objects */
	const char *changed; /* one of the files that objects.n_changed counts; or NULL */
	struct kallsyms *kernel; /* NULL: not asked for yet, or not to be had */
	bool kernel_tried;
	const char *kernel_why;
	struct framecache kernel_cache;
};

/* An executable mapping. */
struct area {
	uint64_t start, end;
	uint64_t delta;        /* what makes an address one of the object */
	struct object *object; /* of the symbolizer */
	bool moved; /* what is there is in no file, but is the text of the object's (moved.h) */
	struct added_module *added; /* what names it instead of the object; or NULL */
};

struct space {
	struct symbolizer *s;
	struct go_runtime runtimes[RUNTIMES_MAX];
	uint32_t n_runtimes;
	pid_t pid;
	pid_t thread;       /* living_thread() of it, when its maps were read last */
	char root[32];      /* /proc/THREAD/root */
	struct object *exe; /* NULL: cannot be read */
	struct object
		*image; /* the Go program that it unpacked, of the symbolizer; or NULL */
	struct area *areas; /* by address */
	uint32_t n_areas, cap_areas;
	struct added added;
	uint32_t generation; /* goes up whenever areas may have changed */
};

/* The text in strs, where it stays. */
const char *symbolizer_string(struct symbolizer *s, const char *text);
/* Adds what the areas have of Go runtimes that was not there before. */
void space_find_runtimes(struct space *sp);
/* What a mapping is of; exe: the path of what the process was started from. NULL: a file that cannot be read. */
struct mapping;
struct object *space_mapped(struct space *sp, const struct mapping *m, const char *exe);

/* Is anything of [start, end) in an area? */
bool space_meets(const struct space *sp, uint64_t start, uint64_t end);
/* The area that addr is in; NULL: none. Takes NULL for a space of which nothing is known. */
struct area *space_area(const struct space *sp, uint64_t addr);

#endif
