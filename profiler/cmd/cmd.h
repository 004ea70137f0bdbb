/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by all verbs. A verb gets its arguments, with its own name as argv[0], and returns
 * the exit status. Results go to stdout, messages to stderr.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "output/table.h"
#include "profiler/cmd/opt.h"
#include "profiler/profile/view.h"

struct space;
struct symbolizer;
struct writer;
struct writer_options;

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_DIFFERS = 3, /* diff --fail-over or compare found a difference */
	/* of record -- COMMAND: gostrobe itself failed, and what a shell would return */
	STATUS_LAUNCH_FAILED = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

int cmd_agent(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_flame(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_goroutines(int argc, char **argv);
int cmd_symbolize(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_completions(int argc, char **argv);
int cmd_help(int argc, char **argv);
/* `gostrobe PID [OPTION…]`; argv[0] is ignored. */
int cmd_pid(const char *pid, int argc, char **argv);

/* All verbs, followed by a NULL name. */
struct verb {
	const char *name, *args, *summary;
	const char *text; /* for `help VERB`, after the summary; NULL: none */
	int (*run)(int argc, char **argv);
};

extern const struct verb verbs[];

const struct verb *verb_find(const char *name); /* NULL: no such verb */

/* Is there a -h or --help before any "--"? */
bool help_wanted(int argc, char **argv);
/* Prints the help of a verb with these options to stdout. Returns STATUS_OK. */
int help_verb(const char *verb, const struct opt *opts);
/* Calls take with the options of each verb that has some; they are valid until it
 * returns. */
void help_options(void (*take)(void *arg, const char *verb, const struct opt *opts),
		  void *arg);
/* Prints the list of verbs. */
void help_all(FILE *out);
/* Prints the version, and what this build can do. Returns STATUS_OK. */
int help_version(void);
/* Reports that the first word is not a verb. Returns STATUS_USAGE. */
int unknown_command(const char *word);
/* Prints one log_error() line and where to read more. Returns STATUS_USAGE. */
int usage_error(const char *verb, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The rows that every verb has, at the end of its option table. */
/* clang-format off */
#define COMMON_OPTIONS \
	{ 'q', "quiet", NULL, "print errors only", .parse = quiet_parse }, \
	{ 'v', "verbose", NULL, "print more detail", .parse = verbose_parse }, \
	{ 0, "color", "WHEN", "auto, always or never (auto; honours NO_COLOR)", .parse = color_parse }, \
	{ 0 }
/* clang-format on */

const char *quiet_parse(const char *arg, void *data);
const char *verbose_parse(const char *arg, void *data);
const char *color_parse(const char *arg, void *data);
/* What --color says; for auto, true if out is a terminal and NO_COLOR is not set. */
bool color_wanted(FILE *out);

/* The option rows for grouping and filters of a view. by_default: what --by is
 * without it. */
/* clang-format off */
#define VIEW_OPTIONS(v, by_default) \
	{ 0, "by", "KEY", "grouping, see below (" by_default ")", \
	  .parse = grouping_parse, .data = &(v)->by }, \
	{ 0, "pid", "N[,N]", "only these processes", .parse = filter_pids, .data = &(v)->filter }, \
	VIEW_FILTERS(v)
#define VIEW_FILTERS(v) \
	{ 0, "goid", "N[,N]", "only these goroutines", .parse = filter_goids, .data = &(v)->filter }, \
	{ 0, "time", "FROM-TO", "only this part, such as 1s-10s", \
	  .parse = filter_time, .data = &(v)->filter }, \
	{ 0, "kind", "NAME", "only events of this kind, such as cpu (the first with events)", \
	  .str = &(v)->filter.kind }, \
	{ 0, "label", "KEY=VALUE", "only samples with this label; repeat to require several", \
	  .parse = filter_label, .data = &(v)->filter }, \
	{ 0, "focus", "REGEX", "only stacks in which a function matches", \
	  .parse = filter_focus, .data = &(v)->filter }, \
	{ 0, "ignore", "REGEX", "leave out stacks in which a function matches", \
	  .parse = filter_ignore, .data = &(v)->filter }, \
	{ 0, "as-pprof", NULL, "show what runtime/pprof would have recorded", \
	  .flag = &(v)->as_pprof }, \
	{ 0, "max-memory", "SIZE", "memory for the recording, such as 2G (40 times its size plus 64M)", \
	  .parse = memory_parse, .data = &(v)->max_memory }
/* clang-format on */

/* What report prints, and its option rows. */
struct report_options {
	struct table_options table;
	const char *min_share;
	bool json;
};

/* clang-format off */
#define REPORT_OPTIONS(o, v) \
	{ 'n', "rows", "N", "rows of each table; 0 for all (as many as fit)", \
	  .parse = report_rows, .data = (o) }, \
	{ 0, "sort", "COLUMN", "functions by flat or cum (flat)", .parse = report_sort, .data = (o) }, \
	{ 0, "lines", NULL, "lines of source instead of functions", .flag = &(o)->table.lines }, \
	{ 0, "tree", NULL, "the tree of calls instead of tables", .flag = &(o)->table.tree }, \
	{ 0, "callers", "FUNC", "who calls this function, as a tree", .str = &(o)->table.callers }, \
	{ 0, "own", NULL, "only the program's own code; other frames count for their callers", \
	  .flag = &(v)->own_only }, \
	{ 0, "min-share", "PERCENT", "leave out what is smaller (0; 1 for --tree and --callers)", \
	  .parse = report_min_share, .data = (o) }, \
	{ 0, "json", NULL, "one JSON object", .flag = &(o)->json }
/* clang-format on */

const char *memory_parse(const char *arg, void *bytes);
const char *report_rows(const char *arg, void *options);
const char *report_sort(const char *arg, void *options);
const char *report_min_share(const char *arg, void *options);

/* Can the format show these groups? See enum writer_groups. */
bool grouping_fits(const struct writer *w, const struct grouping *by);
/* Grouping without --by; of a table, w is NULL: start functions. */
struct grouping grouping_default(const struct writer *w);

/* A recording, and what a verb shows of it. */
struct input {
	const char *path;
	struct profile *profile;
	const struct writer *writer; /* that it is for; NULL: a table */
	struct view view; /* of the profile; its options are set before input_open() */
};

/* Loads the file in args, which must be the only one, and selects samples. Returns
 * STATUS_OK, or another status after a log_error() line; also if nothing is selected. */
int input_open(struct input *in, const char *verb, int argc, char **args);
/* Its two parts, for verbs with several recordings. Loads in->path, and checks that there
 * is the kind of events that the view asks for; returns a status as input_open() does. */
int input_load(struct input *in, const char *verb);
/* Do both views show the same kind of events? Returns STATUS_FAILED after a log_error()
 * line. */
int input_same_kind(const struct input *a, const struct input *b);
/* Selects samples: maybe none. */
void input_select(struct input *in);
void input_close(struct input *in); /* also after a failure */

/* Prints to stdout what `report` does. Returns STATUS_OK, or another status after a
 * log_error() line. */
int report_print(struct input *in, const struct report_options *o);

/* Finds the writer for -f and the ending of -o; either may be NULL. *ret is NULL for a
 * recording, which is also the default. Returns STATUS_OK, or STATUS_USAGE after a
 * log_error() line if one is unknown or they contradict each other. */
int format_find(const char *verb, const char *format, const char *path,
		const struct writer **ret);

/* "x.gsr" becomes "x.html", and so does "x", with the ending ".html". To be freed. */
char *path_beside(const char *recording, const char *ending);
/* Reports that the output, unless it is "-", is the same file as the input. */
bool would_replace(const char *output, const char *input);
/* Writes to path, "-" for stdout, completely or not at all. Returns STATUS_FAILED after a
 * log_error() line. */
int input_write(struct input *in, const struct writer *w, const struct writer_options *o,
		const char *path);
/* Reports that view_tree() gave no tree. Returns STATUS_FAILED after a log_error() line. */
int input_too_big(const struct input *in);

/* space_open_file() and space_open() for what the user named. Return STATUS_FAILED after a
 * log_error() line. */
int open_binary(struct space **ret, struct symbolizer *s, const char *path);
int open_process(struct space **ret, struct symbolizer *s, pid_t pid);

/* Explains why this machine, or this user, cannot run a verb: the call `what` failed with
 * -errno. */
void say_cannot(const char *verb, const char *what, int err);
