/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/text.h"
#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/profile.h"
#include "profiler/recording.h"

/* Like the log level, a wish of the user about all that the program prints. */
static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;

int quiet_parse(const char *arg, void *data)
{
	(void)arg, (void)data;
	log_level = LOG_QUIET;
	return 0;
}

int verbose_parse(const char *arg, void *data)
{
	(void)arg, (void)data;
	log_level = LOG_VERBOSE;
	return 0;
}

int color_parse(const char *arg, void *data)
{
	static const char *const names[] = { "auto", "always", "never" };

	(void)data;
	for (int i = 0; i < 3; i++)
		if (!strcmp(arg, names[i])) {
			color = i;
			return 0;
		}
	error("--color wants auto, always or never, not '%s'", arg);
	return -EINVAL;
}

bool color_wanted(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb");
}

static int profile_open(struct view *v, const char *path)
{
	const char *why = NULL;
	int err = recording_load(&v->profile, path, &why);

	if (err) {
		error("%s: %s", path, err == -EBADMSG && why ? why : strerror(-err));
		return STATUS_FAILED;
	}
	if (!v->profile->complete)
		warn("%s was cut off: this is what is whole of it", path);
	return STATUS_OK;
}

int view_open(struct view *v, const char *verb, int argc, char **args)
{
	int err;

	if (argc != 1)
		return usage_error(verb,
				   argc ? "one recording at a time" : "which recording?");
	if (profile_open(v, args[0]))
		return STATUS_FAILED;
	if (!v->options.by.n)
		v->options.by = (struct grouping){ .keys = { BY_GOROUTINE }, .n = 1 };
	filter_prepare(&v->filter, v->profile);
	v->options.filter = &v->filter;
	err = tree_build(&v->tree, v->profile, &v->options);
	if (err) {
		error("%s: %s", args[0], strerror(-err));
		return STATUS_FAILED;
	}
	if (v->tree->left_out)
		info("%" PRIu64
		     " samples are left out: of threads that are not in Go, sysmon's, or signal handlers",
		     v->tree->left_out);
	if (v->tree->nodes[0].samples)
		return STATUS_OK;
	error(v->profile->n_events ? "%s: none of its %u samples is selected"
				   : "%s: has no samples",
	      args[0], v->profile->n_events);
	return STATUS_FAILED;
}

void view_close(struct view *v)
{
	tree_free(v->tree);
	profile_free(v->profile);
	filter_release(&v->filter);
}

int write_tree(const struct tree *t, const struct writer *w, const char *path)
{
	struct outfile f;
	int err = outfile_open(&f, path);

	if (!err)
		err = w->write(t, f.out);
	if (!err)
		err = outfile_commit(&f);
	outfile_abort(&f);
	if (err)
		error("%s: %s", strcmp(path, "-") ? path : "stdout", strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}

uint32_t losses_print(const struct profile *p, FILE *out)
{
	const struct truth *t = &p->truth;
	const struct {
		uint64_t n;
		const char *what, *names;
	} rows[] = {
		{ t->lost_ring_full, "samples lost: the ring buffer was full", NULL },
		{ t->lost_table_full, "samples lost: the table of processes was full",
		  NULL },
		{ t->stack_faults, "stacks end where memory could not be read", NULL },
		{ t->g_faults, "goroutines could not be read or trusted", NULL },
		{ t->labels_cut,
		  "samples lack labels, or a part: over 4 KiB, or not to be read", NULL },
		{ t->not_go_samples, "samples of programs that are not Go were left out: ",
		  profile_string(p, p->not_go_names) },
	};
	struct buf b = { 0 };
	uint32_t lines = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!rows[i].n)
			continue;
		text_count(&b, rows[i].n);
		buf_printf(&b, " %s", rows[i].what);
		if (rows[i].names)
			text_fit(&b, rows[i].names, UINT32_MAX);
		buf_u8(&b, '\n');
		lines++;
	}
	if (out && lines)
		fwrite(b.data, 1, b.len, out);
	buf_release(&b);
	return lines;
}
