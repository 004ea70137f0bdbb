/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/base/living.h"
#include "profiler/profile/labels.h"

enum {
	MAX_FILE = 4 << 20, /* the kernel's limit of arguments and environment is 6 MiB */
	MAX_ATTRIBUTES = 64,
	MAX_VALUE = 255, /* bytes; the rest is cut */
	ID_DIGITS = 64,
	ID_SHOWN = 12,
};

void choice_release(struct choice *c)
{
	free(c->names);
	free(c->cgroups);
	free(c->units);
	*c = (struct choice){ 0 };
}

static bool equal(const char **a, uint32_t n, const char **b, uint32_t m)
{
	for (uint32_t i = 0; n == m && i < n; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return n == m;
}

bool choice_equal(const struct choice *a, const struct choice *b)
{
	return equal(a->names, a->n_names, b->names, b->n_names) &&
	       equal(a->cgroups, a->n_cgroups, b->cgroups, b->n_cgroups) &&
	       equal(a->units, a->n_units, b->units, b->n_units);
}

/* Control groups. */

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(s + len - n, end, n);
}

/* The 64 digits in a component, such as docker-ID.scope; NULL: none. */
static const char *find_id(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		n = isxdigit((unsigned char)s[i]) ? n + 1 : 0;
		if (n == ID_DIGITS && (i + 1 == len || !isxdigit((unsigned char)s[i + 1])))
			return s + i + 1 - ID_DIGITS;
	}
	return NULL;
}

/* One component of a path: a unit, a container, or neither. */
static void parse_component(const char *s, size_t len, struct cgroups *to)
{
	static const char *const named[] = { "lxc.payload.", "machine-" };
	const char *id = find_id(s, len);

	if (id) {
		to->container->len = 0;
		buf_add(to->container, id, ID_DIGITS);
		to->container_is_id = true;
		to->unit->len = 0; /* that of what runs the container */
	}
	for (int i = 0; i < 2; i++) {
		size_t n = strlen(named[i]);

		if (id || len <= n || memcmp(s, named[i], n))
			continue;
		to->container->len = 0;
		buf_add(to->container, s + n,
			len - n - (ends_with(s, len, ".scope") ? 6 : 0));
		to->container_is_id = false;
	}
	if (ends_with(s, len, ".service") || ends_with(s, len, ".scope"))
		to->unit->len = 0;
	if (ends_with(s, len, ".service"))
		buf_add(to->unit, s, len);
}

void cgroups_parse(struct buf *text, struct cgroups *to)
{
	char *line, *rest = buf_text(text);

	while ((line = strsep(&rest, "\n"))) {
		char *controllers = strchr(line, ':'), *path, *word;

		path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = 0;
		if (strcmp(controllers, ":") && strcmp(controllers, ":name=systemd"))
			continue;
		if (to->path->len > 1) /* the first that is not the root */
			continue;
		to->path->len = 0;
		buf_str(to->path, path);
		while ((word = strsep(&path, "/")))
			parse_component(word, strlen(word), to);
	}
}

/* Attributes. */

struct attributes {
	struct label rows[MAX_ATTRIBUTES];
	uint32_t n;
};

static bool has(const struct attributes *a, const char *key, size_t len)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->rows[i].key_len == len && !memcmp(a->rows[i].key, key, len))
			return true;
	return false;
}

/* The first value of a key counts. */
static void add(struct attributes *a, const char *key, size_t key_len, const char *value,
		size_t value_len)
{
	bool cut = value_len > MAX_VALUE;

	if (!key_len || !value_len || key_len > MAX_VALUE || a->n == MAX_ATTRIBUTES ||
	    has(a, key, key_len))
		return;
	a->rows[a->n++] = (struct label){ key, value, key_len, cut ? MAX_VALUE : value_len,
					  cut };
}

static int digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
					    : -1;
}

/* Decodes %XX in place, and cuts blanks off both ends. Its length; -1: it is not as
 * specified. */
static long decode(char **s, size_t len)
{
	char *from = *s, *end = from + len, *to;

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*s = to = from;
	for (; from < end; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		if (end - from < 3 || digit(from[1]) < 0 || digit(from[2]) < 0)
			return -1;
		*to++ = (char)(digit(from[1]) << 4 | digit(from[2]));
		from += 2;
	}
	return to - *s;
}

/* "key=value,key=value". An error makes all of it void. */
static void add_list(struct attributes *a, char *list)
{
	uint32_t before = a->n;
	char *pair;

	while ((pair = strsep(&list, ","))) {
		char *value = strchr(pair, '=');
		long key_len, value_len;

		if (!value && !pair[strspn(pair, " \t")])
			continue; /* a comma at the end */
		key_len = value ? decode(&pair, (size_t)(value - pair)) : -1;
		if (value)
			value++;
		value_len = value ? decode(&value, strlen(value)) : -1;
		if (key_len <= 0 || value_len < 0) {
			a->n = before;
			return;
		}
		add(a, pair, (size_t)key_len, value, (size_t)value_len);
	}
}

/* The value of a variable in a block of NUL-terminated strings; NULL: it is not set. */
static char *variable(struct buf *env, const char *name)
{
	char *s = buf_text(env), *end = s + env->len;
	size_t n = strlen(name);

	for (; s < end; s += strlen(s) + 1)
		if (!strncmp(s, name, n) && s[n] == '=')
			return s + n + 1;
	return NULL;
}

void identity_encode(struct buf *env, const char *const *defaults, struct buf *to)
{
	static const char name[] = "service.name";
	struct attributes a = { .n = 0 };
	char *value = variable(env, "OTEL_SERVICE_NAME");

	if (value)
		add(&a, name, strlen(name), value, strlen(value));
	value = variable(env, "OTEL_RESOURCE_ATTRIBUTES");
	if (value)
		add_list(&a, value);
	for (; *defaults; defaults += 2)
		add(&a, defaults[0], strlen(defaults[0]), defaults[1], strlen(defaults[1]));
	labels_encode(to, a.rows, a.n, false);
}

/* Processes. */

static void read_proc(uint32_t tgid, const char *name, struct buf *to)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", living_thread((pid_t)tgid), name);
	if (file_read(AT_FDCWD, path, MAX_FILE, to))
		to->len = 0;
}

static bool matches(const char **patterns, uint32_t n, const char *s, int flags)
{
	for (uint32_t i = 0; i < n; i++)
		if (!fnmatch(patterns[i], s, flags))
			return true;
	return false;
}

/* "nginx" matches nginx.service. */
static bool unit_matches(const struct choice *c, const char *unit)
{
	size_t len = strlen(unit);
	char *stem;
	bool ret;

	if (!len)
		return false;
	stem = mem_strdup(unit);
	stem[len - strlen(".service")] = 0;
	ret = matches(c->units, c->n_units, unit, 0) ||
	      matches(c->units, c->n_units, stem, 0);
	free(stem);
	return ret;
}

static bool is_chosen(const struct choice *c, const char *program, struct cgroups *g)
{
	if (!c->n_names && !c->n_cgroups && !c->n_units)
		return true;
	return matches(c->names, c->n_names, program, 0) ||
	       matches(c->cgroups, c->n_cgroups, buf_text(g->path), FNM_LEADING_DIR) ||
	       unit_matches(c, buf_text(g->unit));
}

bool identity_read(const struct choice *c, uint32_t tgid, const char *path, struct buf *to)
{
	struct buf text = { 0 }, group = { 0 }, unit = { 0 }, container = { 0 };
	struct cgroups g = { &group, &unit, &container, false };
	char service[MAX_VALUE], shown[MAX_VALUE];
	const char *program = basename(path);
	bool chosen;

	read_proc(tgid, "cgroup", &text);
	cgroups_parse(&text, &g);
	chosen = is_chosen(c, program, &g);
	if (chosen) {
		const char *const defaults[] = { "service.name",
						 service,
						 "service.name",
						 shown,
						 "service.name",
						 program,
						 "container.id",
						 g.container_is_id ? buf_text(&container)
								   : "",
						 NULL };

		snprintf(service, sizeof(service), "%.*s",
			 unit.len ? (int)(unit.len - strlen(".service")) : 0,
			 buf_text(&unit));
		snprintf(shown, sizeof(shown), "%.*s",
			 g.container_is_id ? ID_SHOWN : MAX_VALUE, buf_text(&container));
		text.len = 0;
		read_proc(tgid, "environ", &text);
		identity_encode(&text, defaults, to);
	}
	buf_release(&text);
	buf_release(&group);
	buf_release(&unit);
	buf_release(&container);
	return chosen;
}
