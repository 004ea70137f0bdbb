/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/series.h"

#include <stdio.h>

static void add(struct series *s, const char *name, const char *value)
{
	if (!*value)
		return;
	s->labels[s->n].name = name;
	s->labels[s->n++].value = value;
}

void series_of(const struct item *it, struct series *s)
{
	const struct origin *o = &it->origin;

	s->n = 0;
	snprintf(s->pid, sizeof(s->pid), "%u", o->pid);
	add(s, "__name__", "process_cpu");
	add(s, "container_id", o->container_id);
	add(s, "go_version", o->go_version);
	add(s, "host", o->host);
	add(s, "pid", s->pid);
	add(s, "program", o->program);
	add(s, "service_name", o->service);
}
