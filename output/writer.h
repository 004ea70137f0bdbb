/* SPDX-License-Identifier: BSD-2-Clause */
/* Output formats. A new one is one file, and one line in the list of writer.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct view;

/* With LABELS_CHOSEN: which labels are written as strings, and with which values. */
struct label_choice {
	bool (*has)(void *arg, const char *key);
	/* Valid until the next call; "" leaves it out. */
	const char *(*value)(void *arg, const char *key, const char *value);
	void *arg;
};

/* How large a pprof file has become. */
struct pprof_size {
	size_t bytes; /* before it was compressed */
	uint32_t samples;
};

/* What only some formats can do; the others ignore it. */
struct writer_options {
	bool annotate;                     /* folded: "_[i]" at the end of inlined frames */
	uint8_t labels;                    /* pprof: enum pprof_labels_of */
	const struct label_choice *choice; /* pprof: for LABELS_CHOSEN */
	struct pprof_size *size;           /* pprof: NULL, or to be filled in */
	bool kinds; /* pprof: of locations too, for a reader of our own */
};

/* What groups a format can show. */
enum writer_groups {
	GROUPS_ANY,
	GROUPS_NONE,      /* it has no groups */
	GROUPS_GOROUTINE, /* goroutines, or none */
};

struct writer {
	const char *name; /* what -f says */
	/* File names that end so have this format: ".folded"; NULL: none do. */
	const char *ending;
	const char *help;
	bool binary;            /* not for terminals */
	bool annotates, labels; /* it knows these of struct writer_options */
	uint8_t groups;         /* enum writer_groups */
	uint8_t by;             /* enum group_key: grouping without --by */
	/* 0 or -errno; -E2BIG: view_tree() gave no tree. The caller checks ferror(out). */
	int (*write)(struct view *v, const struct writer_options *o, FILE *out);
};

/* All formats; a NULL ends the list. */
extern const struct writer *const writers[];

/* Adds what -f takes, or the endings of files: "folded, html or json". */
void writer_names(struct buf *to);
void writer_endings(struct buf *to);

/* By name, and by the ending of a path, the longest that fits. NULL: there is none. */
const struct writer *writer_find(const char *name);
const struct writer *writer_for_path(const char *path);

extern const struct writer folded_writer;
extern const struct writer firefox_writer;
extern const struct writer html_writer;
extern const struct writer json_writer;
extern const struct writer perf_script_writer;
extern const struct writer perfetto_writer;
extern const struct writer pprof_writer;
extern const struct writer speedscope_writer;
extern const struct writer svg_writer;
