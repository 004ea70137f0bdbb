/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offsets by version. Measured from the DWARF of programs built by each release named in
 * tools/golayout, which checks this table; amd64 and arm64 are alike.
 */
#include "profiler/golayout.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/base/cursor.h"

enum {
	NEWEST_MINOR = 27,
	/* The load of g comes first; where code is instrumented it may come later. */
	TLS_SEARCH = 16,
	/* Farther from the thread pointer is no variable but a misread instruction. */
	TLS_MIN = -(64 << 10),
};

/* clang-format off */
static const struct row {
	uint16_t minor, patch;	/* the first release of Go 1 with this layout, up to the next row */
	uint16_t syscallsp, goid, gopc, startpc, parent_goid, procid, curg, extra_in_c, ncgo;
} rows[] = {
	/*	  g: syscallsp, goid, gopc, startpc, parent; m: procid, curg, extra, ncgo */
	{ 13,  0,	112, 152, 280, 296,   0,	72, 192,   0, 312 },
	{ 17,  0,	112, 152, 296, 312,   0,	72, 192,   0, 312 },
	{ 21,  0,	112, 152, 280, 296, 272,	72, 192, 282, 312 },
	{ 22,  0,	112, 152, 280, 296, 272,	72, 192, 282, 304 },
	{ 23,  0,	112, 160, 288, 304, 280,	72, 192, 282, 304 },	/* g.syscallbp is new */
	{ 23, 12,	112, 160, 288, 304, 280,	72, 192, 282, 328 },	/* m.allpSnapshot: issue 74414 … */
	{ 24,  0,	112, 160, 288, 304, 280,	72, 192, 282, 304 },
	{ 24,  6,	112, 160, 288, 304, 280,	72, 192, 282, 328 },	/* … is in two patch releases */
	{ 25,  0,	104, 152, 280, 296, 272,	64, 184, 274, 320 },	/* gobuf.ret is gone */
	{ 26,  0,	104, 152, 288, 304, 280,	64, 184, 282, 328 },
};
/* clang-format on */

/* A decimal number of at most four digits, *s moves past it; -EINVAL. */
static int number_parse(const char **s)
{
	const char *p = *s;
	int v = 0;

	while (isdigit((unsigned char)*p) && p - *s < 4)
		v = v * 10 + (*p++ - '0');
	if (p == *s || isdigit((unsigned char)*p))
		return -EINVAL;
	*s = p;
	return v;
}

/* {major, minor, patch} of "go1.22.3", absent ones 0. Returns what follows; NULL: no version. */
static const char *version_parse(const char *s, int part[3])
{
	if (strncmp(s, "go", 2))
		return NULL;
	s += 2;
	for (int i = 0; i < 3; i++) {
		part[i] = number_parse(&s);
		if (part[i] < 0)
			return NULL;
		if (i == 2 || *s != '.')
			break;
		s++;
	}
	return s;
}

int golayout_find(struct layout *ret, const char *version, const char **why)
{
	const struct row *r = NULL;
	const char *rest;
	int part[3] = { 0 };

	*ret = (struct layout){ 0 };
	if (!strncmp(version, "devel", 5)) {
		*why = "a development version of Go: its runtime may be of either release";
		return -ENOTSUP;
	}
	rest = version_parse(version, part);
	if (!rest) {
		*why = "not a version of Go";
		return -EINVAL;
	}
	if (part[0] > 1 || part[1] > NEWEST_MINOR) {
		*why = "newer than Go 1.27, the last known";
		return -ENOTSUP;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].minor * 10000 + rows[i].patch <= part[1] * 10000 + part[2])
			r = &rows[i];
	if (!r || part[0] < 1) {
		*why = "older than Go 1.13, the first known";
		return -ENOTSUP;
	}
	*ret = (struct layout){
		.ok = 1,
		.g_syscallsp = r->syscallsp,
		.g_goid = r->goid,
		.g_gopc = r->gopc,
		.g_startpc = r->startpc,
		.g_parent_goid = r->parent_goid,
		.m_procid = r->procid,
		.m_curg = r->curg,
		.m_extra_in_c = r->extra_in_c,
		.m_ncgo = r->ncgo,
		.old_prologue = part[1] < 21,
	};
	/* Of all these only ncgo is not yet where it will be in the release (1.25rc1: 296). Any
	 * other suffix (" X:boringcrypto", "-vendor") does not move fields. */
	if (!strncmp(rest, "rc", 2) || !strncmp(rest, "beta", 4))
		ret->m_ncgo = 0;
	return 0;
}

/* Does the code at c continue with these bytes? It moves past them then. */
static bool code_is(struct cursor *c, const char *bytes, size_t n)
{
	struct cursor next = *c;
	const void *p = cursor_bytes(&next, n);

	if (!p || memcmp(p, bytes, n))
		return false;
	*c = next;
	return true;
}

int golayout_tls(const uint8_t *code, uint32_t len, int64_t *offset)
{
	for (uint32_t at = 0; at < TLS_SEARCH && at < len; at++) {
		struct cursor c = cursor_slice(&(struct cursor){ .data = code, .len = len },
					       at, len - at);
		int32_t imm = 0;

		if (code_is(&c, "\x64\x48\x8b\x04\x25", 5)) { /* mov %fs:imm,%rax */
			imm = (int32_t)cursor_u32(&c);
		} else if (code_is(&c, "\x48\xc7\xc1", 3)) { /* mov $imm,%rcx; PIE */
			imm = (int32_t)cursor_u32(&c);
			if (!code_is(&c, "\x64\x48\x8b\x01", 4)) /* mov %fs:(%rcx),%rax */
				continue;
		}
		if (imm < 0 && imm > TLS_MIN && imm % 8 == 0) {
			*offset = imm;
			return 0;
		}
	}
	return -ENOENT;
}
