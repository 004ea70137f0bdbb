/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor: can this machine record? What can be tried is tried: the kernel side is loaded, the clock
 * runs for a moment, the iterator looks at ourselves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/json.h"
#include "profiler/base/buf.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/condition.h"
#include "profiler/kernel/collect.h"
#include "profiler/kernel/threads.h"
#include "symbolizer/kallsyms.h"

static const char *const verdicts[] = { "fine", "poor", "bad" };

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

		condition_add(c, "kernel side", FINE, NULL, "loads");
		err = kernel.start(kernel.self, &what);
		condition_add(
			c, "clock", err ? BAD : FINE, err ? unknown_fix(what, err) : NULL,
			err   ? "%s: %s"
			: pmu ? "cycles, counted by the CPU"
			      : "cpu-clock, a timer (this machine offers no cycle counter)",
			err ? what : "", strerror(-err));
		kernel.close(kernel.self);
	} else {
		condition_add(c, "kernel side", BAD, unknown_fix(what, err), "%s: %s", what,
			      strerror(-err));
	}
}

static void try_threads(struct conditions *c)
{
	struct thread_state *rows = NULL;
	struct threads *threads;
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
		c, "task iterator", err ? POOR : FINE,
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
	condition_add(c, "kallsyms", err ? POOR : FINE,
		      "add CAP_SYSLOG, or run: sysctl kernel.kptr_restrict=0; until then "
		      "kernel functions have no names",
		      "%s",
		      err ? (why ? why : strerror(-err)) : "kernel functions have names");
}

static void put(const char *text, uint32_t indent)
{
	struct buf b = { 0 };

	plain_wrap(&b, text, plain_width(STDOUT_FILENO), indent);
	printf("%.*s\n", (int)b.len, (const char *)b.data);
	buf_release(&b);
}

/* "fine", "poor", "bad"; colour only repeats it. */
static void print(const struct conditions *c)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool color = color_wanted(stdout);

	for (const struct condition *r = c->rows; r < c->rows + c->n; r++) {
		printf("%s%-4s%s  %-26s  ", color ? colors[r->verdict] : "",
		       verdicts[r->verdict], color ? "\033[0m" : "", r->name);
		put(r->state, 34);
		if (r->fix) {
			fputs("      -> ", stdout);
			put(r->fix, 9);
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
		if (r->fix)
			json_str(&j, "mend", r->fix);
		else
			json_null(&j, "mend");
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

int cmd_doctor(int argc, char **argv)
{
	uint32_t n[BAD + 1] = { 0 };
	struct conditions c = { 0 };
	bool json = false;
	const struct opt opts[] = {
		{ 0, "json", NULL, "one JSON object", .flag = &json },
		COMMON_OPTIONS,
		{ 0 },
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
	for (uint32_t i = 0; i < c.n; i++)
		n[c.rows[i].verdict]++;
	if (json) {
		print_json(&c, !n[BAD]);
	} else {
		print(&c);
		printf(n[BAD] ? "\nthis machine, or this user, cannot record\n"
		       : n[POOR]
			       ? "\nthis machine can record, except for what is poor above\n"
			       : "\nthis machine can record\n");
	}
	conditions_release(&c);
	return n[BAD] ? STATUS_FAILED : STATUS_OK;
}
