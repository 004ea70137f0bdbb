/* SPDX-License-Identifier: BSD-2-Clause */
/* report --json. */
#include <errno.h>

#include "output/json.h"
#include "output/json_meta.h"
#include "output/summary.h"
#include "output/table.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

/* Profiles of CPU time alone look as they did before there were kinds. */
static bool names_kind(const struct view *v)
{
	return v->other_kinds || !view_is_cpu(v);
}

static void json_group(struct json *j, const struct group_row *g, const struct view *v)
{
	json_open(j, NULL, '{');
	json_str(j, "name", g->name);
	json_str(j, "key", g->key);
	json_uint(j, "goroutines", g->goroutines);
	json_uint(j, "samples", g->samples);
	if (view_is_cpu(v))
		json_uint(j, "cpu_ns", g->weight);
	else
		json_null(j, "cpu_ns");
	if (names_kind(v))
		json_uint(j, "weight", g->weight);
	json_str(j, "top", g->top);
	json_close(j, '}');
}

static void json_function(struct json *j, const struct function_row *f)
{
	json_open(j, NULL, '{');
	json_str(j, "name", f->name);
	json_str(j, "file", f->file);
	json_uint(j, "flat", f->flat_samples);
	json_uint(j, "cum", f->cum_samples);
	json_close(j, '}');
}

int table_write_json(struct view *v, FILE *out)
{
	struct json j = { .out = out };
	const struct tree *t = view_tree(v);
	struct summary s;

	if (!t)
		return -E2BIG;
	summary_init(&s, t);
	json_open(&j, NULL, '{');
	json_quality(&j, v);
	if (names_kind(v)) {
		const struct event_kind *k = &v->profile->kinds[v->kind];

		json_str(&j, "kind", profile_string(v->profile, k->name));
		json_str(&j, "unit", profile_string(v->profile, k->unit));
	}
	json_open(&j, "groups", '[');
	for (uint32_t i = 0; i < s.n_groups; i++)
		json_group(&j, &s.groups[i], v);
	json_close(&j, ']');
	json_open(&j, "functions", '[');
	for (uint32_t i = 0; i < s.n_functions; i++)
		json_function(&j, &s.functions[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
	summary_release(&s);
	return 0;
}
