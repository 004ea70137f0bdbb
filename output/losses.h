/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recording lacks, by cause. */
#ifndef OUTPUT_LOSSES_H
#define OUTPUT_LOSSES_H

struct buf;
struct profile;

/* Adds a line for each cause of loss or damage. */
void losses_add(const struct profile *p, struct buf *to);

#endif
