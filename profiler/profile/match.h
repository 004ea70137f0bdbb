/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of groups that agree between two recordings. Ids never do: of a process the name
 * counts, where one recording has several programs. Goroutines with one start function are
 * told apart by where they were created, if that is in several places.
 *
 * A place is a go statement: its function, file and line. The line changes with every edit,
 * so the go statements of one function are matched
 *
 * - by their lines, if those of one recording are all in the other one too,
 * - else in their order, if both recordings have equally many, and get the newer lines,
 * - else not at all: they are one place, without a line.
 */
#pragma once

#include <stdbool.h>

struct strtab;
struct view;

/* What the groups of a view are named after, per row of profile->goroutines. */
struct match {
	const char **creators; /* owned: "main.(*Pool).run pool.go:41"; "": not known */
	bool *several; /* owned: others with its start function have another creator */
	bool programs; /* there are several */
	struct strtab *names; /* owned */
};

/* Both were selected, and have no tree yet. Sets their match. */
void match_views(struct view *old, struct view *new);
void match_free(struct match *m); /* takes NULL */
