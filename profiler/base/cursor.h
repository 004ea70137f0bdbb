/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads untrusted bytes. A read past the end returns 0 and sets `bad`, which stays set:
 * decode a whole record, then check once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *data; /* not owned */
	size_t len, pos;
	bool bad;
};

static inline struct cursor cursor_over(const void *data, size_t len)
{
	return (struct cursor){ .data = data, .len = len };
}

/* The n bytes at pos, which moves past them; NULL and bad if there are fewer. */
const void *cursor_bytes(struct cursor *c, size_t n);
/* Moves to pos, counted from the start; the end is allowed, beyond it is bad. */
void cursor_seek(struct cursor *c, size_t pos);
/* A cursor over a part of the bytes; empty and bad if the part is out of range. */
struct cursor cursor_slice(const struct cursor *c, size_t pos, size_t len);

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c); /* little-endian, any alignment */
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
/* LEB128 of at most 10 bytes; longer ones, and those of more than 64 bits, are bad. */
uint64_t cursor_uvarint(struct cursor *c);
/* The NUL-terminated string at pos, which moves past it; "" and bad if there is no NUL. */
const char *cursor_str(struct cursor *c);

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : c->len - c->pos;
}
