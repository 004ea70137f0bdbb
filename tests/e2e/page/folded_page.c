/* SPDX-License-Identifier: BSD-2-Clause */
/* For viewing the page: reads folded stacks from stdin, with the group as first frame, and
 * writes the page to stdout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/base/index.h"
#include "profiler/base/strtab.h"
#include "profiler/profile/tree.h"
#include "profiler/profile/view.h"

enum { SAMPLE_NS = 10000000 };

static struct tree tree;
static struct arena arena;
static const char **frames; /* by node: its name as it was in the folded stack */
static uint32_t n_frames, cap_frames;

/* The writer's call: the tree is made by hand here. */
const struct tree *view_tree(struct view *v)
{
	return v->tree;
}

struct key {
	uint32_t parent;
	const char *name;
};

static bool same(const void *arg, uint32_t id)
{
	const struct key *k = arg;

	return tree.nodes[id].parent == k->parent && frames[id] == k->name;
}

static void dress(struct node *n, const char *name)
{
	const char *mark = strstr(name, "_[k]");

	n->kind = FRAME_GO;
	if (mark) {
		n->name = arena_strndup(&arena, name, (size_t)(mark - name));
		n->kind = FRAME_KERNEL;
	} else if (name[0] == '[') {
		n->kind = FRAME_VDSO;
	} else if (strstr(name, ".so")) {
		n->kind = strchr(name, '+') ? FRAME_UNNAMED : FRAME_NATIVE;
		n->module = "/usr/lib/libc.so.6";
	} else {
		n->file = arena_printf(&arena, "/src/%.40s.go", name);
		n->start_line = (uint32_t)strlen(name) * 7;
	}
}

static uint32_t child(struct index *ix, uint32_t parent, const char *name)
{
	struct key k = { parent, name };
	uint64_t hash = hash_pair(parent, (uintptr_t)name);
	uint32_t id = index_find(ix, hash, same, &k);
	struct node *n;

	if (id != INDEX_NONE)
		return id;
	id = tree.n_nodes;
	n = table_add(tree.nodes, tree.n_nodes, tree.cap_nodes);
	*n = (struct node){
		.name = name, .file = "", .module = "", .parent = parent, .type = NODE_FRAME
	};
	*table_add(frames, n_frames, cap_frames) = name;
	index_add(ix, hash, id);
	if (parent) {
		dress(n, name);
		return id;
	}
	n->type = NODE_GROUP;
	*table_add(tree.groups, tree.n_groups,
		   tree.cap_groups) = (struct group){ .node = id,
						      .goroutines = 1,
						      .start = "",
						      .creator = "main.main main.go:41",
						      .labels = "job=encode" };
	n->group = tree.n_groups;
	return id;
}

int main(int argc, char **argv)
{
	struct profile *profile = profile_new();
	struct view view = { .profile = profile,
			     .kind = 1,
			     .title = argc > 1 ? argv[1]
					       : "demo-812, 10 s at 100 Hz, cpu-clock",
			     .key = "goroutine",
			     .tree = &tree };
	struct strtab *names = strtab_new();
	struct quality *q;
	struct index ix = { 0 };
	char *line = NULL;
	size_t cap = 0;

	profile->start_ns = 1764015012000000000;
	profile_kind(profile,
		     &(struct event_kind){ .name = strtab_add(profile->strings, "cpu"),
					   .unit = strtab_add(profile->strings, UNIT_NS),
					   .period = SAMPLE_NS });
	q = &profile->kinds[1].quality;
	*table_add(tree.nodes, tree.n_nodes,
		   tree.cap_nodes) = (struct node){ .name = "", .file = "", .module = "" };
	*table_add(frames, n_frames, cap_frames) = "";
	while (getline(&line, &cap, stdin) > 0) {
		char *count = strrchr(line, ' '), *rest = line, *name;
		uint64_t samples = strtoull(count, NULL, 10);
		uint32_t at = 0;

		*count = 0;
		while ((name = strsep(&rest, ";")))
			at = child(&ix, at, strtab_get(names, strtab_add(names, name)));
		tree.nodes[at].self_samples += samples;
		tree.nodes[at].self += samples * SAMPLE_NS;
		q->samples += samples;
	}
	q->with_class = q->samples;
	q->with_goroutine = q->samples * 932 / 1000;
	q->rooted = q->samples - q->samples / 2500;
	profile->stats.cpu_ns = 42000000;
	profile->stats.peak_rss = 23000000;
	html_writer.write(&view, &(struct writer_options){ 0 }, stdout);
	index_release(&ix);
	strtab_free(names);
	profile_free(profile);
	arena_release(&arena);
	free(frames);
	free(tree.nodes);
	free(tree.groups);
	free(line);
	return ferror(stdout) != 0;
}
