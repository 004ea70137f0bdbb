/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/filter.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/number.h"
#include "profiler/profile/labels.h"
#include "profiler/profile/profile.h"

enum { FOCUS = 1, IGNORE = 2 };

/* Adds the numbers of a comma-separated list. False: arg is not one. */
static bool numbers_add(struct numbers *to, const char *arg, uint64_t max)
{
	for (;; arg++) {
		char word[24];
		size_t len = strcspn(arg, ",");
		uint64_t v;

		if (len >= sizeof(word))
			return false;
		memcpy(word, arg, len);
		word[len] = 0;
		if (number_parse(word, 1, max, &v))
			return false;
		*table_add(to->rows, to->n, to->cap) = v;
		arg += len;
		if (!*arg)
			return true;
	}
}

/* An empty list takes every number. */
static bool numbers_take(const struct numbers *list, uint64_t v)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (list->rows[i] == v)
			return true;
	return !list->n;
}

const char *filter_goids(const char *arg, void *filter)
{
	return numbers_add(&((struct filter *)filter)->goids, arg, UINT64_MAX)
		       ? NULL
		       : "not a list of goroutine ids such as 18,19";
}

const char *filter_pids(const char *arg, void *filter)
{
	return numbers_add(&((struct filter *)filter)->pids, arg, INT32_MAX)
		       ? NULL
		       : "not a list of pids such as 812,813";
}

const char *filter_time(const char *arg, void *filter)
{
	struct filter *f = filter;
	char from[32] = "";
	const char *dash = strchr(arg, '-');
	uint64_t from_ns = 0, to_ns = 0;

	if (!dash || (size_t)(dash - arg) >= sizeof(from))
		goto bad;
	memcpy(from, arg, (size_t)(dash - arg));
	if ((!*from && !dash[1]) || (*from && duration_parse(from, &from_ns)) ||
	    (dash[1] && (duration_parse(dash + 1, &to_ns) || to_ns <= from_ns)))
		goto bad;
	f->from_ns = from_ns;
	f->to_ns = to_ns;
	return NULL;
bad:
	return "not a range such as 1s-10s, 5s- or -2m";
}

const char *filter_label(const char *arg, void *filter)
{
	struct filter *f = filter;
	const char *equals = strchr(arg, '=');

	if (!equals || equals == arg)
		return "not KEY=VALUE, such as job=encode";
	*table_add(f->labels, f->n_labels, f->cap_labels) =
		(struct label_wanted){ arg, equals + 1, (size_t)(equals - arg) };
	return NULL;
}

/* The last expression given replaces earlier ones. */
static const char *set_regex(regex_t **re, const char **text, const char *arg)
{
	static char why[128];
	regex_t *new = mem_zalloc(sizeof(*new));
	int code = regcomp(new, arg, REG_EXTENDED | REG_NOSUB);

	if (code) {
		regerror(code, new, why, sizeof(why));
		free(new);
		return why;
	}
	if (*re)
		regfree(*re);
	free(*re);
	*re = new;
	*text = arg;
	return NULL;
}

const char *filter_focus(const char *arg, void *filter)
{
	struct filter *f = filter;

	return set_regex(&f->focus, &f->focus_text, arg);
}

const char *filter_ignore(const char *arg, void *filter)
{
	struct filter *f = filter;

	return set_regex(&f->ignore, &f->ignore_text, arg);
}

uint8_t filter_text(const struct filter *f, const char *s)
{
	uint8_t flags = 0;

	if (!*s)
		return 0;
	if (f->focus && !regexec(f->focus, s, 0, NULL, 0))
		flags |= FOCUS;
	if (f->ignore && !regexec(f->ignore, s, 0, NULL, 0))
		flags |= IGNORE;
	return flags;
}

bool filter_stack(const struct filter *f, uint8_t flags)
{
	return (!f->focus || flags & FOCUS) && !(flags & IGNORE);
}

/* KEY= also selects goroutines without such a label. */
static bool has_labels(const struct filter *f, const char *set)
{
	struct buf value = { 0 };
	bool has = true;

	for (uint32_t i = 0; i < f->n_labels && has; i++) {
		const struct label_wanted *w = &f->labels[i];
		enum label_state state = labels_find(set, w->key, w->key_len, &value);

		has = (state == LABEL_WHOLE || state == LABEL_NONE) &&
		      value.len == strlen(w->value) &&
		      (!value.len || !memcmp(value.data, w->value, value.len));
	}
	buf_release(&value);
	return has;
}

void filter_share(struct filter *to, const struct filter *from)
{
	*to = *from;
	to->goroutines = NULL;
	to->shares = true;
}

void filter_prepare(struct filter *f, const struct profile *p)
{
	free(f->goroutines);
	f->goroutines = mem_zalloc(p->n_goroutines * sizeof(*f->goroutines));
	for (uint32_t i = 1; i < p->n_goroutines; i++)
		f->goroutines[i] = has_labels(f,
					      profile_string(p, p->goroutines[i].labels));
}

bool filter_match(const struct filter *f, const struct profile *p, const struct event *e)
{
	uint32_t process = p->threads[e->thread].process;
	uint32_t tgid = p->processes[process].tgid;

	return (!f->process || process == f->process) && e->time_ns >= f->from_ns &&
	       (!f->to_ns || e->time_ns < f->to_ns) &&
	       (!f->n_labels || f->goroutines[e->goroutine]) &&
	       numbers_take(&f->goids, p->goroutines[e->goroutine].goid) &&
	       numbers_take(&f->pids, tgid);
}

void filter_release(struct filter *f)
{
	free(f->goroutines);
	if (!f->shares) {
		free(f->goids.rows);
		free(f->pids.rows);
		free(f->labels);
		if (f->focus)
			regfree(f->focus);
		if (f->ignore)
			regfree(f->ignore);
		free(f->focus);
		free(f->ignore);
	}
	*f = (struct filter){ 0 };
}
