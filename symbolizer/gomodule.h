/* SPDX-License-Identifier: BSD-2-Clause */
/* What a moduledata says, from its bytes: the runtime has one for each table of functions. */
#ifndef SYMBOLIZER_GOMODULE_H
#define SYMBOLIZER_GOMODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct gopclntab;

enum { GO_MODULE_BYTES = 592 }; /* of a moduledata, as far as we look */

struct go_region {
	uint64_t addr, len; /* bytes, in the process */
};

/* The regions of a table, in the order in which gomodule_table() wants them. */
enum go_table_region {
	MODULE_NAMES,
	MODULE_CUTAB,
	MODULE_FILES,
	MODULE_PCTAB,
	MODULE_FUNCS,
	MODULE_FUNCTAB,
	MODULE_REGIONS
};

/* Of Go 1.18 and later. */
struct go_module {
	struct go_region regions[MODULE_REGIONS];
	uint64_t start, end; /* its code */
	uint64_t text;       /* what entries count from */
	uint64_t funcdata;   /* what funcdata offsets count from */
	uint64_t header;     /* of the table */
	uint64_t next;       /* moduledata; 0: it is the last */
};

/* like: a table of the same program. false: bytes are not that of a module, or too old. Only lengths are
 * checked: each is below 2^32, and that of functab fits into it. */
bool gomodule_parse(struct go_module *ret, const struct gopclntab *like,
		    struct cursor bytes);
/*
 * The table of m from bytes, which hold its regions, one behind the other, and outlive it; without funcdata. header:
 * the first 16 bytes of its own. -EBADMSG: they are not the table of m.
 */
int gomodule_table(struct gopclntab *ret, const struct gopclntab *like,
		   const struct go_module *m, const uint8_t *bytes,
		   const uint8_t header[16]);

#endif
