/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of source that samples were taken in. A sample counts for the innermost frame
 * whose line is known, as in `go tool pprof -list`: time in the kernel, or in C without
 * lines, counts for the line that called it.
 */
#pragma once

#include <stdint.h>

struct view;

enum line_figure {
	LINE_FLAT,
	LINE_CUM, /* with what it called, once per sample */
	LINE_OWN, /* of samples whose innermost frame of own code is in this line */
	LINE_FIGURES
};

struct line_row {
	const char *func; /* as shown */
	const char *file;
	uint32_t line;
	uint8_t origin; /* enum origin */
	uint64_t weights[LINE_FIGURES];
};

struct hotlines {
	struct line_row *rows; /* owned; in no order */
	uint32_t n, cap;
	struct strtab *names; /* owned */
};

void hotlines_init(struct hotlines *h, const struct view *v);
void hotlines_sort(struct hotlines *h, enum line_figure by);
void hotlines_release(struct hotlines *h);
