/* SPDX-License-Identifier: BSD-2-Clause */
/* Spark lines: a block of eight heights per cell. */
#pragma once

#include <stdint.h>

struct buf;

/* Adds a character for each of n cells; most: what a full block stands for. Cells with
 * anything in them show it, and those with nothing are spaces. */
void spark_add(struct buf *to, const uint64_t *cells, uint32_t n, uint64_t most);
uint64_t spark_most(const uint64_t *cells, uint32_t n);
/* The cell that is not over yet gets what it would have at the end. They begin at from_ns,
 * each is cell_ns long, and now is to_ns. */
void spark_complete(uint64_t *cells, uint32_t n, uint64_t from_ns, uint64_t cell_ns,
		    uint64_t to_ns);
