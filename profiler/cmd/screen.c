/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#undef columns /* one of the macros of term.h */

#include "output/spans.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/plain.h"

enum {
	RESTORE_MAX = 256,
	STACK_BYTES = 16384,
	ESCAPE_MS = 100, /* what comes later than this after Escape is another key */
	REDRAW = 'L' & 0x1f,
};

/* A terminal can be restored from a signal handler: all that takes is here. */
static struct {
	volatile sig_atomic_t on;
	struct termios modes; /* as they were */
	char text[RESTORE_MAX];
	size_t len;
	int err, kept; /* the real stderr, and what keeps its output; or -1 */
	off_t said;    /* of kept: what screen_said() has returned */
} term = { .err = -1, .kept = -1 };

static SCREEN *curses;
static bool unicode, colors;

/* Leaving. */

static void print_kept(void)
{
	char bytes[512];
	off_t at = 0;
	ssize_t n;

	if (term.kept < 0)
		return;
	dup2(term.err, STDERR_FILENO);
	while ((n = pread(term.kept, bytes, sizeof(bytes), at)) > 0) {
		if (write(STDERR_FILENO, bytes, (size_t)n) != n)
			break;
		at += n;
	}
}

void screen_restore(void)
{
	if (!term.on)
		return;
	term.on = 0;
	if (write(STDOUT_FILENO, term.text, term.len) < 0)
		term.len = 0; /* it is gone */
	tcsetattr(STDIN_FILENO, TCSANOW, &term.modes);
	print_kept();
}

static struct sigaction before[NSIG];

/* What the signal did before comes next. */
static void on_end(int sig)
{
	screen_restore();
	sigaction(sig, &before[sig], NULL);
	raise(sig);
}

void screen_guard(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGABRT, SIGQUIT,
				       SIGTRAP, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU };
	static char stack[STACK_BYTES];
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_end, .sa_flags = SA_ONSTACK };

	sigaltstack(&alternative, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, &before[signals[i]]);
	mem_last = screen_restore;
	atexit(screen_restore);
}

/* Opening. */

bool screen_possible(const char **why)
{
	static char text[128];
	const char *name = getenv("TERM");
	int found = 0;
	bool possible;

	*why = "stdin and stdout are not a terminal";
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	snprintf(text, sizeof(text), "a terminal of type '%s' cannot show a screen",
		 name ? name : "");
	*why = text;
	if (!name || !*name || setupterm(name, STDOUT_FILENO, &found) == ERR)
		return false;
	possible = cursor_address && clear_screen;
	del_curterm(cur_term);
	return possible;
}

/* The locale says how characters are written. Without any the terminal knows UTF-8, as for
 * all else that we print. */
static void choose_locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	bool any = false;

	for (int i = 0; i < 3; i++)
		any |= getenv(names[i]) && *getenv(names[i]);
	if (!setlocale(LC_CTYPE, any ? "" : "C.UTF-8") && any)
		setlocale(LC_CTYPE, "C.UTF-8");
	unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static int collect(int c)
{
	if (term.len < sizeof(term.text))
		term.text[term.len++] = (char)c;
	return c;
}

/* What endwin() sends. */
static void prepare_restore(void)
{
	const char *const texts[] = { exit_attribute_mode,   orig_pair,
				      exit_alt_charset_mode, keypad_local,
				      cursor_normal,         exit_ca_mode };

	term.len = 0;
	if (!exit_ca_mode)
		tputs(tparm(cursor_address, LINES - 1, 0), 1, collect);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i])
			tputs(texts[i], 1, collect);
}

static void keep_stderr(void)
{
	if (!isatty(STDERR_FILENO))
		return;
	term.kept = memfd_create("stderr", MFD_CLOEXEC);
	term.err = dup(STDERR_FILENO);
	if (term.kept >= 0)
		dup2(term.kept, STDERR_FILENO);
}

static void init_colors(void)
{
	/* of boxes: 256 colours, 8 colours */
	static const short boxes[PALETTE_MAX][2] = {
		[PALETTE_OWN] = { 215, COLOR_YELLOW },
		[PALETTE_LIBRARY] = { 150, COLOR_GREEN },
		[PALETTE_STANDARD] = { 152, COLOR_CYAN },
		[PALETTE_RUNTIME] = { 250, COLOR_WHITE },
		[PALETTE_GC] = { 182, COLOR_MAGENTA },
		[PALETTE_KERNEL] = { 174, COLOR_RED },
		[PALETTE_NATIVE] = { 147, COLOR_BLUE },
		[PALETTE_VDSO] = { 147, COLOR_BLUE },
		[PALETTE_UNNAMED] = { 246, COLOR_WHITE },
	};
	bool many = COLORS >= 256;

	use_default_colors();
	init_pair(INK_OWN, COLOR_CYAN, -1);
	init_pair(INK_WARN, COLOR_RED, -1);
	init_pair(INK_SPARK, COLOR_GREEN, -1);
	init_pair(INK_GROUP, many ? 16 : COLOR_BLACK, many ? 254 : COLOR_WHITE);
	for (short i = 0; i < PALETTE_MAX; i++)
		init_pair((short)(INK_BOX + i), many ? 16 : COLOR_BLACK, boxes[i][!many]);
}

int screen_open(bool color)
{
	if (tcgetattr(STDIN_FILENO, &term.modes))
		return -errno;
	choose_locale();
	curses = newterm(NULL, stdout, stdin);
	if (!curses)
		return -ENOTTY;
	prepare_restore();
	keep_stderr();
	term.on = 1;
	colors = color && has_colors() && start_color() != ERR;
	if (colors)
		init_colors();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	return 0;
}

void screen_close(void)
{
	if (!curses)
		return;
	if (term.on)
		endwin();
	term.len = 0; /* endwin() has sent it */
	screen_restore();
	delscreen(curses);
	curses = NULL;
	if (term.kept >= 0)
		close(term.kept);
	if (term.err >= 0)
		close(term.err);
	term.kept = term.err = -1;
	term.said = 0;
}

/* Painting. */

uint32_t screen_width(void)
{
	return COLS > 0 ? (uint32_t)COLS : 1;
}

uint32_t screen_height(void)
{
	return LINES > 0 ? (uint32_t)LINES : 1;
}

/* What a terminal shows that knows ASCII only. */
static wchar_t in_ascii(uint32_t code)
{
	/* U+2581 to U+2588 */
	if (code > 0x2580 && code < 0x2589)
		return L".,:-=+*#"[code - 0x2581];
	switch (code) {
	case 0x2026: return '~'; /* … */
	case 0x203a: return '>'; /* › */
	case 0xb7: return '-';   /* · */
	case 0x258f: return '|'; /* the edge of a box */
	default: return code < 0x7f ? (wchar_t)code : '?';
	}
}

static attr_t attributes_of(uint8_t ink)
{
	bool pair = colors && (ink == INK_OWN || ink == INK_WARN || ink == INK_SPARK ||
			       (ink >= INK_GROUP && ink < INK_CHOSEN));
	attr_t ret = pair ? (attr_t)COLOR_PAIR(ink) : A_NORMAL;

	switch (ink) {
	case INK_BOLD: return A_BOLD;
	case INK_WARN: return ret | A_BOLD;
	case INK_DIM: return A_DIM;
	case INK_INVERSE: return A_REVERSE;
	case INK_CHOSEN: return A_REVERSE | A_BOLD;
	default: return ret;
	}
}

/* Within the span's columns, whatever the terminal takes for the width of a character. */
static void paint_span(const struct spans *s, const struct span *span)
{
	uint32_t end = span->column + span->columns, at = span->column;
	wchar_t *text = mem_zalloc((span->columns + 1) * sizeof(*text) * 2);
	char *bytes = mem_zalloc(span->len + 1);
	const char *rest = bytes;
	int n = 0;

	memcpy(bytes, s->text.data + span->at, span->len);
	while (*rest) {
		uint32_t code = plain_next(&rest);
		wchar_t c = unicode ? (wchar_t)code : in_ascii(code);
		int width = wcwidth(c);

		if (width <= 0) {
			c = '?';
			width = 1;
		}
		if (at + (uint32_t)width > end)
			break;
		text[n++] = c;
		at += (uint32_t)width;
	}
	attrset((int)attributes_of(span->ink));
	mvaddnwstr((int)span->line, (int)span->column, text, n);
	attrset(A_NORMAL);
	free(text);
	free(bytes);
}

void screen_paint(const struct spans *s)
{
	erase();
	for (uint32_t i = 0; i < s->n; i++)
		if (s->rows[i].line < screen_height())
			paint_span(s, &s->rows[i]);
	if (s->chosen && s->chosen <= screen_height())
		mvchgat((int)s->chosen - 1, 0, -1, A_REVERSE, 0, NULL);
	refresh();
}

/* Keys. */

uint32_t screen_key(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	wint_t c = 0;
	int what = get_wch(&c);

	if (what == ERR)
		return poll(&in, 1, 0) > 0 && in.revents & (POLLHUP | POLLERR | POLLNVAL)
			       ? SCREEN_GONE
			       : SCREEN_NONE;
	if (what != KEY_CODE_YES && c == REDRAW)
		clearok(curscr, TRUE);
	if (what != KEY_CODE_YES)
		return c == '\r'            ? SCREEN_ENTER
		       : c == 8 || c == 127 ? SCREEN_BACKSPACE
					    : (uint32_t)c;
	switch (c) {
	case KEY_UP: return SCREEN_UP;
	case KEY_DOWN: return SCREEN_DOWN;
	case KEY_LEFT: return SCREEN_LEFT;
	case KEY_RIGHT: return SCREEN_RIGHT;
	case KEY_PPAGE: return SCREEN_PAGE_UP;
	case KEY_NPAGE: return SCREEN_PAGE_DOWN;
	case KEY_HOME: return SCREEN_HOME;
	case KEY_END: return SCREEN_END;
	case KEY_BACKSPACE: return SCREEN_BACKSPACE;
	case KEY_ENTER: return SCREEN_ENTER;
	default: return SCREEN_RESIZE; /* at worst the screen is painted once more */
	}
}

void screen_said(struct buf *line)
{
	char bytes[1024];
	ssize_t n;

	if (term.kept < 0)
		return;
	n = pread(term.kept, bytes, sizeof(bytes), term.said);
	if (n <= 0)
		return;
	term.said += n;
	while (n && bytes[n - 1] == '\n')
		n--;
	line->len = 0;
	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] == '\n')
			line->len = 0;
		else
			buf_u8(line, (uint8_t)bytes[i]);
}
