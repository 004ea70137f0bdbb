/* SPDX-License-Identifier: BSD-2-Clause */
/* The flame graph page of two recordings; that of one is html_writer. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct view;

/* The views were matched. shares: compares shares of all weight instead of weight per
 * second. 0 or -errno; the caller checks ferror(out). */
int html_write_diff(const struct view *old, const struct view *new, bool shares, FILE *out);
