/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_pcs VERSION MODE STRIDE PROGRAM [ARG]: runs PROGRAM STRIDE [ARG], one of
 * tests/oracle/pcs, built by that version of Go, and compares what its runtime says about
 * every STRIDE-th address of its code with what the symbolizer says, which inspects the
 * process from outside. Prints one line. Status 0: all equal; 1: differences, the first few
 * on stderr; 2: it did not run.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/strtab.h"
#include "symbolizer/symbolizer.h"

enum { DIFFERENCES_SHOWN = 10 };

struct check {
	struct strtab *strs;
	struct symbolizer *symbolizer;
	struct space *space;
	int minor; /* of the Go version */
	uint64_t pcs, inlined, different;
	char nameless[4096]; /* ours, in this module */
};

/* argv[0] is the program. */
static pid_t start(char *argv[], FILE **out)
{
	int in_pipe[2], out_pipe[2];
	pid_t pid;

	/* its stdin ends when we do */
	if (pipe(in_pipe) || pipe(out_pipe))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(in_pipe[0], 0);
		dup2(out_pipe[1], 1);
		close(in_pipe[0]);
		close(in_pipe[1]);
		close(out_pipe[0]);
		close(out_pipe[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(in_pipe[0]);
	close(out_pipe[1]);
	*out = fdopen(out_pipe[0], "r");
	return pid;
}

/*
 * The frames that runtime_expandFinalInlineFrame leaves out, in every version: a wrapper,
 * unless it calls gopanic, sigpanic or panicwrap (elideWrapperCalling). The only frame is
 * kept: without inlining the address is returned as it was. Up to Go 1.20 so is the
 * outermost one ("we want to keep the last parentPC which is not inline"); since Go 1.21 it
 * is treated like the others.
 */
static bool is_elided(const struct check *c, const struct frame *f, int i, int n)
{
	enum frame_kind callee = i ? (enum frame_kind)f[i - 1].kind : FRAME_GO;

	return f[i].kind == FRAME_WRAPPER && callee != FRAME_PANIC &&
	       callee != FRAME_SIGPANIC && n > 1 && !(c->minor <= 20 && i == n - 1);
}

/* Since Go 1.16 the function whose name is at offset 0 has no name for the runtime ("if
 * nameOff == 0 { return \"\" }", symtab.go), but it has for us. There is one such function
 * in a module. */
static bool is_nameless(struct check *c, const char *want, const char *func)
{
	if (c->minor < 16 || strncmp(want, "\t|", 2) || !*func)
		return false;
	if (!*c->nameless)
		snprintf(c->nameless, sizeof(c->nameless), "%s", func);
	return !strcmp(c->nameless, func);
}

static bool same(struct check *c, uint64_t pc, const char *want)
{
	struct frame f[FRAMES_AT_PC];
	int n = symbolizer_user(c->symbolizer, c->space, pc, f, FRAMES_AT_PC, NULL);

	c->inlined += n > 1;
	for (int i = 0; i < n; i++) {
		char text[16384];
		const char *func = strtab_get(c->strs, f[i].func);
		const char *file = f[i].file ? strtab_get(c->strs, f[i].file) : "?";
		int len;

		if (is_elided(c, f, i, n))
			continue;
		if (is_nameless(c, want, func))
			func = "";
		len = snprintf(text, sizeof(text), "\t%s|%s|%u|%d", func, file, f[i].line,
			       c->minor < 20 ? -1 : (int)f[i].start_line);
		if (strncmp(want, text, (size_t)len))
			return false;
		want += len;
	}
	return *want == '\n';
}

static void show(struct check *c, uint64_t pc, const char *want)
{
	struct frame f[FRAMES_AT_PC];
	int n = symbolizer_user(c->symbolizer, c->space, pc, f, FRAMES_AT_PC, NULL);

	if (c->different++ >= DIFFERENCES_SHOWN)
		return;
	fprintf(stderr, "%" PRIx64 "\n  runtime%s  we     ", pc, want);
	for (int i = 0; i < n; i++)
		fprintf(stderr, "\t%s|%s|%u|%u (kind %d)", strtab_get(c->strs, f[i].func),
			strtab_get(c->strs, f[i].file), f[i].line, f[i].start_line,
			f[i].kind);
	fprintf(stderr, "\n");
}

/* What stopped it; NULL: all lines of the program were compared. */
static const char *compare(struct check *c, pid_t pid, FILE *out, const char *version,
			   uint64_t stride)
{
	const char *why = "it ended too early";
	char *line = NULL, said[64];
	uint64_t from, to;
	size_t size = 0;
	int len;

	while (why && getline(&line, &size, out) > 0) {
		if (!strcmp(line, "end\n")) {
			why = NULL;
		} else if (!strcmp(line, "module\n")) {
			*c->nameless = 0;
		} else if (sscanf(line, "version\t%63s", said) == 1) {
			if (strcmp(said, version) || sscanf(said, "go1.%d", &c->minor) != 1)
				break;
			if (space_open(&c->space, c->symbolizer, pid))
				break;
		} else if (c->space && sscanf(line, "%" SCNx64 "\t%" SCNx64 "%n", &from,
					      &to, &len) == 2) {
			for (uint64_t pc = from; pc <= to; pc += stride, c->pcs++)
				if (!same(c, pc, line + len))
					show(c, pc, line + len);
		} else {
			break;
		}
	}
	if (why && line && *line)
		fprintf(stderr, "last line: %s", line);
	free(line);
	return why;
}

int main(int argc, char **argv)
{
	struct check c = { .strs = strtab_new() };
	const char *why = "it does not start";
	FILE *out = NULL;
	pid_t pid;
	int status = 2;

	if (argc < 5 || atoi(argv[3]) < 1)
		return 2;
	c.symbolizer = symbolizer_new(c.strs);
	pid = start((char *[]){ argv[4], argv[3], argc > 5 ? argv[5] : NULL, NULL }, &out);
	if (pid > 0 && out)
		why = compare(&c, pid, out, argv[1], (uint64_t)atoi(argv[3]));
	if (why) {
		printf("%s %s: %s\n", argv[1], argv[2], why);
	} else {
		printf("%s %s: %" PRIu64 " addresses, %" PRIu64
		       " with inlined calls, %" PRIu64 " different\n",
		       argv[1], argv[2], c.pcs, c.inlined, c.different);
		status = c.different || !c.inlined;
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (out)
		fclose(out);
	space_close(c.space);
	symbolizer_close(c.symbolizer);
	strtab_free(c.strs);
	return status;
}
