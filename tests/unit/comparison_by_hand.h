/* SPDX-License-Identifier: BSD-2-Clause */
/* Two profiles by hand, compared as `diff` does. */
#pragma once

#include <criterion/criterion.h>

#include "output/comparison.h"
#include "profiler/profile/match.h"
#include "profiler/profile/starts.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

struct hand_pair {
	struct profile *p[2]; /* owned */
	struct view v[2];
	struct starts *starts;
	struct comparison c;
};

/* The profiles are the pair's from now on. */
static inline void hand_compare(struct hand_pair *r, struct profile *old,
				struct profile *new, const char *by, bool shares, bool cum)
{
	*r = (struct hand_pair){ .p = { old, new } };
	r->starts = starts_new((const struct profile *const *)r->p, 2);
	for (int i = 0; i < 2; i++) {
		cr_assert_null(grouping_parse(by, &r->v[i].by));
		r->v[i].keep_leaves = true;
		r->v[i].starts = r->starts;
		view_select(&r->v[i], r->p[i]);
	}
	match_views(&r->v[0], &r->v[1]);
	cr_assert_eq(
		comparison_init(&r->c, &r->v[0], &r->v[1], shares, cum, COMPARED_FALSE), 0);
}

static inline void hand_compared(struct hand_pair *r)
{
	comparison_release(&r->c);
	for (int i = 0; i < 2; i++) {
		view_release(&r->v[i]);
		profile_free(r->p[i]);
	}
	starts_free(r->starts);
}
