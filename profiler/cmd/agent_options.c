/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of agent. Those of a receiver belong to the --to before them, so that no
 * token goes to another one. */
#include <stdio.h>
#include <string.h>

#include "profiler/agent/secret.h"
#include "profiler/base/number.h"
#include "profiler/cmd/agent.h"
#include "profiler/cmd/cmd.h"

enum {
	INTERVAL_S = 10,
	INTERVAL_MAX_S = 600, /* receivers refuse what is old */
	QUEUE_BYTES = 8 << 20,
	QUEUE_MIN = 1 << 20, /* some profiles of the largest size */
	MAX_VALUES = 100,
	MAX_FILES = 1000,
};
#define MAX_BYTES (1ull << 30)

/* Receivers. */

static const char *parse_to(const char *arg, void *agent)
{
	struct agent *a = agent;

	if (a->n_receivers == MAX_RECEIVERS)
		return "at most 8 receivers";
	a->receivers[a->n_receivers++] = (struct receiver_options){ .to = arg };
	return NULL;
}

/* Sets a string of the receiver at hand. */
static const char *set(struct agent *a, size_t field, const char *value)
{
	if (!a->n_receivers)
		return "belongs to the --to before it, and there is none";
	*(const char **)((char *)&a->receivers[a->n_receivers - 1] + field) = value;
	return NULL;
}

static const char *parse_token(const char *arg, void *agent)
{
	return secret_check(arg)
		       ?: set(agent, offsetof(struct receiver_options, token), arg);
}

static const char *parse_password(const char *arg, void *agent)
{
	return secret_check(arg)
		       ?: set(agent, offsetof(struct receiver_options, password), arg);
}

static const char *parse_user(const char *arg, void *agent)
{
	return set(agent, offsetof(struct receiver_options, user), arg);
}

static const char *parse_tenant(const char *arg, void *agent)
{
	return set(agent, offsetof(struct receiver_options, tenant), arg);
}

static const char *parse_ca_file(const char *arg, void *agent)
{
	return set(agent, offsetof(struct receiver_options, ca_file), arg);
}

static const char *parse_recordings(const char *arg, void *agent)
{
	struct agent *a = agent;
	const char *why = set(a, offsetof(struct receiver_options, to),
			      a->receivers[a->n_receivers ? a->n_receivers - 1 : 0].to);

	(void)arg;
	if (!why)
		a->receivers[a->n_receivers - 1].recordings = true;
	return why;
}

static const char *parse_max_files(const char *arg, void *agent)
{
	struct agent *a = agent;
	uint64_t v;

	if (!a->n_receivers)
		return set(a, 0, NULL);
	if (number_parse(arg, 1, 1000000, &v))
		return "takes a number from 1 to 1000000";
	a->receivers[a->n_receivers - 1].max_files = (uint32_t)v;
	return NULL;
}

static const char *parse_max_bytes(const char *arg, void *agent)
{
	struct agent *a = agent;
	uint64_t v;

	if (!a->n_receivers)
		return set(a, 0, NULL);
	if (size_parse(arg, &v))
		return "takes a size such as 500M";
	a->receivers[a->n_receivers - 1].max_bytes = v;
	return NULL;
}

/* Processes and labels. */

static const char *parse_name(const char *arg, void *agent)
{
	struct choice *c = &((struct agent *)agent)->choice;

	*table_add(c->names, c->n_names, c->cap_names) = arg;
	return NULL;
}

static const char *parse_cgroup(const char *arg, void *agent)
{
	struct choice *c = &((struct agent *)agent)->choice;

	if (*arg != '/' && *arg != '*')
		return "takes a path as in /proc/PID/cgroup, which begins with /";
	*table_add(c->cgroups, c->n_cgroups, c->cap_cgroups) = arg;
	return NULL;
}

static const char *parse_unit(const char *arg, void *agent)
{
	struct choice *c = &((struct agent *)agent)->choice;

	*table_add(c->units, c->n_units, c->cap_units) = arg;
	return NULL;
}

static const char *parse_labels(const char *arg, void *agent)
{
	struct agent *a = agent;
	char *list = arena_strndup(&a->arena, arg, strlen(arg)), *word;

	while ((word = strsep(&list, ",")))
		if (*word)
			*table_add(a->labels, a->n_labels, a->cap_labels) = word;
	return NULL;
}

/* All. */

void agent_options(struct agent *a, struct opt opts[AGENT_OPTIONS])
{
	struct run *r = &a->run;
	/* clang-format off */
	const struct opt rows[] = {
		{ 'a', "all", NULL, "every Go process, including those that start later", .flag = &r->all },
		{ 0, "name", "GLOB", "processes whose program has this name; repeat for more",
		  .parse = parse_name, .data = a },
		{ 0, "cgroup", "GLOB", "processes in this control group or below; repeat for more",
		  .parse = parse_cgroup, .data = a },
		{ 0, "unit", "GLOB", "processes of this systemd service; repeat for more",
		  .parse = parse_unit, .data = a },
		{ 'i', "interval", "TIME", "length of a profile, up to 10m (10s)", .str = &a->interval },
		{ 0, "to", "URL", "where profiles go, see below; repeat for more",
		  .parse = parse_to, .data = a },
		{ 0, "token", "FROM", "bearer token for the --to before it: file:PATH or env:NAME",
		  .parse = parse_token, .data = a },
		{ 0, "user", "NAME", "user of basic authentication", .parse = parse_user, .data = a },
		{ 0, "password", "FROM", "that user's password: file:PATH or env:NAME",
		  .parse = parse_password, .data = a },
		{ 0, "tenant", "ID", "sent as X-Scope-OrgID", .parse = parse_tenant, .data = a },
		{ 0, "ca-file", "FILE", "certificates to trust instead of the system's",
		  .parse = parse_ca_file, .data = a },
		{ 0, "recordings", NULL, "file://: recordings of all processes instead of pprof files",
		  .parse = parse_recordings, .data = a },
		{ 0, "max-files", "N", "file://: keep as many, the newest (1000)",
		  .parse = parse_max_files, .data = a },
		{ 0, "max-bytes", "SIZE", "file://: keep as much (1G)", .parse = parse_max_bytes, .data = a },
		{ 0, "labels", "KEY[,KEY]", "pprof labels that are sent as strings (none)",
		  .parse = parse_labels, .data = a },
		{ 0, "max-values", "N", "different values of each of them, per service (100)",
		  .str = &a->max_values },
		{ 0, "queue", "SIZE", "memory for what waits for each receiver (8M)", .str = &a->queue },
		{ 'F', "freq", "HZ", "samples per second on each CPU (99)", .str = &r->freq },
		{ 'e', "event", "NAME", "cycles or cpu-clock (cycles if the machine has a PMU)",
		  .str = &r->event },
		DURATION_OPTION(r),
		{ 'K', "kernel-stacks-only", NULL, "kernel stacks only", .flag = &r->kernel_only },
		{ 'U', "user-stacks-only", NULL, "user stacks only", .flag = &r->user_only },
		COMMON_OPTIONS,
		{ 0 },
	};
	/* clang-format on */

	_Static_assert(sizeof(rows) / sizeof(*rows) <= AGENT_OPTIONS, "");
	memcpy(opts, rows, sizeof(rows));
}

static int check_receivers(struct agent *a)
{
	if (!a->n_receivers)
		return usage_error("agent",
				   "where to? give --to URL, such as --to file:///DIR");
	for (uint32_t i = 0; i < a->n_receivers; i++) {
		struct receiver_options *o = &a->receivers[i];
		const char *why = receiver_check(o);

		if (why)
			return usage_error("agent", "--to %s: %s", o->to, why);
		o->max_files = o->max_files ? o->max_files : MAX_FILES;
		o->max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES;
	}
	return STATUS_OK;
}

int agent_check(struct agent *a)
{
	const struct choice *c = &a->choice;
	bool some = c->n_names || c->n_cgroups || c->n_units;

	if (a->run.all == some)
		return usage_error("agent",
				   "give processes: -a, or --name, --cgroup or --unit");
	a->run.all = true;
	a->interval_ns = INTERVAL_S * (uint64_t)1000000000;
	if (a->interval &&
	    (duration_parse(a->interval, &a->interval_ns) || a->interval_ns < 1000000000 ||
	     a->interval_ns > INTERVAL_MAX_S * 1000000000ull))
		return usage_error("agent", "-i takes a time from 1s to 10m, not '%s'",
				   a->interval);
	a->queue_bytes = QUEUE_BYTES;
	if (a->queue &&
	    (size_parse(a->queue, &a->queue_bytes) || a->queue_bytes < QUEUE_MIN))
		return usage_error("agent",
				   "--queue takes a size such as 8M, at least 1M, not '%s'",
				   a->queue);
	a->values = MAX_VALUES;
	if (a->max_values && number_parse(a->max_values, 1, 10000, &a->values))
		return usage_error("agent",
				   "--max-values takes a number from 1 to 10000, not '%s'",
				   a->max_values);
	return check_receivers(a) ?: run_check(&a->run);
}
