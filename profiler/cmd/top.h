/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of top. A moment (top_moment.c) is what there is to see: the window of a live
 * session, a frozen copy of one, or a place in a recording. The browser (top_browser.c) is
 * where the user is: what is opened, sorted, selected. Its board is made anew for each
 * moment and after each key, and top_lines.c makes the lines of a screen of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "output/board.h"
#include "output/flame_lines.h"
#include "output/spans.h"
#include "profiler/base/buf.h"
#include "profiler/cmd/run.h"
#include "profiler/profile/window.h"

enum {
	TOP_BAR_CELLS = 512, /* of the time bar of a recording */
	TOP_LEVELS = BOARD_LINES + 1,
};

/* What there is to see. */
struct moment {
	uint64_t window_ns; /* the length of the window */

	/* one of these two; owned */
	struct window *live;
	struct profile *file;

	struct window *frozen; /* owned; of live: what it was */
	bool still;            /* time does not go on */
	bool ended;            /* live: the target has */
	uint64_t to_ns;        /* file, or frozen: where the window ends */

	/* of a recording: its part that is played, and its activity */
	uint64_t start_ns, end_ns;
	uint64_t bar[TOP_BAR_CELLS];
	struct profile part; /* of the file; owns nothing */
};

/* Takes the recording over. filter: says which part is played. */
void moment_of_file(struct moment *m, struct profile *file, const struct filter *filter);
void moment_release(struct moment *m);
/* The profile that has the window's events and those of the minute before its end. */
const struct profile *moment_profile(struct moment *m);
/* The window. Both are 0 before there is anything. */
uint64_t moment_from(const struct moment *m);
uint64_t moment_to(const struct moment *m);
uint64_t moment_last(const struct moment *m); /* how far it can be moved */
void moment_freeze(struct moment *m, bool still);
/* Moves the window. Freezes what is live. */
void moment_move(struct moment *m, int64_t ns);
/* A recording plays on. */
void moment_play(struct moment *m, uint64_t ns);
/* A profile of the window alone, to be written; the caller frees it. */
struct profile *moment_cut(struct moment *m);
/* The time that a bar of n cells stands for: a recording, or the minute that is kept. */
struct axis {
	uint64_t from_ns, ns;
};
struct axis moment_axis(const struct moment *m, uint32_t n);
/* The activity in its cells, at most TOP_BAR_CELLS; the caller frees it. */
uint64_t *moment_bar(struct moment *m, uint32_t n);

/* Where the user is. */
struct browser {
	const char *title;        /* what is shown: the targets, or a file */
	const struct view *asked; /* what the options say; by is what was asked for first */
	struct view view;         /* the same with the grouping of now; not selected */
	char *label;              /* owned: the label that view.by has */
	struct starts *starts;    /* owned: those of the view; NULL: not asked yet */
	uint64_t starts_ns;       /* the moment that they are of */

	enum board_level level;
	char *opened[TOP_LEVELS]; /* owned: keys of the rows above, */
	char *names[TOP_LEVELS];  /* and their names */
	enum board_sort sort[TOP_LEVELS];
	char *chosen;       /* owned: key of the selected row; NULL: the one at `at` */
	uint32_t at, first; /* rows: the selected one, and the first on the screen */
	bool flame;         /* instead of rows */
	char *zoomed, *box; /* owned: paths of nodes, see top_browser.c; NULL: the root */
	uint32_t box_at, depth; /* the selected box, and the first line on the screen */

	bool prompt; /* the user is typing a pattern */
	struct buf typed;
	regex_t *pattern; /* owned; NULL: none */
	bool help, quit;
	bool write; /* the user wants it written; reset by who does */
	char *said; /* owned: a message; NULL: none */

	uint32_t width, height; /* of the screen */
	struct board board;
	struct flame graph;
};

void browser_init(struct browser *b, const struct view *asked);
void browser_release(struct browser *b);
/* Acts on a key of screen.h. Changes the moment if the key is about time. */
void browser_key(struct browser *b, struct moment *m, uint32_t key);
/* Makes the board of a moment for a screen. */
void browser_look(struct browser *b, struct moment *m, uint32_t width, uint32_t height);
/* Shows a message until the next key. */
void browser_say(struct browser *b, const char *text);
/* How many lines there are for rows, or for boxes. */
uint32_t browser_rows(const struct browser *b);

/* The whole screen, after browser_look(). */
void top_screen(const struct browser *b, struct moment *m, struct spans *to);
/* The same as plain text: a line on the window as a whole, then all rows. */
void top_text(const struct browser *b, const struct moment *m, struct spans *to);

struct top {
	struct run run;
	struct view view; /* what the options ask for */
	const char *count, *delay, *window;
	uint64_t n, delay_ns; /* n 0: for ever */
	bool plain;           /* text, no screen */
	const char *path;     /* of a recording; NULL: live */

	struct moment moment;
	struct browser browser;
	struct spans lines;
	uint64_t printed;             /* how many times */
	uint64_t due_ns, interval_ns; /* when the next refresh is due, and interval */
};

/* Writes the window to a file in the working directory and says so (top_write.c). */
void top_write(struct top *t);
