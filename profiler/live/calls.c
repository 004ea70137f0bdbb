/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/live/calls.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/base/arena.h"
#include "profiler/base/index.h"
#include "symbolizer/elf.h"
#include "symbolizer/goinline.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/image.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

enum { MOST_BYTES = 1 << 16 /* of a function that are compared */ };

struct pattern {
	const char *text;
	regex_t regex;
	bool is_regex;
	bool matched;            /* a function */
	uint32_t places, probed; /* copies that match; those of them that are probed */
};

/* An inlined function: the answer of wanted(), as there are many copies. */
struct asked {
	const char *name;
	bool wanted;
};

struct search {
	struct calls *calls;
	struct object *exe;
	uint64_t bias;
	pid_t pid;
	struct pattern *patterns;
	uint32_t n;
	bool newstack;

	struct asked *asked; /* owned */
	uint32_t n_asked, cap_asked;
	struct index asked_index;
	uint64_t verified; /* the function around the last copy, if its code is right */
};

static bool glob_match(const char *glob, const char *name)
{
	const char *star = NULL, *back = NULL;

	while (*name) {
		if (*glob == '*') {
			star = glob++;
			back = name;
		} else if (*glob == '?' || *glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star + 1;
			name = ++back;
		} else {
			return false;
		}
	}
	return !glob[strspn(glob, "*")];
}

/* False: the regular expression is broken. */
static bool pattern_open(struct pattern *p, const char *text)
{
	size_t len = strlen(text);
	char *inner;
	int err;

	*p = (struct pattern){ .text = text };
	if (len < 3 || *text != '/' || text[len - 1] != '/')
		return true;
	inner = mem_strdup(text + 1);
	inner[len - 2] = 0;
	err = regcomp(&p->regex, inner, REG_EXTENDED | REG_NOSUB);
	free(inner);
	p->is_regex = !err;
	return !err;
}

static void pattern_close(struct pattern *p)
{
	if (p->is_regex)
		regfree(&p->regex);
}

static bool pattern_match(const struct pattern *p, const char *name)
{
	if (p->is_regex)
		return !regexec(&p->regex, name, 0, NULL, 0);
	return !strcmp(p->text, name) || glob_match(p->text, name);
}

const char *calls_check(const char *pattern)
{
	struct pattern p;

	if (!*pattern)
		return "not a function, such as main.work";
	if (!pattern_open(&p, pattern))
		return "broken regular expression";
	pattern_close(&p);
	return NULL;
}

bool calls_match(const char *pattern, const char *name)
{
	struct pattern p;
	bool ret;

	if (!pattern_open(&p, pattern))
		return false;
	ret = pattern_match(&p, name);
	pattern_close(&p);
	return ret;
}

static bool function_wanted(struct search *s, const char *name)
{
	bool any = false;

	for (uint32_t i = 0; i < s->n; i++) {
		if (!pattern_match(&s->patterns[i], name))
			continue;
		s->patterns[i].matched = true;
		any = true;
	}
	return any;
}

/* Is the process's code there what the file says? */
static bool verified(const struct search *s, uint64_t addr, uint64_t size)
{
	struct cursor bytes = elf_at(s->exe->elf, addr);
	uint64_t len = size < MOST_BYTES ? size : MOST_BYTES;

	return len && len <= cursor_left(&bytes) &&
	       memory_is(s->pid, addr + s->bias, bytes.data + bytes.pos, len);
}

/* The compiler makes a second function for callers that pass arguments another way. It only
 * calls the function, so its calls would count twice. */
static bool is_wrapper(const struct search *s, const struct func *f)
{
	struct go_pc pc;

	return s->exe->go && object_go_pc(s->exe, f->addr, &pc) && pc.entry == f->addr &&
	       pc.kind == FRAME_WRAPPER;
}

/* First bytes of instructions that kernels do not probe: AVX-512, LOCK, INT3, INT. */
static bool is_doubtful(uint8_t first)
{
	return first == 0x62 || first == 0xf0 || first == 0xcc || first == 0xcd;
}

static void add(struct search *s, const char *name, const struct probe *row)
{
	struct calls *c = s->calls;
	struct cursor code = elf_at(s->exe->elf, row->addr);
	struct probe *to = table_add(c->rows, c->n, c->cap);

	*to = *row;
	to->doubtful = is_doubtful(cursor_u8(&code));
	to->addr += s->bias;
	to->name = mem_strdup(name);
}

static void refuse(struct calls *c, const char *name)
{
	c->refused++;
	snprintf(c->name, sizeof(c->name), "%s", name);
}

static int on_function(void *arg, const struct func *f)
{
	struct search *s = arg;
	bool newstack = !strcmp(f->name, "runtime.newstack");
	struct probe row = { .cookie = newstack ? CALL_NEWSTACK : f->size,
			     .addr = f->addr,
			     .entry = !newstack };

	if (!newstack && !function_wanted(s, f->name))
		return 0;
	if (is_wrapper(s, f) || !elf_code_offset(s->exe->elf, f->addr, &row.offset))
		return 0;
	s->calls->functions += row.entry;
	if (!verified(s, f->addr, f->size)) {
		refuse(s->calls, f->name);
		return 0;
	}
	s->newstack |= newstack;
	add(s, f->name, &row);
	return 0;
}

/* Copies. */

static bool copy_wanted(void *arg, const char *name)
{
	struct search *s = arg;
	struct asked fresh = { .name = name };
	uint32_t before = s->n_asked;
	uint32_t id = index_put(&s->asked_index, s->asked, s->n_asked, s->cap_asked, &fresh,
				sizeof(fresh.name));

	for (uint32_t i = 0; i < s->n && s->n_asked > before; i++)
		s->asked[id].wanted |= pattern_match(&s->patterns[i], name);
	return s->asked[id].wanted;
}

/* Is there a probe in the copy? */
static bool copy_add(struct search *s, const struct go_place *place)
{
	struct calls *c = s->calls;
	/* nothing begins again in the middle of a function */
	struct probe row = { .addr = place->addr,
			     .cookie = place->addr == place->entry ? place->len : 0 };

	if (c->no_inlined || !place->addr ||
	    !elf_code_offset(s->exe->elf, place->addr, &row.offset))
		return false;
	if (s->verified != place->entry && !verified(s, place->entry, place->len)) {
		refuse(c, place->name);
		return false;
	}
	s->verified = place->entry;
	add(s, place->name, &row);
	*table_add(c->copies, c->n_copies, c->cap_copies) =
		(struct call_copy){ place->addr + s->bias, place->body + s->bias };
	return true;
}

static void on_place(void *arg, const struct go_place *place)
{
	struct search *s = arg;
	struct calls *c = s->calls;
	bool probed = copy_add(s, place);

	for (uint32_t i = 0; i < s->n; i++) {
		if (!pattern_match(&s->patterns[i], place->name))
			continue;
		s->patterns[i].places++;
		s->patterns[i].probed += probed;
	}
	if (probed) {
		snprintf(c->copied, sizeof(c->copied), "%s", place->name);
		return;
	}
	c->unseen++;
	snprintf(c->unseen_name, sizeof(c->unseen_name), "%s", place->name);
}

static int compare_probes(const void *a, const void *b)
{
	const struct probe *x = a, *y = b;

	return ascending(x->addr, y->addr) ?: y->entry - x->entry;
}

static int compare_copies(const void *a, const void *b)
{
	const struct call_copy *x = a, *y = b;

	return ascending(x->addr, y->addr) ?: ascending(x->body, y->body);
}

/* Symbols may be aliases, but a call is one call; and there is one probe for all copies
 * that are entered at the same address. */
static void unite(struct calls *c)
{
	uint32_t n = 0;

	table_sort(c->rows, c->n, compare_probes);
	for (uint32_t i = 0; i < c->n; i++)
		if (!n || c->rows[n - 1].addr != c->rows[i].addr)
			c->rows[n++] = c->rows[i];
		else
			free(c->rows[i].name);
	c->n = n;
	for (uint32_t i = 0; i < n; i++)
		c->entries += c->rows[i].entry;
	table_sort(c->copies, c->n_copies, compare_copies);
}

/* 0, or -ENOENT: nothing can be probed of the pattern `missing`. */
static int check_patterns(const struct search *s)
{
	struct calls *c = s->calls;
	int err = 0;

	for (uint32_t i = s->n; i--;) {
		const struct pattern *p = &s->patterns[i];

		if (!p->matched && !p->probed) {
			c->missing = i;
			err = -ENOENT;
		} else if (!p->matched) {
			c->copies_only = p->text;
		} else {
			continue;
		}
		c->places = p->places;
	}
	return err;
}

int calls_find(struct calls *ret, struct space *sp, pid_t pid, const char *const *patterns,
	       uint32_t n)
{
	struct search s = { .calls = ret, .exe = space_exe(sp), .pid = pid, .n = n };
	int err;

	if (!s.exe || !s.exe->elf || space_go(sp, &s.bias) != s.exe)
		return -ENOTSUP;
	s.patterns = mem_zalloc(n * sizeof(*s.patterns));
	for (uint32_t i = 0; i < n; i++)
		pattern_open(&s.patterns[i], patterns[i]);
	space_functions(sp, on_function, &s);
	if (s.exe->go)
		goinline_each(s.exe->go, s.exe->elf, copy_wanted, on_place, &s);
	unite(ret);
	err = check_patterns(&s);
	for (uint32_t i = 0; i < n; i++)
		pattern_close(&s.patterns[i]);
	free(s.patterns);
	free(s.asked);
	index_release(&s.asked_index);
	return err ? err : s.newstack ? 0 : -ENOEXEC;
}

struct probe *calls_at(const struct calls *c, uint64_t addr)
{
	uint32_t until = table_until(c->n, i, c->rows[i].addr <= addr);

	return until && c->rows[until - 1].addr == addr ? &c->rows[until - 1] : NULL;
}

uint32_t calls_copies(const struct calls *c, uint64_t addr, const struct call_copy **ret)
{
	uint32_t first = table_until(c->n_copies, i, c->copies[i].addr < addr);
	uint32_t end = table_until(c->n_copies, k, c->copies[k].addr <= addr);

	*ret = c->copies + first;
	return end - first;
}

void calls_release(struct calls *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->rows[i].name);
	free(c->rows);
	free(c->copies);
	*c = (struct calls){ 0 };
}
