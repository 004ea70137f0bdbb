/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor: can this machine record? It tries what can be tried: loads the kernel side, runs
 * the clock for a moment, reads its own threads. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output/json.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/plain.h"
#include "profiler/base/sandbox.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/condition.h"
#include "profiler/kernel/collect.h"
#include "profiler/kernel/threads.h"
#include "symbolizer/kallsyms.h"

static const char *const verdicts[] = { "ok", "degraded", "fail" };

static void try_recording(struct conditions *c)
{
	struct collector_options o = { .freq = 99,
				       .max_processes = 1,
				       .user_stacks = true };
	struct kernel_side kernel;
	const char *what;
	int err = collector_open(&kernel, &o, &what);

	if (!err) {
		bool pmu = !strcmp(kernel.event_name, "cycles");

		condition_add(c, "kernel side", VERDICT_OK, NULL, "loads");
		err = kernel.start(kernel.self, &what);
		condition_add(
			c, "clock", err ? VERDICT_FAIL : VERDICT_OK,
			err ? unknown_fix(what, err) : NULL,
			err   ? "%s: %s"
			: pmu ? "cycles, counted by the CPU"
			      : "cpu-clock, a timer (this machine offers no cycle counter)",
			err ? what : "", strerror(-err));
		kernel.close(kernel.self);
	} else {
		condition_add(c, "kernel side", VERDICT_FAIL, unknown_fix(what, err),
			      "%s: %s", what, strerror(-err));
	}
}

static void try_threads(struct conditions *c)
{
	struct thread_state *rows = NULL;
	struct threads_bpf *threads;
	const char *what;
	uint32_t n = 0;
	int err = threads_open(&threads, &what);

	if (!err) {
		what = "read()";
		err = threads_read(threads, getpid(), &rows, &n);
		threads_close(threads);
	}
	free(rows);
	condition_add(
		c, "task iterator", err ? VERDICT_DEGRADED : VERDICT_OK,
		"without it, runtime layouts are not checked on live threads, and inspect "
		"does not work",
		err ? "%s: %s" : "loads and reads", err ? what : "", strerror(-err));
}

static void try_kallsyms(struct conditions *c)
{
	struct kallsyms *k = NULL;
	const char *why = NULL;
	int err = kallsyms_open(&k, "/proc/kallsyms", &why);

	kallsyms_close(k);
	condition_add(c, "kallsyms", err ? VERDICT_DEGRADED : VERDICT_OK,
		      "add CAP_SYSLOG, or run: sysctl kernel.kptr_restrict=0; until then "
		      "kernel functions have no names",
		      "%s",
		      err ? (why ? why : strerror(-err)) : "kernel functions have names");
}

/* Enters the sandbox in a child and tells what is in force there. */
static int enter_in_child(const struct sandbox_options *o, char *state, size_t size)
{
	int ends[2], err = -EPIPE;
	const char *what;
	char line[64];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		err = sandbox_enter(o, &what);
		file_line(line, "Seccomp:", "/proc/self/status");
		snprintf(state, size, err ? "%s" : "%sno new privileges; kept: ",
			 err            ? what
			 : *line == '2' ? "seccomp filter, not dumpable, "
					: "");
		if (write(ends[1], &err, sizeof(err)) > 0 &&
		    write(ends[1], state, strlen(state) + 1) > 0)
			_exit(0);
		_exit(1);
	}
	close(ends[1]);
	*state = 0;
	if (read(ends[0], &err, sizeof(err)) != sizeof(err) ||
	    read(ends[0], state, size) < 1)
		err = err ? err : -EPIPE;
	state[size - 1] = 0;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return err;
}

static void try_sandbox(struct conditions *c)
{
	static const struct {
		const char *name;
		struct sandbox_options o;
	} rows[] = {
		{ "sandbox of -p, -a, --", { 0 } },
		{ "sandbox of calls", { .probes = true } },
		{ "sandbox of top, agent", { .writes = true, .network = true } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char state[64];
		struct buf kept = { 0 };
		int err = enter_in_child(&rows[i].o, state, sizeof(state));

		sandbox_kept(&rows[i].o, &kept);
		condition_add(c, rows[i].name, err ? VERDICT_FAIL : VERDICT_OK,
			      "--no-sandbox records without it", "%s%s%s", state,
			      err ? ": " : "", err ? strerror(-err) : buf_text(&kept));
		buf_release(&kept);
	}
}

/* The verdict is a word; the colour only repeats it. */
static void print(const struct conditions *c)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m" };
	uint32_t width = plain_width(STDOUT_FILENO);
	bool color = color_wanted(stdout);

	for (const struct condition *r = c->rows; r < c->rows + c->n; r++) {
		printf("%s%-8s%s  %-26s  ", color ? colors[r->verdict] : "",
		       verdicts[r->verdict], color ? "\033[0m" : "", r->name);
		print_wrapped(stdout, r->state, width, 38);
		if (r->fix) {
			fputs("          -> ", stdout);
			print_wrapped(stdout, r->fix, width, 13);
		}
	}
}

static void print_json(const struct conditions *c, bool works)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_bool(&j, "can_record", works);
	json_open(&j, "conditions", '[');
	for (const struct condition *r = c->rows; r < c->rows + c->n; r++) {
		json_open(&j, NULL, '{');
		json_str(&j, "name", r->name);
		json_str(&j, "verdict", verdicts[r->verdict]);
		json_str(&j, "state", r->state);
		json_str(&j, "fix", r->fix);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

int cmd_doctor(int argc, char **argv)
{
	uint32_t n[VERDICT_FAIL + 1] = { 0 };
	struct conditions c = { 0 };
	bool json = false;
	const struct opt opts[] = {
		{ 0, "json", NULL, "one JSON object", .flag = &json },
		COMMON_OPTIONS,
	};

	if (help_wanted(argc, argv))
		return help_verb("doctor", opts);
	if (opt_parse(opts, &argc, &argv, true))
		return STATUS_USAGE;
	if (argc)
		return usage_error("doctor", "unexpected argument '%s'", *argv);
	conditions_read(&c);
	try_recording(&c);
	try_threads(&c);
	try_kallsyms(&c);
	try_sandbox(&c);
	for (uint32_t i = 0; i < c.n; i++)
		n[c.rows[i].verdict]++;
	if (json) {
		print_json(&c, !n[VERDICT_FAIL]);
	} else {
		print(&c);
		printf(n[VERDICT_FAIL] ? "\nthis machine, or this user, cannot record\n"
		       : n[VERDICT_DEGRADED]
			       ? "\nthis machine can record, with the limitations above\n"
			       : "\nthis machine can record\n");
	}
	conditions_release(&c);
	return n[VERDICT_FAIL] ? STATUS_FAILED : STATUS_OK;
}
