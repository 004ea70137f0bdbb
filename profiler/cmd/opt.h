/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as data: one table serves getopt_long() and the help text. */
#ifndef CMD_OPT_H
#define CMD_OPT_H

#include <stdbool.h>
#include <stdint.h>

struct opt {
	char key;         /* the short option, 0 for none */
	const char *name; /* the long one; NULL ends the table */
	const char *arg;  /* what the argument is called in the help, NULL: takes none */
	const char *help;
	const char **str; /* where the argument goes; */
	bool *flag;       /* or what is set true; */
	/* or who reads it: NULL, or what is wrong with it */
	const char *(*parse)(const char *arg, void *data);
	void *data;
};

/* Reads argv[1…] up to the first operand or "--", moves *argc and *argv past what was read.
 * 0, or -EINVAL after one log_error() line. permute: operands may stand between options. */
int opt_parse(const struct opt *opts, int *argc, char ***argv, bool permute);
/* A line of help on stdout, broken so that it fits 80 columns; see plain_wrap(). */
void opt_wrap(const char *text, uint32_t indent);
/* Two columns on stdout. */
void opt_help(const struct opt *opts);

#endif
