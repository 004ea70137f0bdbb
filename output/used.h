/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rows of a table are written, in the order of their first use, so that an output has
 * no others. */
#pragma once

#include <stdint.h>

struct used {
	uint32_t *place; /* owned, per row: where it is written, + 1; 0: it is not */
	uint32_t *rows;  /* owned, by place */
	uint32_t n, cap;
};

/* Of a table with n_rows. */
struct used used_new(uint32_t n_rows);
/* Returns where the row is written: for a new one this is u->n before the call. */
uint32_t used_place(struct used *u, uint32_t row);
void used_release(struct used *u);
