/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes a moduledata; the runtime has one for each table of functions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profiler/base/cursor.h"

struct gopclntab;

enum { GO_MODULE_BYTES = 592 }; /* the part of a moduledata that we read */

struct go_region {
	uint64_t addr, len; /* in bytes, in the process */
};

/* The regions of a table, in the order that gomodule_table() expects. */
enum go_table_region {
	MODULE_NAMES,
	MODULE_CUTAB,
	MODULE_FILES,
	MODULE_PCTAB,
	MODULE_FUNCS,
	MODULE_FUNCTAB,
	MODULE_REGIONS
};

/* For Go 1.18 and later. */
struct go_module {
	struct go_region regions[MODULE_REGIONS];
	uint64_t start, end; /* its code */
	uint64_t text;       /* base of entries */
	uint64_t funcdata;   /* base of funcdata offsets */
	uint64_t header;     /* address of the table's header */
	uint64_t next;       /* address of the next moduledata; 0: it is the last */
};

/* like: a table of the same program. False: the bytes are not a moduledata, or of an older
 * Go. Only lengths are checked: each is below 2^32, and there is at least one function. */
bool gomodule_parse(struct go_module *ret, const struct gopclntab *like,
		    struct cursor bytes);
/*
 * Makes the table of m, without funcdata, from bytes, which hold its regions one after the
 * other and must outlive it. header: the first 16 bytes of the table's own. -EBADMSG: this
 * is not the table of m.
 */
int gomodule_table(struct gopclntab *ret, const struct gopclntab *like,
		   const struct go_module *m, const uint8_t *bytes,
		   const uint8_t header[16]);
