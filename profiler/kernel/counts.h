/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that the kernel side adds up instead of sending them. */
#pragma once

struct counts;
struct record_handler;

/* Of these maps, which must outlive it. */
struct counts *counts_new(int call_sums, int label_sets);
void counts_free(struct counts *c); /* takes NULL */

/* Hands over the calls since the last time, as samples: one for each goroutine and
 * function, with its calls as the weight. What is counted meanwhile comes now or the next
 * time. */
void counts_take(struct counts *c, const struct record_handler *h);
