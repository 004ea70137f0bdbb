/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a symbolizer and its spaces, for the files that implement symbolizer.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/added.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

struct kallsyms;

struct symbolizer {
	struct strtab *strs;
	struct objects objects;
	struct object *vdso; /* one of objects: ours, once it was needed; or NULL */
	struct module_row *rows;
	uint32_t n_rows, cap_rows;
	struct index row_index;
	uint32_t changes;        /* number of files found to have changed */
	char *changed;           /* owned: the path of the last of them */
	uint32_t check_next;     /* index in objects */
	struct kallsyms *kernel; /* NULL: not requested yet, or not available */
	bool kernel_tried;
	const char *kernel_why;
};

/* An executable mapping. */
struct area {
	uint64_t start, end;
	uint64_t delta;        /* added to an address gives the object's */
	struct object *object; /* owned by the symbolizer */
	bool moved;            /* memory that is the moved text of the object (moved.h) */
	struct added_module *added; /* names this area instead of the object; or NULL */
};

struct space {
	struct symbolizer *s;
	struct go_runtime runtimes[RUNTIMES_MAX];
	uint32_t n_runtimes;
	pid_t pid;
	pid_t thread;       /* living_thread(pid) at the last reading of the maps */
	char root[32];      /* /proc/THREAD/root */
	struct object *exe; /* NULL: unreadable */
	/* the Go program that it unpacked, owned by the symbolizer; or NULL */
	struct object *image;
	struct area *areas; /* sorted by address */
	uint32_t n_areas, cap_areas;
	struct added added;
	uint32_t generation; /* goes up when areas may have changed */
};

/* The object that a mapping is of; exe: the path of the program that was started. NULL: a
 * file that cannot be read. */
struct object *space_mapped(struct space *sp, const struct mapping *m, const char *exe);

/* As space_code(); takes NULL. */
enum space_code area_code(const struct area *a);
/* Does an area overlap [start, end)? */
bool space_meets(const struct space *sp, uint64_t start, uint64_t end);
/* The area that addr is in; NULL: none. sp NULL: an unknown space. */
struct area *space_area(const struct space *sp, uint64_t addr);
