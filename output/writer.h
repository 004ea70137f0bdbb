/* SPDX-License-Identifier: BSD-2-Clause */
/* An output format. The list is in writer.c; a new one is one file and one line there. */
#ifndef OUTPUT_WRITER_H
#define OUTPUT_WRITER_H

#include <stdbool.h>
#include <stdio.h>

struct view;

/* What only some formats can do; the others ignore it. */
struct writer_options {
	bool annotate; /* folded: "_[i]" at the end of inlined frames */
};

struct writer {
	const char *name;   /* what -f says */
	const char *ending; /* of file names that mean it, ".folded" */
	const char *help;
	bool binary; /* never written to a terminal */
	/* 0, or -errno; -E2BIG is that of view_tree(). The caller looks at ferror(out). */
	int (*write)(struct view *v, const struct writer_options *o, FILE *out);
};

/* All of them, ended by a NULL. */
extern const struct writer *const writers[];

/* By name, by the ending of a path; NULL when there is none. */
const struct writer *writer_find(const char *name);
const struct writer *writer_for_path(const char *path);

extern const struct writer folded_writer, html_writer;

#endif
