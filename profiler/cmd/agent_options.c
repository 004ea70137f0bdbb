/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of agent. Those of a receiver belong to the --to before them, so that no
 * token goes to another one. */
#include <stdlib.h>
#include <string.h>

#include "profiler/agent/secret.h"
#include "profiler/base/buf.h"
#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/cmd/agent.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/config.h"

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

static const char *parse_to(const char *arg, void *settings)
{
	struct settings *s = settings;

	if (s->n_receivers == MAX_RECEIVERS)
		return "at most 8 receivers";
	s->receivers[s->n_receivers++] = (struct receiver_options){ .to = arg };
	return NULL;
}

/* Sets a string of the receiver at hand. */
static const char *set(struct settings *s, size_t field, const char *value)
{
	if (!s->n_receivers)
		return "belongs to the --to before it, and there is none";
	*(const char **)((char *)&s->receivers[s->n_receivers - 1] + field) = value;
	return NULL;
}

static const char *parse_token(const char *arg, void *settings)
{
	return secret_check(arg)
		       ?: set(settings, offsetof(struct receiver_options, token), arg);
}

static const char *parse_password(const char *arg, void *settings)
{
	return secret_check(arg)
		       ?: set(settings, offsetof(struct receiver_options, password), arg);
}

static const char *parse_user(const char *arg, void *settings)
{
	return set(settings, offsetof(struct receiver_options, user), arg);
}

static const char *parse_tenant(const char *arg, void *settings)
{
	return set(settings, offsetof(struct receiver_options, tenant), arg);
}

static const char *parse_ca_file(const char *arg, void *settings)
{
	return set(settings, offsetof(struct receiver_options, ca_file), arg);
}

static const char *parse_recordings(const char *arg, void *settings)
{
	struct settings *s = settings;
	const char *why = set(s, offsetof(struct receiver_options, to),
			      s->receivers[s->n_receivers ? s->n_receivers - 1 : 0].to);

	(void)arg;
	if (!why)
		s->receivers[s->n_receivers - 1].recordings = true;
	return why;
}

static const char *parse_max_files(const char *arg, void *settings)
{
	struct settings *s = settings;
	uint64_t v;

	if (!s->n_receivers)
		return set(s, 0, NULL);
	if (number_parse(arg, 1, 1000000, &v))
		return "takes a number from 1 to 1000000";
	s->receivers[s->n_receivers - 1].max_files = (uint32_t)v;
	return NULL;
}

static const char *parse_max_bytes(const char *arg, void *settings)
{
	struct settings *s = settings;
	uint64_t v;

	if (!s->n_receivers)
		return set(s, 0, NULL);
	if (size_parse(arg, &v))
		return "takes a size such as 500M";
	s->receivers[s->n_receivers - 1].max_bytes = v;
	return NULL;
}

/* Processes and labels. */

static const char *parse_name(const char *arg, void *settings)
{
	struct choice *c = &((struct settings *)settings)->choice;

	*table_add(c->names, c->n_names, c->cap_names) = arg;
	return NULL;
}

static const char *parse_cgroup(const char *arg, void *settings)
{
	struct choice *c = &((struct settings *)settings)->choice;

	if (*arg != '/' && *arg != '*')
		return "takes a path as in /proc/PID/cgroup, which begins with /";
	*table_add(c->cgroups, c->n_cgroups, c->cap_cgroups) = arg;
	return NULL;
}

static const char *parse_unit(const char *arg, void *settings)
{
	struct choice *c = &((struct settings *)settings)->choice;

	*table_add(c->units, c->n_units, c->cap_units) = arg;
	return NULL;
}

static const char *parse_labels(const char *arg, void *settings)
{
	struct settings *s = settings;
	char *list = arena_strndup(&s->arena, arg, strlen(arg)), *word;

	while ((word = strsep(&list, ",")))
		if (*word)
			*table_add(s->labels, s->n_labels, s->cap_labels) = word;
	return NULL;
}

/* The file, whose options count as if they stood there on the command line. */

static const char *parse_config(const char *arg, void *settings)
{
	struct settings *s = settings;
	const char *why;

	if (s->in_file)
		return "does not belong in a file";
	s->config = arg;
	s->in_file = true;
	why = config_read(arg, s->opts, &s->arena);
	s->in_file = why; /* settings_parse() sees where it was */
	return why;
}

static const char *parse_check(const char *arg, void *settings)
{
	struct settings *s = settings;

	(void)arg;
	s->check = true;
	return s->in_file ? "does not belong in a file" : NULL;
}

/* All. */

void settings_init(struct settings *s)
{
	struct run *r = &s->run;
	/* clang-format off */
	const struct opt rows[] = {
		{ 'a', "all", NULL, "every Go process, including those that start later", .flag = &s->all },
		{ 0, "name", "GLOB", "processes whose program has this name; repeat for more",
		  .parse = parse_name, .data = s },
		{ 0, "cgroup", "GLOB", "processes in this control group or below; repeat for more",
		  .parse = parse_cgroup, .data = s },
		{ 0, "unit", "GLOB", "processes of this systemd service; repeat for more",
		  .parse = parse_unit, .data = s },
		{ 'i', "interval", "TIME", "length of a profile, up to 10m (10s)", .str = &s->interval },
		{ 0, "to", "URL", "where profiles go, see below; repeat for more",
		  .parse = parse_to, .data = s },
		{ 0, "token", "FROM", "bearer token for the --to before it: file:PATH or env:NAME",
		  .parse = parse_token, .data = s },
		{ 0, "user", "NAME", "user of basic authentication", .parse = parse_user, .data = s },
		{ 0, "password", "FROM", "that user's password: file:PATH or env:NAME",
		  .parse = parse_password, .data = s },
		{ 0, "tenant", "ID", "sent as X-Scope-OrgID", .parse = parse_tenant, .data = s },
		{ 0, "ca-file", "FILE", "certificates to trust instead of the system's",
		  .parse = parse_ca_file, .data = s },
		{ 0, "recordings", NULL, "file://: recordings of all processes instead of pprof files",
		  .parse = parse_recordings, .data = s },
		{ 0, "max-files", "N", "file://: keep as many, the newest (1000)",
		  .parse = parse_max_files, .data = s },
		{ 0, "max-bytes", "SIZE", "file://: keep as much (1G)", .parse = parse_max_bytes, .data = s },
		{ 0, "labels", "KEY[,KEY]", "pprof labels that are sent as strings (none)",
		  .parse = parse_labels, .data = s },
		{ 0, "max-values", "N", "different values of each of them, per service (100)",
		  .str = &s->max_values },
		{ 0, "queue", "SIZE", "memory for what waits for each receiver (8M)", .str = &s->queue },
		{ 0, "listen", "[ADDR:]PORT", "answer GET /metrics and /healthz there (no)",
		  .str = &s->listen },
		{ 0, "listen-remote", NULL, "allow --listen an address that others can reach",
		  .flag = &s->listen_remote },
		{ 0, "config", "FILE", "more options, a line each: NAME = VALUE",
		  .parse = parse_config, .data = s },
		{ 0, "check-config", NULL, "check all options and secrets, and end",
		  .parse = parse_check, .data = s },
		{ 'F', "freq", "HZ", "samples per second on each CPU (99)", .str = &r->freq },
		{ 'e', "event", "NAME", "cycles or cpu-clock (cycles if the machine has a PMU)",
		  .str = &r->event },
		DURATION_OPTION(r),
		{ 'K', "kernel-stacks-only", NULL, "kernel stacks only", .flag = &r->kernel_only },
		{ 'U', "user-stacks-only", NULL, "user stacks only", .flag = &r->user_only },
		NO_SANDBOX_OPTION(r),
		COMMON_OPTIONS,
		{ 0 },
	};
	/* clang-format on */

	_Static_assert(sizeof(rows) / sizeof(*rows) <= AGENT_OPTIONS, "");
	*s = (struct settings){
		.run = { .verb = "agent", .writes = true, .network = true }
	};
	memcpy(s->opts, rows, sizeof(rows));
}

static int check_receivers(struct settings *s)
{
	if (!s->n_receivers)
		return usage_error("agent",
				   "where to? give --to URL, such as --to file:///DIR");
	for (uint32_t i = 0; i < s->n_receivers; i++) {
		struct receiver_options *o = &s->receivers[i];
		const char *why = receiver_check(o);

		if (why)
			return usage_error("agent", "--to %s: %s", o->to, why);
		/* only these have files */
		if (receiver_kind_of(o->to)->body)
			continue;
		o->max_files = o->max_files ? o->max_files : MAX_FILES;
		o->max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES;
	}
	return STATUS_OK;
}

static int check_listen(struct settings *s)
{
	const char *why = s->listen ? address_parse(s->listen, &s->address) : NULL;

	if (why)
		return usage_error("agent", "--listen %s: %s", s->listen, why);
	if (s->listen && !s->address.loopback && !s->listen_remote)
		return usage_error(
			"agent",
			"--listen %s: others could reach it; --listen-remote allows that",
			s->listen);
	return STATUS_OK;
}

static int check(struct settings *s)
{
	const struct choice *c = &s->choice;
	bool some = c->n_names || c->n_cgroups || c->n_units;

	if (s->all == some)
		return usage_error("agent",
				   "give processes: -a, or --name, --cgroup or --unit");
	s->run.all = true;
	s->interval_ns = INTERVAL_S * (uint64_t)1000000000;
	if (s->interval &&
	    (duration_parse(s->interval, &s->interval_ns) || s->interval_ns < 1000000000 ||
	     s->interval_ns > INTERVAL_MAX_S * 1000000000ull))
		return usage_error("agent", "-i takes a time from 1s to 10m, not '%s'",
				   s->interval);
	s->queue_bytes = QUEUE_BYTES;
	if (s->queue &&
	    (size_parse(s->queue, &s->queue_bytes) || s->queue_bytes < QUEUE_MIN))
		return usage_error("agent",
				   "--queue takes a size such as 8M, at least 1M, not '%s'",
				   s->queue);
	s->values = MAX_VALUES;
	if (s->max_values && number_parse(s->max_values, 1, 10000, &s->values))
		return usage_error("agent",
				   "--max-values takes a number from 1 to 10000, not '%s'",
				   s->max_values);
	return check_receivers(s) ?: check_listen(s) ?: run_check(&s->run);
}

int settings_parse(struct settings *s, int argc, char **argv)
{
	int status = opt_parse(s->opts, &argc, &argv, true) ? STATUS_USAGE : STATUS_OK;

	if (status && s->in_file)
		return STATUS_FAILED; /* the file is bad, not the usage */
	if (!status && argc)
		status = usage_error("agent", "unexpected argument '%s'", argv[0]);
	return status ?: check(s);
}

int settings_check_secrets(const struct settings *s)
{
	int status = STATUS_OK;

	for (uint32_t i = 0; i < s->n_receivers; i++) {
		const struct receiver_options *o = &s->receivers[i];
		const char *from = o->token ? o->token : o->password, *why = NULL;
		struct buf secret = { 0 };

		if (from)
			why = secret_read(from, &secret);
		if (why)
			log_error("--to %s: %s: %s", o->to, from, why);
		if (why)
			status = STATUS_FAILED;
		if (secret.len)
			explicit_bzero(secret.data, secret.len);
		buf_release(&secret);
	}
	return status;
}

/* Two of them. */

static bool differ(const char *a, const char *b)
{
	return !a != !b || (a && strcmp(a, b));
}

const char *settings_fixed(const struct settings *before, struct settings *s)
{
	const struct run *a = &before->run, *b = &s->run;
	const struct {
		const char *name;
		bool differs;
	} rows[] = {
		{ "freq", differ(a->freq, b->freq) },
		{ "event", differ(a->event, b->event) },
		{ "duration", differ(a->duration, b->duration) },
		{ "kernel-stacks-only", a->kernel_only != b->kernel_only },
		{ "user-stacks-only", a->user_only != b->user_only },
		{ "listen", differ(before->listen, s->listen) },
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].differs)
			text = arena_printf(&s->arena, "%s%s%s", text, *text ? "," : "",
					    rows[i].name);
	return text;
}

struct exporter_options settings_exporter(const struct settings *s)
{
	return (struct exporter_options){
		.receivers = s->receivers,
		.n_receivers = s->n_receivers,
		.queue_bytes = s->queue_bytes,
		.labels = s->labels,
		.n_labels = s->n_labels,
		.max_values = (uint32_t)s->values,
	};
}

void settings_release(struct settings *s)
{
	choice_release(&s->choice);
	free(s->labels);
	arena_release(&s->arena);
}
