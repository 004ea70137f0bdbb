/* SPDX-License-Identifier: BSD-2-Clause */
/* completions: scripts for shells, made from the tables of verbs and options. */
#include <stdlib.h>
#include <string.h>

#include "output/writer.h"
#include "profiler/base/arena.h"
#include "profiler/cmd/cmd.h"

/* What to offer for the argument of an option. The first row that fits counts. */
#define FILES "@files" /* instead of words: names of files */
#define PIDS  "@pids"  /* processes */
static const struct value {
	const char *option, *verb; /* verb NULL: of all others */
	const char *words;         /* "": nothing */
	bool formats;              /* and the names of all formats */
} values[] = {
	{ "color", NULL, "auto always never", false },
	{ "by", "goroutines", "state goroutine start creator label:", false },
	{ "by", NULL, "goroutine start creator label: class thread process program none",
	  false },
	{ "event", "record", "cycles cpu-clock call:", false },
	{ "event", NULL, "cycles cpu-clock", false },
	{ "format", "diff", "text folded html", false },
	{ "format", "record", "recording", true },
	{ "format", NULL, "", true },
	{ "output", NULL, FILES, false },
	{ "config", NULL, FILES, false },
	{ "ca-file", NULL, FILES, false },
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

static const struct value *value_of(const struct row *row, const struct opt *o)
{
	static const struct value none = { .words = "" }, pids = { .words = PIDS };

	/* report --pid selects in a recording, and has no short form */
	if (!strcmp(o->name, "pid"))
		return o->key ? &pids : &none;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (!strcmp(values[i].option, o->name) &&
		    (!values[i].verb || !strcmp(values[i].verb, row->verb->name)))
			return &values[i];
	return &none;
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

static void print_words(const struct value *v, const char *special)
{
	print_quoted(v->words, special);
	for (const struct writer *const *w = writers; v->formats && *w; w++)
		printf("%s%s", w == writers && !*v->words ? "" : " ", (*w)->name);
}

static void print_verbs(void)
{
	for (const struct verb *v = verbs; v->name; v++)
		printf("%s%s", v == verbs ? "" : " ", v->name);
}

static void bash_argument(const struct row *row, const struct opt *o)
{
	const struct value *v = value_of(row, o);

	printf("\t%s:--%s", row->verb->name, o->name);
	if (o->key)
		printf(" | %s:-%c", row->verb->name, o->key);
	fputs(") ", stdout);
	if (!strcmp(v->words, FILES)) {
		fputs("COMPREPLY=($(compgen -f -- \"$cur\")); ", stdout);
	} else if (!strcmp(v->words, PIDS)) {
		fputs("COMPREPLY=($(cd /proc && compgen -G \"$cur[0-9]*\"; compgen -G \"$cur\")); ",
		      stdout);
	} else if (*v->words || v->formats) {
		fputs("COMPREPLY=($(compgen -W \"", stdout);
		print_words(v, "");
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
	print_verbs();
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
	const struct value *v = value_of(row, o);

	printf(" \\\n\t\t\t'*%s%s[", dashes, name);
	print_quoted(o->help, "[]:\\");
	putchar(']');
	if (o->arg) {
		putchar(':');
		print_quoted(o->arg, "[]:\\");
		putchar(':');
		if (!strcmp(v->words, FILES)) {
			fputs("_files", stdout);
		} else if (!strcmp(v->words, PIDS)) {
			fputs("_pids", stdout);
		} else if (*v->words || v->formats) {
			putchar('(');
			print_words(v, ":\\");
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
	const struct value *v = value_of(row, o);

	printf("complete -c gostrobe -n '__fish_seen_subcommand_from %s' -l %s",
	       row->verb->name, o->name);
	if (o->key)
		printf(" -s %c", o->key);
	if (o->arg && !strcmp(v->words, FILES)) {
		fputs(" -r", stdout);
	} else if (o->arg && !strcmp(v->words, PIDS)) {
		fputs(" -x -a '(__fish_complete_pids)'", stdout);
	} else if (o->arg) {
		fputs(" -x -a '", stdout);
		print_words(v, "");
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
	print_verbs();
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
