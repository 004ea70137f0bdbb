/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON front to back and keeps nothing. The caller opens, names and closes in the
 * right order, and checks ferror(out). Strings come out as valid UTF-8 without terminal
 * control characters, whatever went in. One thread at a time writes to out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool comma; /* before the next value */
};

/* key is the value's name in an object, NULL in an array and for the outermost value. */
void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);                 /* '}' or ']' */
void json_str(struct json *j, const char *key, const char *s); /* NULL: null */
void json_uint(struct json *j, const char *key, uint64_t v);
void json_num(struct json *j, const char *key, double v); /* null when not finite */
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);
/* null for "", and for 0: they stand for "not known" in a profile. */
void json_str_or_null(struct json *j, const char *key, const char *s);
void json_uint_or_null(struct json *j, const char *key, uint64_t v);
/* null unless known. */
void json_uint_if(struct json *j, const char *key, uint64_t v, bool known);
/* "0x46a1c0"; null unless known. */
void json_hex(struct json *j, const char *key, uint64_t v, bool known);
/* The next value begins on a line of its own. */
void json_line(struct json *j);

/* An array of n values: write writes the one of row i. */
#define json_each(j, key, n, write) \
	do { \
		json_open(j, key, '['); \
		for (uint32_t i = 0; i < (n); i++) \
			write; \
		json_close(j, ']'); \
	} while (0)
#define json_column(j, key, n, value) json_each(j, key, n, json_uint(j, NULL, value))
