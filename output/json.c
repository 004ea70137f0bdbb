/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/json.h"

#include <inttypes.h>
#include <math.h>

#include "profiler/base/plain.h"

static void put_string(FILE *out, const char *s)
{
	fputc('"', out);
	while (*s) {
		const char *start = s;
		uint32_t code = plain_decode(&s);

		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (int)code);
		else if (code == PLAIN_REPLACEMENT || !plain_shown(code))
			fprintf(out, "\\u%04x", code);
		else
			fwrite(start, 1, (size_t)(s - start), out);
	}
	fputc('"', out);
}

/* The comma and the key that come before a value. */
static void begin(struct json *j, const char *key)
{
	if (j->comma)
		fputc(',', j->out);
	j->comma = true;
	if (!key)
		return;
	put_string(j->out, key);
	fputc(':', j->out);
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
}

void json_str(struct json *j, const char *key, const char *s)
{
	begin(j, key);
	if (s)
		put_string(j->out, s);
	else
		fputs("null", j->out);
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
	begin(j, key);
	fprintf(j->out, "%" PRIu64, v);
}

void json_num(struct json *j, const char *key, double v)
{
	begin(j, key);
	if (isfinite(v))
		fprintf(j->out, "%.9g", v);
	else
		fputs("null", j->out);
}

void json_bool(struct json *j, const char *key, bool v)
{
	begin(j, key);
	fputs(v ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	json_str(j, key, NULL);
}
