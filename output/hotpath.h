/* SPDX-License-Identifier: BSD-2-Clause */
/* The hottest path of a group (summary.h), as a text. */
#pragma once

#include <stdint.h>

struct buf;
struct group_row;

/* Adds the path in at most max columns, as much of its end as fits:
 * "main.(*Server).search › (*Cache).Get › regexp.(*Regexp).tryBacktrack". */
void hotpath_fit(struct buf *to, const struct group_row *g, uint32_t max);
