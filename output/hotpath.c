/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/hotpath.h"

#include <string.h>

#include "output/summary.h"
#include "output/text.h"
#include "profiler/base/buf.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/tree.h"
#include "symbolizer/frame.h"

/* Adds the name of path[i]: with the last element of its package's path, and without a
 * package if the name before has the same. brief: "regexp…tryBacktrack" for
 * "regexp.(*Regexp).tryBacktrack". */
static void path_name_add(struct buf *to, const struct group_row *g, uint32_t i, bool first,
			  bool brief)
{
	const char *name = g->path[i].name, *last = first ? "" : g->path[i - 1].name;
	size_t len = origin_package_len(name);
	bool same = name[len] && origin_package_len(last) == len &&
		    !strncmp(name, last, len);
	const char *base = name, *method = strstr(name + len, ").");

	for (size_t k = 0; k < len; k++)
		base = name[k] == '/' ? name + k + 1 : base;
	if (brief && method && name[len + 1] == '(')
		buf_printf(to, "%.*s…%s", same ? 0 : (int)(name + len - base), base,
			   method + 2);
	else
		buf_str(to, same ? name + len + 1 : base);
	buf_str(to, g->path[i].kind == FRAME_KERNEL ? "_[k]" : "");
}

void hotpath_fit(struct buf *to, const struct group_row *g, uint32_t max)
{
	struct buf b = { 0 };

	for (uint32_t try = 0; try < 2 * g->n_path; try++) {
		b.len = 0;
		buf_str(&b, try < 2 ? "" : "… › ");
		for (uint32_t i = try / 2; i < g->n_path; i++) {
			buf_str(&b, i > try / 2 ? " › " : "");
			path_name_add(&b, g, i, i == try / 2, try & 1);
		}
		if (text_columns(buf_text(&b)) <= max)
			break;
	}
	if (g->n_path)
		text_fit(to, buf_text(&b), max);
	buf_release(&b);
}
