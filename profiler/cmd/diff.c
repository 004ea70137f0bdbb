/* SPDX-License-Identifier: BSD-2-Clause */
/* diff: what changed from one recording to another. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output/comparison.h"
#include "output/diff.h"
#include "output/html.h"
#include "output/losses.h"
#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/cmd/cmd.h"
#include "profiler/profile/match.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/starts.h"

enum {
	OLD,
	NEW,
	ROWS = 10,
	MIN_ROWS = 3,
	OTHER_LINES =
		12, /* of the text besides the rows of its two tables, and the prompt */
};

struct request {
	struct input in[2];
	struct starts *starts;
	const char *format, *output, *rows, *sort, *fail_over;
	bool json, normalise, folded, html;
	double fail_share; /* below 0: not asked for */
	struct diff_options options;
	struct comparison comparison;
};

static int check_by(const struct grouping *by)
{
	for (int i = 0; i < by->n; i++)
		if (by->keys[i] == BY_GOROUTINE || by->keys[i] == BY_THREAD ||
		    by->keys[i] == BY_PROCESS)
			return usage_error(
				"diff",
				"--by: ids of goroutines, threads and processes never match "
				"between recordings; use start, creator, label:KEY, class, "
				"program or none");
	return STATUS_OK;
}

/* The format, by its name or the ending of the file. */
static int check_format(struct request *rq)
{
	const struct writer *w = rq->output ? writer_for_path(rq->output) : NULL;

	rq->folded = rq->format ? !strcmp(rq->format, "folded") : w == &folded_writer;
	rq->html = rq->format ? !strcmp(rq->format, "html") : w == &html_writer;
	if (rq->format && !rq->folded && !rq->html && strcmp(rq->format, "text"))
		return usage_error("diff", "unknown format '%s'; use text, folded or html",
				   rq->format);
	if (w && !(w == &folded_writer && rq->folded) && !(w == &html_writer && rq->html))
		return usage_error("diff", "%s: the output is text, folded or html, not %s",
				   rq->output, w->name);
	if (rq->json && (rq->format || rq->folded || rq->html))
		return usage_error("diff", "--json and %s exclude each other",
				   rq->html ? "html" : "folded");
	return STATUS_OK;
}

static int check_numbers(struct request *rq)
{
	uint64_t rows = ROWS;
	char *end = NULL;

	if (rq->rows && number_parse(rq->rows, 0, UINT32_MAX, &rows))
		return usage_error("diff", "-n takes a number of rows, not '%s'", rq->rows);
	rq->options.rows = (uint32_t)rows;
	if (rq->sort && strcmp(rq->sort, "flat") && strcmp(rq->sort, "cum"))
		return usage_error("diff", "--sort takes flat or cum, not '%s'", rq->sort);
	rq->options.by_cum = rq->sort && !strcmp(rq->sort, "cum");
	rq->fail_share = -1;
	if (!rq->fail_over)
		return STATUS_OK;
	rq->fail_share = strtod(rq->fail_over, &end) / 100;
	if (end == rq->fail_over || (*end && strcmp(end, "%")) || !(rq->fail_share >= 0))
		return usage_error("diff",
				   "--fail-over takes a percentage such as 5, not '%s'",
				   rq->fail_over);
	return STATUS_OK;
}

/* Both must show the same kind of events. */
static int check_kinds(const struct request *rq)
{
	const char *sources[2];

	for (int i = 0; i < 2; i++) {
		const struct profile *p = rq->in[i].profile;
		uint8_t kind = profile_find_kind(p, rq->in[i].view.filter.kind);

		if (!p->n_events) {
			log_error("%s: has no samples", rq->in[i].path);
			return STATUS_FAILED;
		}
		sources[i] = profile_string(p, p->kinds[kind].source);
	}
	if (input_same_kind(&rq->in[OLD], &rq->in[NEW]))
		return STATUS_FAILED;
	if (strcmp(sources[OLD], sources[NEW]))
		log_warn("%s was sampled by %s, %s by %s", rq->in[OLD].path, sources[OLD],
			 rq->in[NEW].path, sources[NEW]);
	return STATUS_OK;
}

static int load(struct request *rq, char **args)
{
	struct view *old = &rq->in[OLD].view, *new = &rq->in[NEW].view;
	int status = STATUS_OK;

	if (!old->by.n)
		grouping_parse("start", &old->by);
	new->by = old->by;
	new->as_pprof = old->as_pprof;
	new->own_only = old->own_only;
	filter_share(&new->filter, &old->filter);
	for (int i = 0; i < 2 && !status; i++) {
		rq->in[i].path = rq->options.paths[i] = args[i];
		status = input_load(&rq->in[i], "diff");
	}
	return status ? status : check_kinds(rq);
}

static int compare(struct request *rq)
{
	struct view *old = &rq->in[OLD].view, *new = &rq->in[NEW].view;
	const struct profile *both[] = { rq->in[OLD].profile, rq->in[NEW].profile };

	rq->starts = starts_new(both, 2);
	old->starts = new->starts = rq->starts;
	old->keep_leaves = new->keep_leaves = true;
	input_select(&rq->in[OLD]);
	input_select(&rq->in[NEW]);
	if (!old->n_events && !new->n_events) {
		log_error("no samples match the filters");
		return STATUS_FAILED;
	}
	match_views(old, new);
	if (comparison_init(&rq->comparison, old, new, rq->normalise, rq->options.by_cum,
			    COMPARED_FALSE))
		return input_too_big(&rq->in[view_tree(old) ? NEW : OLD]);
	return STATUS_OK;
}

/* What the figures do not show: losses. */
static void write_losses(const struct request *rq, FILE *out)
{
	struct buf b = { 0 };

	for (int i = 0; i < 2; i++) {
		losses_add(rq->in[i].profile, &b);
		if (b.len)
			fprintf(out, "\n%s:\n", rq->in[i].path);
		buf_write(&b, out);
	}
	buf_release(&b);
}

/* Numbers of samples compare only if they were taken alike. */
static void warn_folded(const struct comparison *c)
{
	double ratio = c->seconds[OLD] / c->seconds[NEW];

	if (c->unit != COMPARED_SHARES && (ratio > 1.05 || ratio < 1 / 1.05))
		log_warn("the recordings differ in length, %.1fs and %.1fs; -N scales OLD",
			 c->seconds[OLD], c->seconds[NEW]);
}

static int write_all(struct request *rq)
{
	const char *path = rq->output ? rq->output : "-";
	bool terminal = !rq->output && isatty(STDOUT_FILENO);
	struct winsize size = { 0 };
	struct outfile f;
	int err;

	if (would_replace(path, rq->in[OLD].path) || would_replace(path, rq->in[NEW].path))
		return STATUS_FAILED;
	err = outfile_open(&f, path);
	if (terminal)
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	rq->options.width = terminal ? (size.ws_col ? size.ws_col : 80) : 0;
	/* both tables fit a low terminal */
	if (!rq->rows && size.ws_row && (size.ws_row - OTHER_LINES) / 2 < ROWS)
		rq->options.rows = size.ws_row > OTHER_LINES + 2 * MIN_ROWS
					   ? (uint32_t)(size.ws_row - OTHER_LINES) / 2
					   : MIN_ROWS;
	rq->options.color = !rq->output && color_wanted(stdout);
	if (!err && rq->json) {
		diff_write_json(&rq->comparison, &rq->options, f.out);
	} else if (!err && rq->folded) {
		warn_folded(&rq->comparison);
		diff_write_folded(&rq->comparison, f.out);
	} else if (!err && rq->html) {
		err = html_write_diff(&rq->in[OLD].view, &rq->in[NEW].view, rq->normalise,
				      f.out);
	} else if (!err) {
		diff_write_text(&rq->comparison, &rq->options, f.out);
		write_losses(rq, f.out);
	}
	if (!err)
		err = outfile_commit(&f);
	outfile_abort(&f);
	if (err)
		log_error("%s: %s", strcmp(path, "-") ? path : "stdout", strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}

static int judge(const struct request *rq)
{
	const struct comparison *c = &rq->comparison;
	const struct difference *d;
	double all = c->unit == COMPARED_SHARES ? 1 : c->total.old;
	const char *name = rq->fail_share < 0 ? NULL
					      : comparison_grown(c, rq->fail_share, &d);
	struct buf b = { 0 };

	if (!name)
		return STATUS_OK;
	text_fit(&b, name, UINT32_MAX);
	if (all > 0)
		buf_printf(&b, " grew by %.1f%% (±%.1f%%) of the total of %s",
			   100 * d->delta / all, 100 * d->error / all, rq->in[OLD].path);
	else
		buf_printf(&b, " is new, and the total of %s is 0", rq->in[OLD].path);
	log_error("%s", buf_text(&b));
	buf_release(&b);
	return STATUS_DIFFERS;
}

static int run(struct request *rq, int argc, char **args)
{
	int status = check_by(&rq->in[OLD].view.by);

	if (!status)
		status = check_format(rq);
	if (!status)
		status = check_numbers(rq);
	if (!status && argc != 2)
		status = usage_error("diff", "takes two recordings, OLD and NEW");
	if (!status)
		status = load(rq, args);
	if (!status)
		status = compare(rq);
	if (!status)
		status = write_all(rq);
	return status ? status : judge(rq);
}

int cmd_diff(int argc, char **argv)
{
	struct request rq = { 0 };
	const struct opt opts[] = {
		{ 'N', "normalise", NULL, "compare shares instead of CPU time per second",
		  .flag = &rq.normalise },
		{ 'n', "rows", "N", "rows of each table (10, or what fits); 0 for all",
		  .str = &rq.rows },
		{ 0, "sort", "COLUMN", "functions by flat or cum (flat)", .str = &rq.sort },
		{ 0, "own", NULL,
		  "only the program's own code; other frames count for their callers",
		  .flag = &rq.in[OLD].view.own_only },
		{ 0, "fail-over", "PCT",
		  "exit with 3 if a group or function grew by more, see above",
		  .str = &rq.fail_over },
		{ 'f', "format", "NAME", "text, folded or html (text)", .str = &rq.format },
		{ 'o', "output", "FILE", "output file; - for stdout (-)",
		  .str = &rq.output },
		{ 0, "json", NULL, "one JSON object, with all rows", .flag = &rq.json },
		VIEW_OPTIONS(&rq.in[OLD].view, "start"),
		COMMON_OPTIONS,
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		return help_verb("diff", opts);
	if (!opt_parse(opts, &argc, &argv, true))
		status = run(&rq, argc, argv);
	comparison_release(&rq.comparison);
	/* the new one's filter is the old one's */
	input_close(&rq.in[NEW]);
	input_close(&rq.in[OLD]);
	starts_free(rq.starts);
	return status;
}
