/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "output/board_lines.h"
#include "profiler/base/arena.h"
#include "profiler/base/clock.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/screen.h"
#include "profiler/cmd/top.h"
#include "profiler/profile/label_keys.h"
#include "profiler/profile/starts.h"
#include "profiler/profile/tree.h"

enum {
	OTHER_LINES = 5,  /* of a screen besides rows: title, figures, bar, head, keys */
	FLAME_OTHERS = 5, /* besides boxes: title, figures, bar, the box's, keys */
	MAX_TYPED = 200,
	STARTS_NS = 5 * SECOND, /* so old may be what is known about starters */
	MAX_WAYS = 64,
};

static void set(char **to, const char *text)
{
	char *copy = text ? mem_strdup(text) : NULL;

	free(*to);
	*to = copy;
}

static bool is_none(const struct grouping *by)
{
	for (int i = 0; i < by->n; i++)
		if (by->keys[i] != BY_NONE)
			return false;
	return true;
}

/* Without groups there are only functions. */
static enum board_level floor_of(const struct browser *b)
{
	return is_none(&b->view.by) ? BOARD_FUNCTIONS : BOARD_GROUPS;
}

static void forget_place(struct browser *b)
{
	set(&b->chosen, NULL);
	set(&b->zoomed, NULL);
	set(&b->box, NULL);
	b->at = b->first = b->depth = 0;
}

static void go_to_floor(struct browser *b)
{
	for (int i = 0; i < TOP_LEVELS; i++) {
		set(&b->opened[i], NULL);
		set(&b->names[i], NULL);
	}
	b->level = floor_of(b);
	if (b->level)
		set(&b->opened[BOARD_GROUPS], "");
	forget_place(b);
}

void browser_init(struct browser *b, const struct view *asked)
{
	*b = (struct browser){ .asked = asked,
			       .view = *asked,
			       .sort[BOARD_FUNCTIONS] = BOARD_BY_SELF };
	go_to_floor(b);
}

static void forget_pattern(struct browser *b)
{
	if (b->pattern)
		regfree(b->pattern);
	free(b->pattern);
	b->pattern = NULL;
}

void browser_release(struct browser *b)
{
	go_to_floor(b);
	set(&b->opened[BOARD_GROUPS], NULL);
	flame_release(&b->graph);
	if (b->board.names)
		board_release(&b->board);
	starts_free(b->starts);
	forget_pattern(b);
	buf_release(&b->typed);
	free(b->label);
	free(b->said);
	*b = (struct browser){ 0 };
}

void browser_say(struct browser *b, const char *text)
{
	set(&b->said, text);
}

uint32_t browser_rows(const struct browser *b)
{
	uint32_t others = b->flame ? FLAME_OTHERS : OTHER_LINES;

	return b->height > others + 1 ? b->height - others : 1;
}

/* Looking. */

/* Which functions are starters takes a while to find out, and seldom changes. */
static void update_starts(struct browser *b, const struct moment *m,
			  const struct profile *p)
{
	uint64_t now = moment_to(m),
		 age = now > b->starts_ns ? now - b->starts_ns : b->starts_ns - now;

	if (b->starts && (m->file || age < STARTS_NS))
		return;
	starts_free(b->starts);
	if (m->file)
		p = m->file;
	b->starts = starts_new(&p, 1);
	b->starts_ns = now;
}

static void find_row(struct browser *b)
{
	uint32_t rows = browser_rows(b);

	for (uint32_t i = 0; b->chosen && i < b->board.n; i++)
		if (!strcmp(b->board.rows[i].key, b->chosen))
			b->at = i;
	if (b->at >= b->board.n)
		b->at = b->board.n ? b->board.n - 1 : 0;
	if (b->first > b->at)
		b->first = b->at;
	if (b->at >= b->first + rows)
		b->first = b->at - rows + 1;
	if (b->first + rows > b->board.n)
		b->first = b->board.n > rows ? b->board.n - rows : 0;
}

/* The node with this path, which is the names from the root on, each with a newline; or as
 * much of it as there is. */
static uint32_t node_at(const struct tree *t, const char *path)
{
	uint32_t node = 0;

	for (uint32_t i = 1; path && *path && i < t->n_nodes; i++) {
		size_t len = strcspn(path, "\n");
		const char *name = t->nodes[i].name;

		if (t->nodes[i].parent != node || strncmp(name, path, len) || name[len])
			continue;
		node = i; /* its children come after it */
		path += len + (path[len] != 0);
	}
	return node;
}

static void add_path(const struct tree *t, uint32_t node, struct buf *to)
{
	uint32_t path[MAX_STACK_FRAMES + MAX_GROUP_KEYS + 2], n = 0;

	for (; node; node = t->nodes[node].parent)
		path[n++] = node;
	while (n--)
		buf_printf(to, "%s\n", t->nodes[path[n]].name);
}

static void set_path(struct browser *b, char **to, uint32_t node)
{
	struct buf path = { 0 };

	add_path(view_tree(&b->board.part), node, &path);
	set(to, node ? buf_text(&path) : NULL);
	buf_release(&path);
}

/* The box of a node, or of the innermost of its callers that has one. */
static uint32_t box_of(struct browser *b, uint32_t node)
{
	const struct tree *t = view_tree(&b->board.part);

	for (;; node = t->nodes[node].parent) {
		for (uint32_t i = 0; i < b->graph.n; i++)
			if (b->graph.boxes[i].node == node)
				return i;
		if (!node)
			return 0;
	}
}

static void find_box(struct browser *b)
{
	const struct tree *t = view_tree(&b->board.part);
	uint32_t rows = browser_rows(b), depth;

	flame_init(&b->graph, &b->board.part, node_at(t, b->zoomed), b->width);
	b->box_at = box_of(b, node_at(t, b->box ? b->box : b->zoomed));
	depth = b->graph.n ? b->graph.boxes[b->box_at].depth : 0;
	if (b->depth > depth)
		b->depth = depth;
	if (depth >= b->depth + rows)
		b->depth = depth - rows + 1;
}

void browser_look(struct browser *b, struct moment *m, uint32_t width, uint32_t height)
{
	const struct profile *p = moment_profile(m);
	struct board_query q = {
		.view = &b->view,
		.from_ns = moment_from(m),
		.to_ns = moment_to(m),
		.n_cells = board_cells(width),
		.pattern = b->pattern,
		.level = b->level,
		.group = b->opened[BOARD_GROUPS],
		.goroutine = b->opened[BOARD_GOROUTINES] ? b->opened[BOARD_GOROUTINES] : "",
		.function = b->opened[BOARD_FUNCTIONS],
		.sort = b->sort[b->level],
		.tree = b->flame,
	};

	flame_release(&b->graph);
	if (b->board.names)
		board_release(&b->board);
	b->width = width;
	b->height = height;
	if (!p)
		return;
	update_starts(b, m, p);
	b->view.starts = b->starts;
	board_init(&b->board, &q, p);
	if (b->flame && view_tree(&b->board.part))
		find_box(b);
	else
		find_row(b);
}

/* Keys. */

static const struct board_row *row_at(const struct browser *b)
{
	return b->at < b->board.n ? &b->board.rows[b->at] : NULL;
}

static void move_row(struct browser *b, int64_t by)
{
	int64_t at = (int64_t)b->at + by, last = (int64_t)b->board.n - 1;

	at = at > last ? last : at;
	b->at = at > 0 ? (uint32_t)at : 0;
	set(&b->chosen, row_at(b) ? row_at(b)->key : NULL);
}

static bool has_goroutine_level(const struct grouping *by)
{
	return by->n && by->keys[by->n - 1] == BY_GOROUTINE;
}

static void open_row(struct browser *b)
{
	const struct board_row *r = row_at(b);
	enum board_level next = b->level + 1;

	if (!r || b->level == BOARD_LINES)
		return;
	set(&b->opened[b->level], r->key);
	set(&b->names[b->level], r->name);
	if (b->level == BOARD_GROUPS &&
	    (!r->goroutines || has_goroutine_level(&b->view.by)))
		next = BOARD_FUNCTIONS;
	b->level = next;
	forget_place(b);
}

static void close_level(struct browser *b)
{
	if (b->level == floor_of(b))
		return;
	set(&b->opened[b->level], NULL);
	b->level--;
	if (b->level == BOARD_GOROUTINES && !b->opened[BOARD_GOROUTINES])
		b->level = floor_of(b); /* it had none */
	forget_place(b);
	set(&b->chosen, b->opened[b->level]);
	set(&b->opened[b->level], NULL);
	set(&b->names[b->level], NULL);
}

static void go_back(struct browser *b)
{
	if (b->flame && b->zoomed)
		set(&b->zoomed, NULL);
	else if (b->flame)
		b->flame = false;
	else if (b->level != floor_of(b))
		close_level(b);
	else
		forget_pattern(b);
}

/* The box on the same line that is next to the selected one, on this side. */
static uint32_t box_beside(const struct browser *b, bool right)
{
	const struct flame_box *boxes = b->graph.boxes;
	uint32_t at = b->box_at;

	if (right && at + 1 < b->graph.n && boxes[at + 1].depth == boxes[at].depth)
		return at + 1;
	if (!right && at && boxes[at - 1].depth == boxes[at].depth)
		return at - 1;
	return at;
}

static uint32_t widest_child(const struct browser *b)
{
	const struct flame_box *boxes = b->graph.boxes;
	uint32_t ret = b->box_at;

	for (uint32_t i = b->box_at + 1; i < b->graph.n; i++)
		if (boxes[i].parent == b->box_at &&
		    (ret == b->box_at || boxes[i].columns > boxes[ret].columns))
			ret = i;
	return ret;
}

static bool flame_key(struct browser *b, uint32_t key)
{
	uint32_t box = b->box_at;

	if (!b->flame || !b->graph.n)
		return false;
	switch (key) {
	case SCREEN_UP: box = b->graph.boxes[box].parent; break;
	case SCREEN_DOWN: box = widest_child(b); break;
	case SCREEN_LEFT: box = box_beside(b, false); break;
	case SCREEN_RIGHT: box = box_beside(b, true); break;
	case SCREEN_HOME: box = 0; break;
	case SCREEN_ENTER: set_path(b, &b->zoomed, b->graph.boxes[box].node); break;
	default: return false;
	}
	set_path(b, &b->box, b->graph.boxes[box].node);
	return true;
}

static bool row_key(struct browser *b, uint32_t key)
{
	int64_t page = browser_rows(b);

	switch (key) {
	case 'k':
	case SCREEN_UP: move_row(b, -1); break;
	case 'j':
	case SCREEN_DOWN: move_row(b, 1); break;
	case SCREEN_PAGE_UP: move_row(b, -page); break;
	case SCREEN_PAGE_DOWN: move_row(b, page); break;
	case SCREEN_HOME: move_row(b, -(int64_t)b->board.n); break;
	case SCREEN_END: move_row(b, b->board.n); break;
	case SCREEN_ENTER: open_row(b); break;
	default: return false;
	}
	return true;
}

static void sort_next(struct browser *b)
{
	static const enum board_sort after[][BOARD_BY_NAME + 1] = {
		/* groups and goroutines */
		{ [BOARD_BY_CPU] = BOARD_BY_GOROUTINES,
		  [BOARD_BY_GOROUTINES] = BOARD_BY_NAME },
		/* functions and lines */
		{ [BOARD_BY_CPU] = BOARD_BY_SELF, [BOARD_BY_SELF] = BOARD_BY_NAME },
	};
	enum board_sort *sort = &b->sort[b->level];

	*sort = b->level == BOARD_GOROUTINES
			? (*sort == BOARD_BY_CPU ? BOARD_BY_NAME : BOARD_BY_CPU)
			: after[b->level > BOARD_GOROUTINES][*sort];
	set(&b->chosen, NULL);
	b->at = 0;
}

/* The ways to group, in the order that `g` goes through. */
struct ways {
	struct grouping rows[MAX_WAYS];
	uint32_t n;
};

static void add_way(struct ways *w, uint8_t key, const char *label)
{
	if (w->n < MAX_WAYS)
		w->rows[w->n++] = (struct grouping){ { key }, 1, { label } };
}

static bool same_way(const struct grouping *a, const struct grouping *b)
{
	bool same = a->n == b->n && !memcmp(a->keys, b->keys, a->n);

	for (int i = 0; same && i < a->n; i++)
		if (a->keys[i] == BY_LABEL) {
			size_t len = strcspn(a->labels[i], ",");

			same = len == strcspn(b->labels[i], ",") &&
			       !memcmp(a->labels[i], b->labels[i], len);
		}
	return same;
}

static void group_next(struct browser *b, const struct profile *p)
{
	struct label_keys labels;
	struct ways w = { .rows = { b->asked->by }, .n = 1 };
	struct grouping next;
	uint32_t by = 0;

	label_keys_init(&labels, p);
	add_way(&w, BY_START, NULL);
	add_way(&w, BY_GOROUTINE, NULL);
	add_way(&w, BY_CREATOR, NULL);
	for (uint32_t i = 0; i < labels.n; i++)
		if (*labels.rows[i].name && !strchr(labels.rows[i].name, ','))
			add_way(&w, BY_LABEL, labels.rows[i].name);
	add_way(&w, BY_CLASS, NULL);
	add_way(&w, BY_THREAD, NULL);
	if (p->n_processes > 2)
		add_way(&w, BY_PROCESS, NULL);
	/* behind the one of now; the first one comes once only */
	while (by < w.n && !same_way(&w.rows[by], &b->view.by))
		by++;
	do
		by = by + 1 < w.n ? by + 1 : 0;
	while (by && same_way(&w.rows[by], &b->asked->by));
	next = w.rows[by];
	if (by && next.keys[0] == BY_LABEL) {
		set(&b->label, next.labels[0]);
		next.labels[0] = b->label;
	}
	b->view.by = next;
	label_keys_release(&labels);
	go_to_floor(b);
}

static void change_window(struct moment *m, bool longer)
{
	static const uint64_t lengths[] = { 1, 2, 5, 10, 20, 30, 60 };
	size_t n = sizeof(lengths) / sizeof(*lengths);

	for (size_t i = 0; i < n; i++) {
		uint64_t ns = lengths[longer ? i : n - 1 - i] * SECOND;

		if (longer ? ns > m->window_ns : ns < m->window_ns) {
			m->window_ns = ns;
			return;
		}
	}
}

/* The prompt. */

/* As a focus on what has been typed so far; what is no expression yet changes nothing. */
static void use_typed(struct browser *b)
{
	regex_t *re = mem_zalloc(sizeof(*re));

	if (b->typed.len && regcomp(re, buf_text(&b->typed), REG_EXTENDED | REG_NOSUB)) {
		free(re);
		return;
	}
	forget_pattern(b);
	if (b->typed.len)
		b->pattern = re;
	else
		free(re);
	forget_place(b);
}

static void prompt_key(struct browser *b, uint32_t key)
{
	if (key == SCREEN_ENTER || key == SCREEN_ESCAPE)
		b->prompt = false;
	if (key == SCREEN_ESCAPE)
		b->typed.len = 0;
	else if (key == SCREEN_BACKSPACE)
		while (b->typed.len && (b->typed.data[--b->typed.len] & 0xc0) == 0x80)
			;
	else if (key < SCREEN_UP && plain_shown(key) && b->typed.len < MAX_TYPED)
		plain_put(&b->typed, key);
	use_typed(b);
}

static bool time_key(struct moment *m, uint32_t key)
{
	switch (key) {
	case ' ':
	case 'z':
		/* a recording that is over begins anew */
		if (m->file && m->still && m->to_ns == m->end_ns)
			m->to_ns = m->start_ns;
		if (!m->ended)
			moment_freeze(m, !m->still);
		break;
	case SCREEN_LEFT:
	case '[': moment_move(m, -(int64_t)SECOND); break;
	case SCREEN_RIGHT:
	case ']': moment_move(m, SECOND); break;
	case '{': moment_move(m, -10 * (int64_t)SECOND); break;
	case '}': moment_move(m, 10 * (int64_t)SECOND); break;
	case '+':
	case '=': change_window(m, true); break;
	case '-': change_window(m, false); break;
	default: return false;
	}
	return true;
}

void browser_key(struct browser *b, struct moment *m, uint32_t key)
{
	if (key == SCREEN_GONE)
		b->quit = true;
	if (key == SCREEN_RESIZE || key == SCREEN_GONE)
		return;
	browser_say(b, NULL);
	if (b->prompt) {
		prompt_key(b, key);
		return;
	}
	if (b->help && key != 'q') {
		b->help = false;
		return;
	}
	if (flame_key(b, key) || time_key(m, key) || row_key(b, key))
		return;
	switch (key) {
	case 'q': b->quit = true; break;
	case '?':
	case 'h': b->help = true; break;
	case SCREEN_ESCAPE:
	case SCREEN_BACKSPACE: go_back(b); break;
	case SCREEN_TAB: b->flame = !b->flame; break;
	case '/': b->prompt = true; break;
	case 's': sort_next(b); break;
	case 'g':
		if (moment_profile(m))
			group_next(b, moment_profile(m));
		break;
	case 'w': b->write = true; break;
	default: break;
	}
}
