/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "output/text.h"
#include "profiler/cmd/result.h"
#include "profiler/cmd/top.h"
#include "profiler/profile/profile.h"

/* Named as record names its files. */
static int write_cut(struct top *t, struct result *r, struct profile *p)
{
	const struct process *first = &p->processes[p->n_processes > 1];
	const char *name = t->path ? profile_string(p, first->name) : t->run.name;
	pid_t pid = t->path ? (pid_t)first->tgid : t->run.pid;
	int err = result_open(r, name, pid, p);

	if (!err)
		err = result_begin(r, p);
	if (!err)
		err = result_finish(r, p);
	if (err)
		result_leave_nothing(r);
	return err;
}

void top_write(struct top *t)
{
	struct profile *p;
	struct result r = { 0 };
	struct buf text = { 0 };
	uint32_t n;
	int err;

	t->browser.write = false;
	if (!moment_to(&t->moment)) {
		browser_say(&t->browser, "there is nothing to write yet");
		return;
	}
	p = moment_cut(&t->moment);
	n = p->n_events;
	err = write_cut(t, &r, p);
	if (err) {
		buf_printf(&text, "%s: %s", r.path, strerror(-err));
	} else {
		buf_printf(&text, "written: %s, ", r.path);
		text_count_of(&text, n, "sample");
	}
	browser_say(&t->browser, buf_text(&text));
	buf_release(&text);
	result_close(&r);
	profile_free(p);
}
