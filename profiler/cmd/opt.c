/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/opt.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/plain.h"
#include "profiler/base/similar.h"

#define OPT_MAX    48
#define HELP_WIDTH 80
#define LONG_ONLY  256 /* getopt_long() returns this + i for row i without a short option */

static const char *store(const struct opt *o, const char *arg)
{
	if (o->flag)
		*o->flag = true;
	if (o->str)
		*o->str = arg;
	return o->parse ? o->parse(arg, o->data) : NULL;
}

static int apply(const struct opt *o, const char *arg)
{
	const char *why = store(o, arg);

	if (why && !arg)
		log_error("--%s: %s", o->name, why);
	else if (why)
		log_error("--%s %s: %s", o->name, arg, why);
	return why ? -EINVAL : 0;
}

/* Reports a long option that is unknown, takes no argument, or is ambiguous. */
static void complain_long(const char *word, const struct opt *opts)
{
	size_t len = strcspn(word, "=");
	char *name = mem_strdup(word);
	const struct opt *near = NULL;

	name[len] = 0;
	for (const struct opt *o = opts; o->name && len > 2 && !near; o++)
		if (similar_is(name + 2, o->name) || !strncmp(name + 2, o->name, len - 2))
			near = o;
	if (near && !strcmp(name + 2, near->name))
		log_error("%s takes no argument", name);
	else if (near)
		log_error("unknown option %s; you may have meant --%s", name, near->name);
	else
		log_error("unknown option %s", name);
	free(name);
}

static void complain(int c, char **argv, const struct opt *opts)
{
	const char *word = argv[optind - 1];

	for (const struct opt *o = opts; o->name; o++)
		if (c == ':' && ((o->key && o->key == optopt) ||
				 optopt == LONG_ONLY + (int)(o - opts))) {
			log_error("--%s needs an argument: %s", o->name, o->arg);
			return;
		}
	if (optopt && optopt < LONG_ONLY && isprint(optopt))
		log_error("unknown option -%c", optopt);
	else
		complain_long(word, opts);
}

int opt_parse(const struct opt *opts, int *argc, char ***argv, bool permute)
{
	struct option longs[OPT_MAX + 1] = { 0 };
	char shorts[2 * OPT_MAX + 4] = "+:", *s = shorts + 2;
	int c, i, n = 0;

	if (permute) {
		s = shorts;
		*s++ = ':';
	}
	for (; opts[n].name && n < OPT_MAX; n++) {
		longs[n] = (struct option){ opts[n].name,
					    opts[n].arg ? required_argument : no_argument,
					    NULL,
					    opts[n].key ? opts[n].key : LONG_ONLY + n };
		if (opts[n].key)
			*s++ = opts[n].key;
		if (opts[n].key && opts[n].arg)
			*s++ = ':';
	}
	*s = 0;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(*argc, *argv, shorts, longs, NULL)) != -1) {
		for (i = 0; i < n && longs[i].val != c; i++)
			;
		if (i == n) {
			complain(c, *argv, opts);
			return -EINVAL;
		}
		if (apply(&opts[i], optarg))
			return -EINVAL;
	}
	*argc -= optind;
	*argv += optind;
	return 0;
}

/* 1, 0; -1: neither. */
static int truth(const char *s)
{
	static const char *const words[][2] = {
		{ "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" }
	};

	for (int i = 0; i < 8; i++)
		if (!strcmp(s, words[i / 2][i % 2]))
			return i % 2;
	return -1;
}

/* The name that was meant by a wrong one. */
static const char *complain_name(const struct opt *opts, const char *name)
{
	static char line[128];

	for (const struct opt *o = opts; o->name; o++)
		if (similar_is(name, o->name)) {
			snprintf(line, sizeof(line), "unknown; you may have meant %s",
				 o->name);
			return line;
		}
	return "unknown";
}

const char *opt_set(const struct opt *opts, const char *name, const char *value)
{
	const struct opt *o = opts;
	int on;

	while (o->name && strcmp(o->name, name))
		o++;
	if (!o->name)
		return complain_name(opts, name);
	if (o->arg)
		return *value ? store(o, value) : "needs a value";
	on = truth(value);
	if (on < 0)
		return "takes true or false";
	if (!on && o->flag)
		*o->flag = false;
	return on ? store(o, NULL) : NULL;
}

void print_wrapped(FILE *out, const char *text, uint32_t width, uint32_t indent)
{
	struct buf b = { 0 };

	plain_wrap(&b, text, width, indent);
	buf_u8(&b, '\n');
	buf_write(&b, out);
	buf_release(&b);
}

void opt_wrap(const char *text, uint32_t indent)
{
	print_wrapped(stdout, text, HELP_WIDTH, indent);
}

void opt_help(const struct opt *opts)
{
	for (const struct opt *o = opts; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->key ? '-' : ' ',
			 o->key ? o->key : ' ', o->key ? "," : " ", o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
		printf("  %-28s ", left);
		opt_wrap(o->help, 31);
	}
}
