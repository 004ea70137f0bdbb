/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as data: one table serves getopt_long() and the help text. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stdint.h>

struct opt {
	char key;         /* the short option, 0 for none */
	const char *name; /* the long one; NULL ends the table */
	const char *arg;  /* what the argument is called in the help, NULL: takes none */
	const char *help;
	const char **str; /* where the argument goes; */
	bool *flag;       /* or what is set true; */
	int (*parse)(
		const char *arg,
		void *data); /* or who reads it: 0, or -EINVAL after a log_error() that says why */
	void *data;
};

/* Reads argv[1…] up to the first operand or "--", moves *argc and *argv past what was read.
 * 0, or -EINVAL after one log_error() line. permute: operands may stand between options. */
int opt_parse(const struct opt *opts, int *argc, char ***argv, bool permute);
/* A line of help on stdout, broken so that it fits 80 columns; see plain_wrap(). */
void opt_wrap(const char *text, uint32_t indent);
/* Two columns on stdout. */
void opt_help(const struct opt *opts);

/* "30", "30s", "2m", "1h", "500ms", "1.5s" in ns. -EINVAL; -ERANGE over 100 years. */
int opt_duration(const char *s, uint64_t *ns);
/* A whole decimal number in [min, max]; -EINVAL, -ERANGE. */
int opt_number(const char *s, uint64_t min, uint64_t max, uint64_t *v);

#endif
