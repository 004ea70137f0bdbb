/* SPDX-License-Identifier: BSD-2-Clause */
/* A dump as text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct dump_groups;
struct view;
struct dump;

struct dump_text {
	bool each;    /* also each goroutine of a group */
	bool runtime; /* also functions that the runtime's tracebacks leave out */
	bool color;
	uint32_t rows;   /* of groups; 0: all */
	uint64_t hidden; /* system goroutines that are not in the view */
};

/* The groups. */
void dump_write(const struct dump_groups *gs, const struct dump_text *o, FILE *out);
/* Each goroutine, in the form of the runtime's own traceback of all, GODEBUG's
 * /debug/pprof/goroutine?debug=2, for what reads that. */
void dump_trace(const struct dump *d, const struct view *v, const struct dump_text *o,
		FILE *out);
/* One JSON object (docs/json.md). */
void dump_write_json(const struct dump_groups *gs, const struct dump_text *o, FILE *out);
