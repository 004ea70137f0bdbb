/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_pcs PROGRAM [STRIDE]: runs tests/pcs, built by some version of Go, and compares
 * what its runtime says of every address of its code with what the symbolizer says, looking
 * at the process from outside. Prints one line; status 0: all equal, 1: differences, the
 * first few on stderr, 2: it did not run.
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
	uint64_t pcs, inlined, different;
};

static pid_t start(const char *program, const char *stride, FILE **out)
{
	int in_pipe[2], out_pipe[2];
	pid_t pid;

	/* its stdin ends with us */
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
		execl(program, program, stride, NULL);
		_exit(127);
	}
	close(in_pipe[0]);
	close(out_pipe[1]);
	*out = fdopen(out_pipe[0], "r");
	return pid;
}

/* Wrappers that the runtime's profiler leaves out of the last physical frame of a stack:
 * all inlined ones but under a panic, and since Go 1.21 the outermost frame too, when
 * something is inlined into it. */
static bool is_elided(const struct frame *f, int i, int n, bool old)
{
	enum frame_kind callee = i ? (enum frame_kind)f[i - 1].kind : FRAME_GO;

	return f[i].kind == FRAME_WRAPPER && callee != FRAME_PANIC &&
	       callee != FRAME_SIGPANIC && n > 1 && !(old && i == n - 1);
}

static bool same(struct check *c, uint64_t pc, const char *want)
{
	struct frame f[FRAMES_AT_PC];
	bool old = strstr(want, "|-1") !=
		   NULL; /* up to 1.20: no start lines, see symbol_old.go */
	int n = symbolizer_user(c->symbolizer, c->space, pc, f, FRAMES_AT_PC, NULL);

	c->inlined += n > 1;
	for (int i = 0; i < n; i++) {
		char text[16384];
		const char *func = strtab_get(c->strs, f[i].func);
		const char *file = f[i].file ? strtab_get(c->strs, f[i].file) : "?";
		int len;

		if (is_elided(f, i, n, old))
			continue;
		/* the function whose name stands at 0 has none to the runtime */
		if (want[0] == '\t' && want[1] == '|' && *func)
			func = "";
		len = snprintf(text, sizeof(text), "\t%s|%s|%u|%d", func, file, f[i].line,
			       old ? -1 : (int)f[i].start_line);
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

/* false: the program stopped before its last line. */
static bool compare(struct check *c, pid_t pid, FILE *out, uint64_t stride, char **line)
{
	uint64_t from, to;
	size_t size = 0;
	int len;

	while (getline(line, &size, out) > 0) {
		if (!strncmp(*line, "end\t", 4))
			return true;
		if (sscanf(*line, "%" SCNx64 "\t%" SCNx64 "%n", &from, &to, &len) != 2)
			return false;
		if (!c->space && space_open(&c->space, c->symbolizer, pid))
			return false;
		for (uint64_t pc = from; pc <= to; pc += stride, c->pcs++)
			if (!same(c, pc, *line + len))
				show(c, pc, *line + len);
	}
	return false;
}

int main(int argc, char **argv)
{
	struct check c = { .strs = strtab_new() };
	const char *stride = argc > 2 ? argv[2] : "1";
	char *line = NULL;
	FILE *out = NULL;
	pid_t pid;
	int status = 2;

	if (argc < 2 || atoi(stride) < 1)
		return 2;
	symbolizer_open(&c.symbolizer, c.strs);
	pid = start(argv[1], stride, &out);
	if (pid > 0 && out && compare(&c, pid, out, (uint64_t)atoi(stride), &line)) {
		line[strcspn(line, "\n")] = 0;
		printf("%s: %" PRIu64 " addresses, %" PRIu64 " with inlined calls, %" PRIu64
		       " different\n",
		       line + 4, c.pcs, c.inlined, c.different);
		status = c.different || !c.inlined;
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (out)
		fclose(out);
	free(line);
	space_close(c.space);
	symbolizer_close(c.symbolizer);
	strtab_free(c.strs);
	return status;
}
