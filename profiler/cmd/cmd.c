/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/writer.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/log.h"
#include "profiler/base/plain.h"
#include "profiler/profile/label_keys.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"
#include "symbolizer/symbolizer.h"

/* process-wide, like the log level */
static enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;

const char *quiet_parse(const char *arg, void *data)
{
	(void)arg, (void)data;
	log_level = LOG_QUIET;
	return NULL;
}

const char *verbose_parse(const char *arg, void *data)
{
	(void)arg, (void)data;
	log_level = LOG_VERBOSE;
	return NULL;
}

const char *color_parse(const char *arg, void *data)
{
	static const char *const names[] = { "auto", "always", "never" };

	(void)data;
	for (int i = 0; i < 3; i++)
		if (!strcmp(arg, names[i])) {
			color = i;
			return NULL;
		}
	return "not auto, always or never";
}

bool color_wanted(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb");
}

/* a recording's format has two names */
static bool is_recording(const char *format)
{
	return !strcmp(format, "recording") || !strcmp(format, "gsr");
}

/* The writer for the ending of a path; NULL for a recording. False: unknown ending. */
static bool ending_find(const char *path, const struct writer **ret)
{
	size_t len = strlen(path);

	*ret = writer_for_path(path);
	return *ret || (len > 4 && !strcmp(path + len - 4, ".gsr"));
}

/* Reports that the word is no format, or no ending of a format's files. */
static int unknown_format(const char *verb, const char *word, const char *path)
{
	struct buf b = { 0 };
	int status;

	if (path)
		writer_endings(&b);
	else
		writer_names(&b);
	status = path ? usage_error(verb, "unknown ending '%s' of %s; use %s, or -f", word,
				    path, buf_text(&b))
		      : usage_error(verb, "unknown format '%s'; use %s", word,
				    buf_text(&b));
	buf_release(&b);
	return status;
}

int format_find(const char *verb, const char *format, const char *path,
		const struct writer **ret)
{
	const struct writer *by_ending = NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path,
		   *dot = name ? strrchr(name, '.') : NULL;
	bool known = path && ending_find(path, &by_ending);

	*ret = by_ending;
	if (format && !is_recording(format)) {
		*ret = writer_find(format);
		if (!*ret)
			return unknown_format(verb, format, NULL);
	} else if (format) {
		*ret = NULL;
	}
	if (format && known && *ret != by_ending)
		return usage_error(verb, "-f %s contradicts the ending of %s", format,
				   path);
	if (!format && !known && dot && dot > name && dot[1])
		return unknown_format(verb, dot, path);
	return STATUS_OK;
}

static int load(struct input *in)
{
	const char *why = NULL;
	int err = recording_load(&in->profile, in->path, in->view.max_memory, &why);

	if (err) {
		log_error("%s: %s", in->path,
			  err == -EBADMSG && why ? why : strerror(-err));
		return STATUS_FAILED;
	}
	if (in->profile->damaged)
		log_warn("%s is damaged (%s); showing what comes before the damage",
			 in->path, in->profile->damaged);
	else if (!in->profile->complete)
		log_warn("%s is truncated; showing the complete part", in->path);
	if (in->profile->newer)
		log_warn("%s is of a newer version; showing what this one knows", in->path);
	return STATUS_OK;
}

/* The kinds of which there are events, but for one: "wall, calls". */
static void add_kinds(struct buf *b, const struct profile *p, uint8_t but)
{
	for (uint32_t i = 1; i < p->n_kinds; i++)
		if (i != but && p->kinds[i].quality.samples)
			buf_printf(b, "%s%s", b->len ? ", " : "",
				   profile_string(p, p->kinds[i].name));
}

/* The kind that is shown: the one that was asked for, else one of those there are, which is
 * said. */
static int check_kind(const struct input *in, const char *wanted)
{
	const struct profile *p = in->profile;
	uint8_t kind = profile_find_kind(p, wanted);
	bool found = kind && p->kinds[kind].quality.samples;
	struct buf others = { 0 };

	add_kinds(&others, p, found ? kind : 0);
	found |= !others.len; /* no events at all, which is said elsewhere */
	if (!found)
		log_error("%s: has no events of kind '%s', only: %s", in->path, wanted,
			  buf_text(&others));
	else if (!wanted && others.len)
		log_info("showing %s; --kind shows what else was recorded: %s",
			 profile_string(p, p->kinds[kind].name), buf_text(&others));
	buf_release(&others);
	return found ? STATUS_OK : STATUS_FAILED;
}

static const char *kind_name(const struct input *in)
{
	const struct profile *p = in->profile;

	return profile_string(p, p->kinds[profile_find_kind(p, in->view.filter.kind)].name);
}

int input_same_kind(const struct input *a, const struct input *b)
{
	if (!strcmp(kind_name(a), kind_name(b)))
		return STATUS_OK;
	log_error("%s has %s events, %s has %s: they cannot be compared", a->path,
		  kind_name(a), b->path, kind_name(b));
	return STATUS_FAILED;
}

bool grouping_fits(const struct writer *w, const struct grouping *by)
{
	return w->groups != GROUPS_GOROUTINE || !by->n ||
	       (by->n == 1 && (by->keys[0] == BY_GOROUTINE || by->keys[0] == BY_NONE));
}

struct grouping grouping_default(const struct writer *w)
{
	return (struct grouping){ .keys = { w ? w->by : BY_START }, .n = 1 };
}

/* Goroutines have the labels that are grouped by. */
static int check_labels(const struct input *in)
{
	const struct grouping *by = &in->view.by;
	struct label_keys keys;
	struct buf b = { 0 };
	int status = STATUS_OK;

	label_keys_init(&keys, in->profile);
	for (uint32_t i = 0; i < keys.n; i++) {
		buf_str(&b, i ? ", " : "");
		plain_add(&b, keys.rows[i].name);
	}
	for (int i = 0; i < by->n && !status; i++) {
		const char *name = by->labels[i];
		int len = by->keys[i] == BY_LABEL ? (int)strcspn(name, ",") : 0;

		if (!len || label_keys_have(&keys, name, (size_t)len))
			continue;
		if (keys.n)
			log_error("%s: no sample has a label '%.*s'; there are: %s",
				  in->path, len, name, buf_text(&b));
		else
			log_error("%s: no sample has a label '%.*s', or any other",
				  in->path, len, name);
		status = STATUS_FAILED;
	}
	label_keys_release(&keys);
	buf_release(&b);
	return status;
}

int input_load(struct input *in, const char *verb)
{
	struct view *v = &in->view;

	if (v->as_pprof && !v->filter.kind)
		v->filter.kind = "cpu";
	if (v->as_pprof && strcmp(v->filter.kind, "cpu"))
		return usage_error(verb, "--as-pprof shows cpu only, not --kind %s",
				   v->filter.kind);
	if (load(in) || check_kind(in, v->filter.kind) || check_labels(in))
		return STATUS_FAILED;
	return STATUS_OK;
}

void input_select(struct input *in)
{
	struct view *v = &in->view;

	view_select(v, in->profile);
	if (v->pprof_skips)
		log_info(
			"%" PRIu64
			" sample%s left out, as runtime/pprof does: those of threads outside Go, of "
			"sysmon and of signal handlers",
			v->pprof_skips, v->pprof_skips == 1 ? "" : "s");
}

int input_open(struct input *in, const char *verb, int argc, char **args)
{
	struct view *v = &in->view;
	int status;

	if (argc != 1)
		return usage_error(verb, argc ? "takes one FILE" : "missing FILE");
	in->path = args[0];
	if (!v->by.n)
		v->by = grouping_default(in->writer);
	status = input_load(in, verb);
	if (status)
		return status;
	input_select(in);
	if (v->n_events)
		return STATUS_OK;
	log_error(in->profile->n_events ? "%s: no samples match the filters (%u recorded)"
					: "%s: has no samples",
		  in->path, in->profile->n_events);
	return STATUS_FAILED;
}

void input_close(struct input *in)
{
	view_release(&in->view);
	profile_free(in->profile);
}

int input_too_big(const struct input *in)
{
	log_error(
		"%s: its stacks need more memory than a file of this size may; --max-memory SIZE allows more, --by none needs less",
		in->path);
	return STATUS_FAILED;
}

char *path_beside(const char *recording, const char *ending)
{
	size_t n = strlen(recording);
	struct buf b = { 0 };

	if (n > 4 && !strcmp(recording + n - 4, ".gsr"))
		n -= 4;
	buf_add(&b, recording, n);
	buf_add(&b, ending, strlen(ending) + 1);
	return (char *)b.data;
}

bool would_replace(const char *output, const char *input)
{
	struct stat x, y;

	if (!strcmp(output, "-") || stat(output, &x) || stat(input, &y) ||
	    !S_ISREG(x.st_mode) || x.st_dev != y.st_dev || x.st_ino != y.st_ino)
		return false;
	log_error("%s: the output would replace the recording", output);
	return true;
}

int input_write(struct input *in, const struct writer *w, const struct writer_options *o,
		const char *path)
{
	struct outfile f;
	int err;

	if (would_replace(path, in->path))
		return STATUS_FAILED;
	err = outfile_open(&f, path);
	if (!err)
		err = w->write(&in->view, o, f.out);
	if (!err)
		err = outfile_commit(&f);
	outfile_abort(&f);
	if (err == -E2BIG)
		return input_too_big(in);
	if (err)
		log_error("%s: %s", strcmp(path, "-") ? path : "stdout", strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}

int open_binary(struct space **ret, struct symbolizer *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err = fd < 0 ? -errno : space_open_file(ret, s, fd);

	if (fd >= 0)
		close(fd);
	if (err)
		log_error("%s: %s", path,
			  err == -ENOTSUP   ? "32-bit Go is not supported"
			  : err == -ENOEXEC ? "not a 64-bit little-endian ELF file"
					    : strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}

int open_process(struct space **ret, struct symbolizer *s, pid_t pid)
{
	int err = space_open(ret, s, pid);

	/* a kernel thread has no memory */
	if (err == -ESRCH && (!kill(pid, 0) || errno == EPERM))
		log_error("process %d: not a Go program", pid);
	else if (err == -ESRCH)
		log_error("there is no process %d", pid);
	else if (err)
		log_error("process %d: %s (need root or CAP_SYS_PTRACE)", pid,
			  strerror(-err));
	return err ? STATUS_FAILED : STATUS_OK;
}
