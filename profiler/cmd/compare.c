/* SPDX-License-Identifier: BSD-2-Clause */
/* compare: a recording beside a CPU profile of runtime/pprof, or any two of both kinds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/agreement.h"
#include "output/comparison.h"
#include "output/diff.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/compare.h"
#include "profiler/profile/label_keys.h"
#include "profiler/profile/match.h"
#include "profiler/profile/pprof_read.h"

enum {
	ROWS = 15,
	MAX_LABEL_KEYS = 8,
	MAX_COPY = 1 << 30,
	COVERED_PERCENT = 90, /* less of the profile's time in the recording is said */
};

/* One of the two files. */
struct side {
	struct input in;
	bool is_pprof;
	int copy; /* of what can be read only once, or -1 */
	char copy_path[32];
};

struct request {
	struct side sides[2];
	const char *rows, *pid, *freq;
	bool json;
	char *live[2]; /* owned: names of the files that were made */
	struct diff_options options;
	struct comparison functions, labels[MAX_LABEL_KEYS];
	struct view label_views[MAX_LABEL_KEYS][2];
	const char *keys[MAX_LABEL_KEYS];
	struct compared compared;
};

/* Loading. */

/* A pipe is read only once, but we look at its first bytes before we read it. Returns where
 * to read; NULL after a log_error() line. */
static const char *readable_path(struct side *s)
{
	struct buf bytes = { 0 };
	struct stat st;
	int err;

	s->copy = -1;
	if (stat(s->in.path, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return s->in.path;
	err = file_read(AT_FDCWD, s->in.path, MAX_COPY, &bytes);
	if (!err) {
		s->copy = memfd_create("gostrobe", MFD_CLOEXEC);
		if (s->copy < 0 ||
		    write(s->copy, bytes.data, bytes.len) != (ssize_t)bytes.len)
			err = -errno;
	}
	buf_release(&bytes);
	if (err) {
		log_error("%s: %s", s->in.path, strerror(-err));
		return NULL;
	}
	snprintf(s->copy_path, sizeof(s->copy_path), "/proc/self/fd/%d", s->copy);
	return s->copy_path;
}

/* What is not a recording is read as pprof. */
static bool is_recording(const char *path)
{
	char magic[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, magic, sizeof(magic));

	if (fd >= 0)
		close(fd);
	return n == sizeof(magic) && !memcmp(magic, "gostrobe", sizeof(magic));
}

static int load_side(struct side *s)
{
	const char *path = readable_path(s), *name = s->in.path, *why;
	int err, status;

	if (!path)
		return STATUS_FAILED;
	s->is_pprof = !is_recording(path);
	if (!s->is_pprof) {
		s->in.path = path;
		status = input_load(&s->in, "compare");
		s->in.path = name;
		return status;
	}
	err = pprof_read(&s->in.profile, path, &why);
	if (err)
		log_error("%s: %s", name, err == -EBADMSG ? why : strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}

/* Selects, of a recording, the time in which the pprof file was taken. */
static void align(struct request *rq, int recording)
{
	struct filter *f = &rq->sides[recording].in.view.filter;
	const struct profile *r = rq->sides[recording].in.profile,
			     *p = rq->sides[!recording].in.profile;
	uint64_t end = p->start_ns + p->stats.duration_ns,
		 r_end = r->start_ns + r->stats.duration_ns, covered;

	if (!p->start_ns || f->from_ns || f->to_ns)
		return;
	rq->compared.apart = end <= r->start_ns || p->start_ns >= r_end;
	if (rq->compared.apart) {
		log_warn("%s and %s were not taken at the same time", rq->sides[0].in.path,
			 rq->sides[1].in.path);
		return;
	}
	if (p->start_ns > r->start_ns)
		f->from_ns = p->start_ns - r->start_ns;
	f->to_ns = end - r->start_ns;
	covered = (end < r_end ? end : r_end) - r->start_ns - f->from_ns;
	if (covered * 100 < p->stats.duration_ns * COVERED_PERCENT)
		log_warn(
			"%s has only %.1fs of the %.1fs of %s, so they may differ by what ran when",
			rq->sides[recording].in.path, (double)covered / 1e9,
			(double)p->stats.duration_ns / 1e9, rq->sides[!recording].in.path);
}

static int load(struct request *rq, char **args)
{
	struct view *first = &rq->sides[0].in.view, *second = &rq->sides[1].in.view;
	int status = STATUS_OK;

	second->as_pprof = first->as_pprof;
	filter_share(&second->filter, &first->filter);
	for (int i = 0; i < 2 && !status; i++) {
		rq->sides[i].in.path = rq->options.paths[i] = args[i];
		status = load_side(&rq->sides[i]);
	}
	if (status)
		return status;
	if (rq->sides[0].is_pprof != rq->sides[1].is_pprof)
		align(rq, rq->sides[0].is_pprof);
	for (int i = 0; i < 2; i++) {
		struct view *v = &rq->sides[i].in.view;

		rq->compared.as_pprof |= !rq->sides[i].is_pprof &&
					 (v->as_pprof || rq->sides[!i].is_pprof);
		v->as_pprof = !rq->sides[i].is_pprof &&
			      (v->as_pprof || rq->sides[!i].is_pprof);
		if (!rq->sides[i].is_pprof)
			continue;
		/* it knows no times, and is of one process */
		v->filter.from_ns = v->filter.to_ns = 0;
		v->filter.pids.n = 0;
	}
	return STATUS_OK;
}

/* Comparing. */

static int compare_views(struct request *rq, struct comparison *c, struct view *a,
			 struct view *b)
{
	match_views(a, b);
	if (comparison_init(c, a, b, true, false, AGREEMENT_FALSE))
		return input_too_big(&rq->sides[view_tree(a) ? 1 : 0].in);
	return STATUS_OK;
}

static int compare_functions(struct request *rq)
{
	for (int i = 0; i < 2; i++) {
		struct input *in = &rq->sides[i].in;

		in->view.keep_leaves = true;
		input_select(in);
		if (!in->view.n_events) {
			log_error("%s: no samples match the filters", in->path);
			return STATUS_FAILED;
		}
	}
	if (input_same_kind(&rq->sides[0].in, &rq->sides[1].in))
		return STATUS_FAILED;
	return compare_views(rq, &rq->functions, &rq->sides[0].in.view,
			     &rq->sides[1].in.view);
}

/* CPU per value of a label that both have. */
static int compare_label(struct request *rq, const char *key)
{
	uint32_t n = rq->compared.n_labels;
	struct view *views = rq->label_views[n];

	for (int i = 0; i < 2; i++) {
		struct view *of = &rq->sides[i].in.view;

		views[i] = (struct view){
			.by = { .keys = { BY_LABEL }, .n = 1, .labels = { key } },
			.as_pprof = of->as_pprof,
			.keep_leaves = true,
			.labels_only = true
		};
		filter_share(&views[i].filter, &of->filter);
		views[i].filter.from_ns = of->filter.from_ns;
		views[i].filter.to_ns = of->filter.to_ns;
		view_select(&views[i], rq->sides[i].in.profile);
	}
	rq->keys[n] = key;
	rq->compared.n_labels++;
	return compare_views(rq, &rq->labels[n], &views[0], &views[1]);
}

static int compare_labels(struct request *rq, const struct label_keys *keys)
{
	int status = STATUS_OK;

	for (uint32_t i = 0; i < keys[0].n && !status; i++) {
		const char *key = keys[0].rows[i].name;

		/* "," would end it */
		if (rq->compared.n_labels < MAX_LABEL_KEYS && !strchr(key, ',') &&
		    label_keys_have(&keys[1], key, strlen(key)))
			status = compare_label(rq, key);
	}
	return status;
}

static void judge(struct request *rq)
{
	struct compared *c = &rq->compared;

	c->functions = &rq->functions;
	c->labels = rq->labels;
	c->keys = rq->keys;
	c->agreement = agreement_of(&rq->functions);
	c->agrees = c->agreement.agrees;
	for (uint32_t i = 0; i < c->n_labels; i++)
		for (uint32_t k = 0; k < rq->labels[i].n_groups; k++)
			c->agrees &= !rq->labels[i].groups[k].d.differs;
}

static int print(struct request *rq)
{
	rq->options.width = plain_width(STDOUT_FILENO);
	rq->options.color = color_wanted(stdout);
	if (rq->json)
		compared_write_json(&rq->compared, &rq->options, stdout);
	else
		compared_write_text(&rq->compared, &rq->options, stdout);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("stdout: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return rq->compared.agrees ? STATUS_OK : STATUS_DIFFERS;
}

static int run(struct request *rq, struct label_keys *keys, int argc, char **args)
{
	uint64_t rows = ROWS;
	const char *why;
	int status;

	if (rq->rows && number_parse(rq->rows, 0, UINT32_MAX, &rows))
		return usage_error("compare", "-n takes a number of rows, not '%s'",
				   rq->rows);
	if (argc == 2 && rq->pid) {
		why = filter_pids(rq->pid, &rq->sides[0].in.view.filter);
		if (why)
			return usage_error("compare", "-p: %s", why);
	}
	if (argc != 2 && !(argc == 1 && rq->pid))
		return usage_error(
			"compare",
			"takes a recording and a CPU profile of runtime/pprof, or two of a "
			"kind, or -p PID and the URL of a profile");
	if (rq->freq && argc == 2)
		return usage_error("compare", "-F needs -p PID and a URL");
	if (argc == 1) {
		status = compare_live(rq->pid, rq->freq, args[0], rq->live);
		if (status)
			return status;
		args = rq->live;
	}
	rq->options.rows = (uint32_t)rows;
	rq->options.sides[0] = "1st";
	rq->options.sides[1] = "2nd";
	status = load(rq, args);
	if (!status)
		status = compare_functions(rq);
	if (status)
		return status;
	for (int i = 0; i < 2; i++)
		label_keys_init(&keys[i], rq->sides[i].in.profile);
	status = compare_labels(rq, keys);
	if (status)
		return status;
	judge(rq);
	return print(rq);
}

static void release(struct request *rq, struct label_keys *keys)
{
	comparison_release(&rq->functions);
	for (uint32_t i = 0; i < rq->compared.n_labels; i++) {
		comparison_release(&rq->labels[i]);
		view_release(&rq->label_views[i][0]);
		view_release(&rq->label_views[i][1]);
	}
	for (int i = 2; i--;) { /* the second one's filter is the first one's */
		label_keys_release(&keys[i]);
		input_close(&rq->sides[i].in);
		if (rq->sides[i].copy > 0)
			close(rq->sides[i].copy);
		free(rq->live[i]);
	}
}

int cmd_compare(int argc, char **argv)
{
	struct request *rq = mem_zalloc(sizeof(*rq));
	struct label_keys keys[2] = { 0 };
	const struct opt opts[] = {
		{ 'p', "pid", "PID",
		  "the process to record while the profile at URL is taken; with two files only its samples count",
		  .str = &rq->pid },
		{ 'F', "freq", "HZ", "with -p: samples per second on each CPU (99)",
		  .str = &rq->freq },
		{ 'n', "rows", "N", "rows of each table (15); 0 for all",
		  .str = &rq->rows },
		{ 0, "json", NULL, "one JSON object, with all rows", .flag = &rq->json },
		VIEW_FILTERS(&rq->sides[0].in.view),
		COMMON_OPTIONS,
	};
	int status = STATUS_USAGE;

	if (help_wanted(argc, argv))
		status = help_verb("compare", opts);
	else if (!opt_parse(opts, &argc, &argv, true))
		status = run(rq, keys, argc, argv);
	release(rq, keys);
	free(rq);
	return status;
}
