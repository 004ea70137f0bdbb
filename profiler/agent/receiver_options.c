/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user wants of a receiver. */
#include <stdlib.h>
#include <string.h>

#include "profiler/agent/receiver.h"
#include "profiler/base/arena.h"

static const struct receiver_kind *const kinds[] = { &files_kind, &otlp_kind, &parca_kind,
						     &pyroscope_kind };

/* "pyroscope+http://…" is of the kind "pyroscope+", "file:///…" of "file://". */
const struct receiver_kind *receiver_kind_of(const char *to)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct receiver_kind *k = kinds[i];
		size_t n = strlen(k->scheme);

		if (!strncmp(to, k->scheme, n) &&
		    (!k->body || !strncmp(to + n, "http://", 7) ||
		     !strncmp(to + n, "https://", 8)))
			return k;
	}
	return NULL;
}

static bool has_control(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return true;
	return false;
}

static const char *check_http(const struct receiver_options *o)
{
	const char *host = strstr(o->to, "://") + 3;
	size_t n = strcspn(host, "/?#");

	if (!n || host[strcspn(host, "?#")])
		return "the URL is scheme://HOST[:PORT][/PATH]";
	if (memchr(host, '@', n))
		return "a password in a URL can be read by everybody; use --user and --password";
	if (o->recordings || o->max_files || o->max_bytes)
		return "--recordings, --max-files and --max-bytes belong to file://";
	if (o->password && !o->user)
		return "--password needs --user";
	if (o->token && o->user)
		return "--token and --user exclude each other";
	return NULL;
}

const char *receiver_check(const struct receiver_options *o)
{
	const struct receiver_kind *k = receiver_kind_of(o->to);

	if (!k)
		return "unknown kind of receiver; use file:///DIR, or pyroscope+, otlp+ or parca+ "
		       "before http://HOST or https://HOST";
	if (has_control(o->to) || has_control(o->tenant) || has_control(o->user))
		return "blanks and control characters do not belong there";
	if (k->body)
		return check_http(o);
	if (o->to[strlen(k->scheme)] != '/')
		return "a directory is file:// and its whole path, such as file:///var/lib/gostrobe";
	if (o->token || o->user || o->password || o->tenant || o->ca_file)
		return "--token, --user, --password, --tenant and --ca-file belong to http";
	return NULL;
}

/* Copies. */

/* The strings. */
static const char **string(struct receiver_options *o, int i)
{
	const char **all[] = { &o->to,       &o->token,  &o->user,
			       &o->password, &o->tenant, &o->ca_file };

	return i < (int)(sizeof(all) / sizeof(*all)) ? all[i] : NULL;
}

void receiver_options_copy(struct receiver_options *to, const struct receiver_options *from)
{
	const char **s;

	*to = *from;
	for (int i = 0; (s = string(to, i)); i++)
		*s = *s ? mem_strdup(*s) : NULL;
}

void receiver_options_release(struct receiver_options *o)
{
	const char **s;

	for (int i = 0; (s = string(o, i)); i++)
		free((char *)(uintptr_t)*s);
	*o = (struct receiver_options){ 0 };
}

bool receiver_options_equal(const struct receiver_options *a,
			    const struct receiver_options *b)
{
	struct receiver_options x = *a, y = *b;
	const char **s;

	for (int i = 0; (s = string(&x, i)); i++) {
		const char *t = *string(&y, i);

		if (!*s != !t || (t && strcmp(*s, t)))
			return false;
	}
	return x.recordings == y.recordings && x.max_files == y.max_files &&
	       x.max_bytes == y.max_bytes;
}
