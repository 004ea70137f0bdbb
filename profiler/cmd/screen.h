/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal as a screen, by ncurses. However the program ends, the terminal is left as
 * it was, except by SIGKILL. While the screen is open, what is written to stderr is kept,
 * and printed when it is closed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct spans;

/* Keys beside characters, which are their code points. */
enum screen_key {
	SCREEN_NONE = 0,
	SCREEN_TAB = '\t',
	SCREEN_ENTER = '\n',
	SCREEN_ESCAPE = 27,
	SCREEN_UP = 0x110000,
	SCREEN_DOWN,
	SCREEN_LEFT,
	SCREEN_RIGHT,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_END,
	SCREEN_BACKSPACE,
	SCREEN_RESIZE,
	SCREEN_GONE, /* there is no terminal any more */
};

/* Is there a terminal to draw on? Else *why is what it lacks, valid until the next call. */
bool screen_possible(const char **why);
/* Catches signals that would end the program, for screen_close(): before anything else
 * that does. */
void screen_guard(void);
/* Returns 0 or -errno. */
int screen_open(bool color);
void screen_close(void); /* also if it is not open */
/* As much of it as a signal handler may do, before _exit(). */
void screen_restore(void);
uint32_t screen_width(void);
uint32_t screen_height(void);
void screen_paint(const struct spans *s);
/* The next key that was pressed, or SCREEN_NONE. */
uint32_t screen_key(void);
/* Replaces *line by the last line that was written to stderr, if there is a new one. */
void screen_said(struct buf *line);
