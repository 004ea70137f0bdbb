/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recording lacks, by cause. */
#pragma once

struct buf;
struct profile;

/* Adds a line for each cause of loss or damage. */
void losses_add(const struct profile *p, struct buf *to);
