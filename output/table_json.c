/* SPDX-License-Identifier: BSD-2-Clause */
/* report --json. */
#include <errno.h>
#include <string.h>

#include "output/json.h"
#include "output/json_meta.h"
#include "output/summary.h"
#include "output/table.h"
#include "profiler/base/buf.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* Profiles of CPU time alone look as they did before there were kinds. */
static bool names_kind(const struct view *v)
{
	return v->other_kinds || !view_is_cpu(v);
}

static void json_weight(struct json *j, const struct view *v, uint64_t weight)
{
	if (view_is_cpu(v))
		json_uint(j, "cpu_ns", weight);
	else
		json_null(j, "cpu_ns");
	if (names_kind(v))
		json_uint(j, "weight", weight);
}

/* NULL: a goroutine has no such label ("KEY="), or no known function ("start [unknown]").
 * The class of samples without a goroutine looks similar: "[unknown]". */
static const char *value_of(const struct grouping *by, const struct tree *t,
			    const struct node *n)
{
	int i = n->level - 1;
	const char *shown = node_value(t, n), *value;
	size_t len;

	if (i < 0)
		return shown;
	if (by->keys[i] == BY_START || by->keys[i] == BY_CREATOR)
		return strcmp(shown, "[unknown]") || !strcmp(n->name, shown) ? shown : NULL;
	if (by->keys[i] != BY_LABEL)
		return shown;
	len = strcspn(by->labels[i], ",");
	if (strlen(n->name) <= len || n->name[len] != '=')
		return shown;
	value = n->name + len + 1;
	return !*value ? NULL : !strcmp(value, "\"\"") ? "" : shown;
}

/* What a group is at one level. */
static void json_key(struct json *j, const struct grouping *by, const struct tree *t,
		     const struct node *n)
{
	const char *value = value_of(by, t, n);
	struct buf word = { 0 };

	if (n->level)
		grouping_word(by, n->level - 1, &word);
	else
		buf_str(&word, "process");
	buf_u8(&word, 0);
	json_open(j, NULL, '{');
	json_str(j, "by", (const char *)word.data);
	if (value)
		json_str(j, "value", value);
	else
		json_null(j, "value");
	json_close(j, '}');
	buf_release(&word);
}

static void json_keys(struct json *j, const struct view *v, const struct tree *t,
		      uint32_t node)
{
	uint32_t path[MAX_GROUP_KEYS + 1], n = 0;

	for (; node && n < MAX_GROUP_KEYS + 1; node = t->nodes[node].parent)
		path[n++] = node;
	json_open(j, "keys", '[');
	while (n--)
		json_key(j, &v->by, t, &t->nodes[path[n]]);
	json_close(j, ']');
}

static void json_largest(struct json *j, const struct view *v, const struct group_row *g)
{
	const struct member *m = g->members;

	if (!g->n_members) {
		json_null(j, "largest");
		return;
	}
	json_open(j, "largest", '{');
	json_uint(j, "pid", v->profile->processes[m->process].tgid);
	json_uint(j, "goid", m->goid);
	json_weight(j, v, m->weight);
	json_num(j, "share", share_of(m->weight, g->weight));
	json_close(j, '}');
}

static void json_group(struct json *j, const struct view *v, const struct tree *t,
		       const struct group_row *g)
{
	/* All of it is one goroutine's. */
	bool one = g->n_members == 1 && g->members->weight == g->weight;

	json_open(j, NULL, '{');
	json_str(j, "name", g->name);
	json_str(j, "key", g->key);
	json_keys(j, v, t, g->node);
	json_uint_or_null(j, "goid", one ? g->members->goid : 0);
	json_uint(j, "goroutines", g->goroutines);
	json_largest(j, v, g);
	json_uint(j, "samples", g->samples);
	json_weight(j, v, g->weight);
	json_str(j, "top", g->top);
	json_close(j, '}');
}

static void json_function(struct json *j, const struct view *v,
			  const struct function_row *f)
{
	bool time = profile_is_time(v->profile, v->kind);

	json_open(j, NULL, '{');
	json_str(j, "name", f->name);
	json_str(j, "file", f->file);
	json_uint_or_null(j, "line", f->start_line);
	json_origin(j, "origin", f->origin);
	json_uint(j, "flat", f->flat_samples);
	json_uint(j, "cum", f->cum_samples);
	if (time)
		json_uint(j, "flat_ns", f->flat);
	else
		json_null(j, "flat_ns");
	if (time)
		json_uint(j, "cum_ns", f->cum);
	else
		json_null(j, "cum_ns");
	json_close(j, '}');
}

int table_write_json(struct view *v, FILE *out)
{
	struct json j = { .out = out };
	const struct tree *t;
	struct summary s;

	if (summary_init(&s, v))
		return -E2BIG;
	t = s.tree;
	json_open(&j, NULL, '{');
	json_quality(&j, v);
	json_recording(&j, v);
	json_uint(&j, "samples", t->nodes[0].samples);
	json_weight(&j, v, t->nodes[0].total);
	if (names_kind(v)) {
		const struct event_kind *k = &v->profile->kinds[v->kind];

		json_str(&j, "kind", profile_string(v->profile, k->name));
		json_str(&j, "unit", profile_string(v->profile, k->unit));
	}
	json_selection(&j, v, true);
	json_open(&j, "groups", '[');
	for (uint32_t i = 0; i < s.n_groups; i++)
		json_group(&j, v, t, &s.groups[i]);
	json_close(&j, ']');
	json_open(&j, "functions", '[');
	for (uint32_t i = 0; i < s.n_functions; i++)
		json_function(&j, v, &s.functions[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
	summary_release(&s);
	return 0;
}
