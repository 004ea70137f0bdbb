/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as data: one table serves getopt_long() and the help text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct opt {
	char key;         /* the short option; 0: none */
	const char *name; /* the long one; NULL ends the table */
	const char *arg;  /* name of the argument in the help; NULL: takes none */
	const char *help;
	const char **str; /* where to store the argument, */
	bool *flag;       /* or what to set to true, */
	/* or how to parse it; returns NULL, or what is wrong with it */
	const char *(*parse)(const char *arg, void *data);
	void *data;
};

/* Parses argv[1…] up to the first operand or "--" and moves *argc and *argv past it.
 * Returns 0, or -EINVAL after one log_error() line. permute: operands may come between
 * options. */
int opt_parse(const struct opt *opts, int *argc, char ***argv, bool permute);
/* The option of this long name, as a file has it: one without an argument takes true or
 * false. Returns NULL, or what is wrong: static, or valid until the next call. */
const char *opt_set(const struct opt *opts, const char *name, const char *value);
/* Prints text as one or more lines; see plain_wrap(). */
void print_wrapped(FILE *out, const char *text, uint32_t width, uint32_t indent);
/* The same for help: to stdout, wrapped at 80 columns. */
void opt_wrap(const char *text, uint32_t indent);
/* Prints the options to stdout in two columns. */
void opt_help(const struct opt *opts);
