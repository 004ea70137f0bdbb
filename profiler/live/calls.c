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
#include "symbolizer/gopclntab.h"
#include "symbolizer/image.h"
#include "symbolizer/object.h"
#include "symbolizer/resolver.h"
#include "symbolizer/symbolizer.h"

enum { MOST_BYTES = 1 << 16 /* of a function that are compared */ };

struct pattern {
	const char *text;
	regex_t regex;
	bool is_regex, matched;
};

struct search {
	struct calls *calls;
	struct object *exe;
	uint64_t bias;
	pid_t pid;
	struct pattern *patterns;
	uint32_t n;
	bool newstack;
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

static bool wanted(struct search *s, const char *name)
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
static bool verified(const struct search *s, const struct func *f)
{
	struct cursor bytes = elf_at(s->exe->elf, f->addr);
	uint64_t len = f->size < MOST_BYTES ? f->size : MOST_BYTES;

	return len && len <= cursor_left(&bytes) &&
	       memory_is(s->pid, f->addr + s->bias, bytes.data + bytes.pos, len);
}

/* The compiler makes a second function for callers that pass arguments another way. It only
 * calls the function, so its calls would count twice. */
static bool is_wrapper(const struct search *s, const struct func *f)
{
	struct go_pc pc;

	return s->exe->go && object_go_pc(s->exe, f->addr, &pc) && pc.entry == f->addr &&
	       pc.kind == FRAME_WRAPPER;
}

static int on_function(void *arg, const struct func *f)
{
	struct search *s = arg;
	bool newstack = !strcmp(f->name, "runtime.newstack");
	struct calls *c = s->calls;
	uint64_t offset;

	if (!newstack && !wanted(s, f->name))
		return 0;
	if (is_wrapper(s, f) || !elf_code_offset(s->exe->elf, f->addr, &offset))
		return 0;
	c->matches += !newstack;
	if (!verified(s, f)) {
		c->refused++;
		snprintf(c->name, sizeof(c->name), "%s", f->name);
		return 0;
	}
	s->newstack |= newstack;
	*table_add(c->rows, c->n,
		   c->cap) = (struct probe){ .offset = offset,
					     .cookie = newstack ? CALL_NEWSTACK : f->size,
					     .addr = f->addr + s->bias,
					     .name = mem_strdup(f->name) };
	return 0;
}

static int compare_probes(const void *a, const void *b)
{
	const struct probe *x = a, *y = b;

	return ascending(x->addr, y->addr);
}

/* Symbols may be aliases, but a call is one call. */
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
}

/* How often a function was inlined. */
struct inlined {
	const char *name;
	uint64_t places;
};

struct inlinings {
	struct inlined *rows; /* owned */
	uint32_t n, cap;
	struct index index;
};

static void on_inlined(void *arg, const char *name)
{
	struct inlinings *all = arg;
	struct inlined fresh = { .name = name };
	uint32_t id = index_put(&all->index, all->rows, all->n, all->cap, &fresh,
				sizeof(fresh.name));

	all->rows[id].places++;
}

/* missing: NULL, or the only pattern that counts. */
static void find_inlined(struct search *s, const struct pattern *missing)
{
	struct calls *c = s->calls;
	struct inlinings all = { 0 };

	if (s->exe->go)
		gopclntab_inlined(s->exe->go, on_inlined, &all);
	for (uint32_t i = 0; i < all.n; i++) {
		const char *name = all.rows[i].name;

		if (missing ? !pattern_match(missing, name) : !wanted(s, name))
			continue;
		c->inlined += (uint32_t)all.rows[i].places;
		snprintf(c->inlined_name, sizeof(c->inlined_name), "%s", name);
	}
	index_release(&all.index);
	free(all.rows);
}

int calls_find(struct calls *ret, struct space *sp, pid_t pid, const char *const *patterns,
	       uint32_t n)
{
	struct search s = { .calls = ret, .exe = space_exe(sp), .pid = pid, .n = n };
	int err = 0;

	*ret = (struct calls){ 0 };
	if (!s.exe || !s.exe->elf || space_go(sp, &s.bias) != s.exe)
		return -ENOTSUP;
	s.patterns = mem_zalloc(n * sizeof(*s.patterns));
	for (uint32_t i = 0; i < n; i++)
		pattern_open(&s.patterns[i], patterns[i]);
	space_functions(sp, on_function, &s);
	unite(ret);
	for (uint32_t i = n; i--;) {
		if (!s.patterns[i].matched) {
			ret->missing = i;
			err = -ENOENT;
		}
	}
	find_inlined(&s, err ? &s.patterns[ret->missing] : NULL);
	for (uint32_t i = 0; i < n; i++)
		pattern_close(&s.patterns[i]);
	free(s.patterns);
	return err ? err : s.newstack ? 0 : -ENOEXEC;
}

struct probe *calls_at(const struct calls *c, uint64_t addr)
{
	struct probe key = { .addr = addr };

	return c->n ? bsearch(&key, c->rows, c->n, sizeof(key), compare_probes) : NULL;
}

void calls_release(struct calls *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->rows[i].name);
	free(c->rows);
	*c = (struct calls){ 0 };
}
