/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen that explains why this machine, or this user, cannot record: the call that
 * failed, the fix, then what fails and the settings that people ask for first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/log.h"
#include "profiler/base/plain.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/condition.h"

static bool is_shown(const struct condition *c)
{
	static const char *const always[] = { "CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE",
					      "perf_event_paranoid",
					      "unprivileged_bpf_disabled" };

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (!strcmp(c->name, always[i]))
			return true;
	return c->verdict == VERDICT_FAIL ||
	       (!strcmp(c->name, "container") && strncmp(c->state, "none", 4));
}

void say_cannot(const char *verb, const char *what, int err)
{
	uint32_t width = plain_width(STDERR_FILENO);
	struct conditions c = { 0 };
	const char *fix = files_fix(err);

	if (!fix)
		conditions_read(&c);
	for (uint32_t i = 0; i < c.n && !fix; i++)
		if (c.rows[i].verdict == VERDICT_FAIL)
			fix = c.rows[i].fix;
	log_error("cannot %s: %s: %s (errno %d)", verb, what, strerror(-err), -err);
	fputs("\n  ", stderr);
	print_wrapped(stderr, fix ? fix : unknown_fix(what, err), width, 2);
	if (!c.n)
		return;
	fputc('\n', stderr);
	for (uint32_t i = 0; i < c.n; i++)
		if (is_shown(&c.rows[i])) {
			fprintf(stderr, "  %-26s ", c.rows[i].name);
			print_wrapped(stderr, c.rows[i].state, width, 29);
		}
	fputs("\n  gostrobe doctor shows all conditions.\n", stderr);
	conditions_release(&c);
}
