/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/json.h"

#include <inttypes.h>
#include <math.h>

#include "profiler/base/plain.h"

/* The bytes at s that need no escape and no decoding. */
static size_t plain_len(const char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void put_string(FILE *out, const char *s)
{
	putc_unlocked('"', out);
	while (*s) {
		const char *start = s;
		size_t n = plain_len(s);
		uint32_t code;

		if (n) {
			fwrite_unlocked(s, 1, n, out);
			s += n;
			continue;
		}
		code = plain_decode(&s);
		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (int)code);
		else if (code == PLAIN_REPLACEMENT || !plain_shown(code))
			fprintf(out, "\\u%04x", code);
		else
			fwrite_unlocked(start, 1, (size_t)(s - start), out);
	}
	putc_unlocked('"', out);
}

/* The comma and the key that come before a value. */
static void begin(struct json *j, const char *key)
{
	if (j->comma)
		putc_unlocked(',', j->out);
	j->comma = true;
	if (!key)
		return;
	put_string(j->out, key);
	putc_unlocked(':', j->out);
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	putc_unlocked(bracket, j->out);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	putc_unlocked(bracket, j->out);
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
	char digits[20];
	size_t at = sizeof(digits);

	begin(j, key);
	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	fwrite_unlocked(digits + at, 1, sizeof(digits) - at, j->out);
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

void json_str_or_null(struct json *j, const char *key, const char *s)
{
	json_str(j, key, *s ? s : NULL);
}

void json_uint_if(struct json *j, const char *key, uint64_t v, bool known)
{
	if (known)
		json_uint(j, key, v);
	else
		json_null(j, key);
}

void json_uint_or_null(struct json *j, const char *key, uint64_t v)
{
	json_uint_if(j, key, v, v);
}

void json_hex(struct json *j, const char *key, uint64_t v, bool known)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	json_str(j, key, known ? text : NULL);
}

void json_line(struct json *j)
{
	if (j->comma)
		putc_unlocked(',', j->out);
	j->comma = false;
	putc_unlocked('\n', j->out);
}
