/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees for the tests of writers, made row by row, and views of them. A sample is 10 ms. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/origin.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

#include <fcntl.h>

#define SAMPLE_NS 10000000u

static inline uint32_t hand_node(struct tree *t, uint32_t parent, const char *name,
				 uint8_t kind, uint64_t self)
{
	uint32_t id = t->n_nodes;

	*table_add(t->nodes, t->n_nodes, t->cap_nodes) = (struct node){
		.name = strtab_get(t->names, strtab_add(t->names, name)),
		.parent = parent,
		.type = id ? NODE_FRAME : NODE_ROOT,
		.kind = kind,
		.origin = kind == FRAME_KERNEL || kind == FRAME_NATIVE || kind == FRAME_CUT
				  ? ORIGIN_OTHER
			  : origin_is_standard(name) ? ORIGIN_STANDARD
						     : ORIGIN_OWN,
		.self_samples = (uint32_t)self,
		.self = self * SAMPLE_NS,
	};
	return id;
}

static inline uint32_t hand_group(struct tree *t, uint32_t parent, const char *name,
				  uint32_t goroutines)
{
	uint32_t id = hand_node(t, parent, name, 0, 0);

	*table_add(t->groups, t->n_groups,
		   t->cap_groups) = (struct group){ .node = id,
						    .goroutines = goroutines,
						    .start = "",
						    .creator = "",
						    .labels = "" };
	t->nodes[id].type = NODE_GROUP;
	t->nodes[id].value = strtab_add(t->names, name);
	t->nodes[id].group = t->n_groups;
	return id;
}

/* Says where a function is. */
static inline void hand_file(struct tree *t, uint32_t node, const char *file)
{
	struct profile *p = (struct profile *)t->profile;
	struct frame f = { .addr = node, .file = strtab_add(p->strings, file) };

	t->nodes[node].frame = profile_frame(p, &f);
}

/* A goroutine of the group with this node. */
static inline void hand_member(struct tree *t, uint32_t group, uint64_t goid,
			       uint64_t samples)
{
	*table_add(t->members, t->n_members,
		   t->cap_members) = (struct member){ .group = t->nodes[group].group - 1,
						      .goid = goid,
						      .weight = samples * SAMPLE_NS };
}

static inline struct tree *hand_tree(void)
{
	struct tree *t = mem_zalloc(sizeof(*t));

	t->profile = profile_new();
	t->names = strtab_new();
	hand_node(t, 0, "", 0, 0);
	return t;
}

/* The last step: adds up the subtrees. */
static inline struct tree *hand_done(struct tree *t)
{
	for (uint32_t i = t->n_nodes; i--;) {
		struct node *n = &t->nodes[i], *up = &t->nodes[n->parent];

		n->total += n->self;
		n->samples += n->self_samples;
		if (i) {
			up->total += n->total;
			up->samples += n->samples;
		}
	}
	return t;
}

/* A view of a profile that has a kind of event and nothing else. The view owns the tree. */
static inline struct view hand_view(struct tree *t)
{
	struct profile *p = (struct profile *)t->profile;

	p->n_cpus = 2;
	profile_kind(p, &(struct event_kind){ .name = strtab_add(p->strings, "cpu"),
					      .unit = strtab_add(p->strings, UNIT_NS),
					      .period = SAMPLE_NS,
					      .quality.samples = t->nodes[0].samples });
	return (struct view){ .profile = p,
			      .kind = 1,
			      .duration_ns = 10000000000,
			      .title = "demo-812, 10 s at 100 Hz, cpu-clock",
			      .key = "goroutine",
			      .tree = t };
}

/* For tests to change. */
static inline struct profile *hand_profile_of(const struct view *v)
{
	return (struct profile *)v->profile;
}

/* Another kind of event instead of cpu. */
static inline void hand_kind(const struct view *v, const char *name, const char *unit,
			     uint64_t period)
{
	struct profile *p = hand_profile_of(v);

	p->kinds[1].name = strtab_add(p->strings, name);
	p->kinds[1].unit = strtab_add(p->strings, unit);
	p->kinds[1].period = period;
}

static inline void hand_free(struct tree *t)
{
	profile_free((struct profile *)t->profile);
	tree_free(t);
}

static inline void hand_release(struct view *v)
{
	hand_free(v->tree);
}

/* JSON without our version, which changes. */
static inline void hide_version(char *json)
{
	char *at = strstr(json, "\"version\":\"" GOSTROBE_VERSION "\"");

	cr_assert(at, "%s", json);
	memset(at + 11, 'V', strlen(GOSTROBE_VERSION));
}

/* Compares text with a file. GOLDEN=write in the environment writes the file. */
static inline void expect_golden(const char *text, const char *path)
{
	struct buf want = { 0 };

	if (getenv("GOLDEN")) {
		FILE *f = fopen(path, "w");

		cr_assert(f && fputs(text, f) >= 0 && !fclose(f));
	}
	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &want), 0, "%s", path);
	buf_u8(&want, 0);
	cr_expect_str_eq(text, (const char *)want.data, "%s differs:\n%s", path, text);
	buf_release(&want);
}
