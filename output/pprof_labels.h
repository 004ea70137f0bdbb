/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The labels of samples in pprof output: numbers goid, go_parent, pid, thread_id and cpu,
 * strings go_start, go_created_by and thread_name, and the program's own.
 *
 * A program's label may have one of these keys. It keeps it; ours is then named
 * "gostrobe.goid" in the whole profile, because pprof cannot tell two labels with one key
 * apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "profile.pb-c.h"
#include "profiler/base/buf.h"
#include "profiler/base/pairs.h"

struct event;
struct strtab;
struct view;
struct writer_options;

enum pprof_label {
	PPROF_GOID,
	PPROF_GO_PARENT,
	PPROF_GO_START,
	PPROF_GO_CREATED_BY,
	PPROF_PID,
	PPROF_THREAD_ID,
	PPROF_THREAD_NAME,
	PPROF_CPU,
	PPROF_LABELS
};

/* What distinguishes samples; --labels. */
enum pprof_labels_of {
	LABELS_OF_GROUP, /* the goroutine and its labels; with several processes the pid */
	LABELS_OF_ALL,   /* also thread, process and CPU */
	LABELS_OF_NONE,
	/* goid and go_parent; strings only as struct label_choice says, for receivers that
	 * make a series of each of their values */
	LABELS_CHOSEN,
};

struct pprof_labels {
	const struct view *view; /* outlives it */
	uint8_t of;              /* enum pprof_labels_of */
	const struct label_choice *choice;
	struct buf note; /* a line for each key that the program uses too */
	/* Private. */
	struct strtab *strings; /* of the output; not owned */
	int64_t keys[PPROF_LABELS], id_unit;
	struct pairs whos;  /* with LABELS_OF_ALL: (goroutine, thread), cpu */
	struct pairs names; /* (string, process) of names of Go functions */
	int64_t *name_ids;  /* per row of names: the string in the output */
	uint32_t n_name_ids, cap_name_ids;
	struct buf key, value, prefix;
	Pprof__Label *rows, **list; /* of one sample */
	uint32_t n, cap, n_list, cap_list;
};

void pprof_labels_init(struct pprof_labels *l, const struct view *v,
		       const struct writer_options *o, struct strtab *strings);
void pprof_labels_release(struct pprof_labels *l);

/* A number for the labels of an event: equal labels have the same. */
uint64_t pprof_labels_key(struct pprof_labels *l, const struct event *e);
/* The labels of these events, valid until the next call. Returns how many. */
size_t pprof_labels_get(struct pprof_labels *l, uint64_t key, Pprof__Label ***ret);

/* The id of a string of n bytes, made valid UTF-8 without NULs; what is not becomes
 * U+FFFD. */
int64_t pprof_text(struct strtab *strings, const char *s, size_t n);
