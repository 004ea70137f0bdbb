/* SPDX-License-Identifier: BSD-2-Clause */
/* completions: scripts for shells, made from the tables of verbs and options. */
#include <stdlib.h>
#include <string.h>

#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/cmd/cmd.h"

/* What to offer for the argument of an option; else nothing, or for FILES file names and
 * for PIDS processes. The first row that fits counts. */
#define FILES  "@files"
#define PIDS   "@pids"
#define FORMAT "@formats"
static const struct {
	const char *option, *verb; /* verb NULL: of all others */
	const char *words;
} values[] = {
	{ "color", NULL, "auto always never" },
	{ "by", "goroutines", "state goroutine start creator label:" },
	{ "by", NULL, "goroutine start creator label: class thread process program none" },
	{ "event", "record", "cycles cpu-clock call:" },
	{ "event", NULL, "cycles cpu-clock" },
	{ "format", "diff", "text folded html" },
	{ "format", NULL, FORMAT },
	{ "output", NULL, FILES },
	{ "config", NULL, FILES },
	{ "ca-file", NULL, FILES },
};

/* The options of one verb. */
struct row {
	const struct verb *verb;
	struct opt *opts; /* owned; the last one has no name */
	uint32_t n, cap;
};

struct completions {
	struct row *rows;
	uint32_t n, cap;
};

static void take(void *arg, const char *verb, const struct opt *opts)
{
	struct completions *c = arg;
	struct row *row = table_add(c->rows, c->n, c->cap);

	*row = (struct row){ .verb = verb_find(verb) };
	for (; opts->name; opts++)
		*table_add(row->opts, row->n, row->cap) = *opts;
	*table_add(row->opts, row->n, row->cap) = (struct opt){ 0 };
}

static void release(struct completions *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->rows[i].opts);
	free(c->rows);
}

static const char *words_of(const struct row *row, const struct opt *o)
{
	/* report --pid selects in a recording, and has no short form */
	if (!strcmp(o->name, "pid"))
		return o->key ? PIDS : "";
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (!strcmp(values[i].option, o->name) &&
		    (!values[i].verb || !strcmp(values[i].verb, row->verb->name)))
			return values[i].words;
	return "";
}

/* Prints text with a \ before each character of `special`; a ' ends the quotes and begins
 * them again. */
static void print_quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs("'\\''", stdout);
			continue;
		}
		if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_words(const char *words, const char *special)
{
	if (strcmp(words, FORMAT)) {
		print_quoted(words, special);
		return;
	}
	fputs("recording", stdout);
	for (const struct writer *const *w = writers; *w; w++)
		printf(" %s", (*w)->name);
}

static void print_verbs(const char *separator)
{
	for (const struct verb *v = verbs; v->name; v++)
		printf("%s%s", v == verbs ? "" : separator, v->name);
}

static void bash_argument(const struct row *row, const struct opt *o)
{
	const char *words = words_of(row, o);

	printf("\t%s:--%s", row->verb->name, o->name);
	if (o->key)
		printf(" | %s:-%c", row->verb->name, o->key);
	fputs(") ", stdout);
	if (!strcmp(words, FILES)) {
		fputs("COMPREPLY=($(compgen -f -- \"$cur\")); ", stdout);
	} else if (!strcmp(words, PIDS)) {
		fputs("COMPREPLY=($(cd /proc && compgen -G \"$cur[0-9]*\"; compgen -G \"$cur\")); ",
		      stdout);
	} else if (*words) {
		fputs("COMPREPLY=($(compgen -W \"", stdout);
		print_words(words, "");
		fputs("\" -- \"$cur\")); ", stdout);
	}
	puts("return ;;");
}

static void bash(const struct completions *c)
{
	puts("_gostrobe() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
	     "\tCOMPREPLY=()\n"
	     "\tif [ \"$COMP_CWORD\" = 1 ] || [ \"$verb\" = help ]; then");
	fputs("\t\tCOMPREPLY=($(compgen -W \"", stdout);
	print_verbs(" ");
	puts("\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $verb:$prev in");
	for (uint32_t i = 0; i < c->n; i++)
		for (const struct opt *o = c->rows[i].opts; o->name; o++)
			if (o->arg)
				bash_argument(&c->rows[i], o);
	puts("\tesac\n\tcase $verb in");
	for (uint32_t i = 0; i < c->n; i++) {
		printf("\t%s) [[ $cur != -* ]] || COMPREPLY=($(compgen -W \"--help",
		       c->rows[i].verb->name);
		for (const struct opt *o = c->rows[i].opts; o->name; o++) {
			printf(" --%s", o->name);
			if (o->key)
				printf(" -%c", o->key);
		}
		puts("\" -- \"$cur\")) ;;");
	}
	puts("\tcompletions) COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$cur\")) ;;\n"
	     "\tesac\n}\ncomplete -o default -F _gostrobe gostrobe");
}

static void zsh_option(const struct row *row, const struct opt *o, const char *dashes,
		       const char *name)
{
	const char *words = words_of(row, o);

	printf(" \\\n\t\t\t'*%s%s[", dashes, name);
	print_quoted(o->help, "[]:\\");
	putchar(']');
	if (o->arg) {
		putchar(':');
		print_quoted(o->arg, "[]:\\");
		putchar(':');
		if (!strcmp(words, FILES)) {
			fputs("_files", stdout);
		} else if (!strcmp(words, PIDS)) {
			fputs("_pids", stdout);
		} else if (*words) {
			putchar('(');
			print_words(words, ":\\");
			putchar(')');
		} else {
			putchar(' ');
		}
	}
	putchar('\'');
}

static void zsh(const struct completions *c)
{
	puts("_gostrobe() {\n\tlocal -a verbs\n\tverbs=(");
	for (const struct verb *v = verbs; v->name; v++) {
		printf("\t\t'%s:", v->name);
		print_quoted(v->summary, ":\\");
		puts("'");
	}
	puts("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
	     "\tlocal verb=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $verb in");
	for (uint32_t i = 0; i < c->n; i++) {
		printf("\t%s)\n\t\t_arguments -S", c->rows[i].verb->name);
		for (const struct opt *o = c->rows[i].opts; o->name; o++) {
			if (o->key)
				zsh_option(&c->rows[i], o, "-", (char[]){ o->key, 0 });
			zsh_option(&c->rows[i], o, "--", o->name);
		}
		puts(" \\\n\t\t\t'*:argument:_files' ;;");
	}
	puts("\thelp) _describe verb verbs ;;\n\tcompletions) _values shell bash zsh fish ;;\n"
	     "\tesac\n}\nif [ \"$funcstack[1]\" = _gostrobe ]; then\n\t_gostrobe \"$@\"\nelse\n"
	     "\tcompdef _gostrobe gostrobe\nfi");
}

static void fish_option(const struct row *row, const struct opt *o)
{
	const char *words = words_of(row, o);

	printf("complete -c gostrobe -n '__fish_seen_subcommand_from %s' -l %s",
	       row->verb->name, o->name);
	if (o->key)
		printf(" -s %c", o->key);
	if (o->arg && !strcmp(words, FILES)) {
		fputs(" -r", stdout);
	} else if (o->arg && !strcmp(words, PIDS)) {
		fputs(" -x -a '(__fish_complete_pids)'", stdout);
	} else if (o->arg) {
		fputs(" -x -a '", stdout);
		print_words(words, "");
		putchar('\'');
	}
	fputs(" -d '", stdout);
	print_quoted(o->help, "\\");
	puts("'");
}

static void fish(const struct completions *c)
{
	for (const struct verb *v = verbs; v->name; v++) {
		printf("complete -c gostrobe -n __fish_use_subcommand -f -a %s -d '",
		       v->name);
		print_quoted(v->summary, "\\");
		puts("'");
	}
	for (uint32_t i = 0; i < c->n; i++)
		for (const struct opt *o = c->rows[i].opts; o->name; o++)
			fish_option(&c->rows[i], o);
	fputs("complete -c gostrobe -n '__fish_seen_subcommand_from help' -f -a '", stdout);
	print_verbs(" ");
	puts("'\ncomplete -c gostrobe -n '__fish_seen_subcommand_from completions' -f -a 'bash zsh fish'");
}

static const struct shell {
	const char *name;
	void (*print)(const struct completions *c);
} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

int cmd_completions(int argc, char **argv)
{
	const struct opt opts[] = { COMMON_OPTIONS };
	struct completions c = { 0 };
	const struct shell *shell = NULL;

	if (help_wanted(argc, argv))
		return help_verb("completions", opts);
	if (opt_parse(opts, &argc, &argv, true))
		return STATUS_USAGE;
	for (size_t i = 0; argc == 1 && i < sizeof(shells) / sizeof(*shells); i++)
		if (!strcmp(shells[i].name, argv[0]))
			shell = &shells[i];
	if (!shell)
		return usage_error("completions", "takes a shell: bash, zsh or fish");
	help_options(take, &c);
	/* zsh takes a file with this first line */
	printf("%s# Completions of gostrobe %s for %s.\n",
	       shell->print == zsh ? "#compdef gostrobe\n" : "", GOSTROBE_VERSION,
	       shell->name);
	shell->print(&c);
	release(&c);
	return STATUS_OK;
}
