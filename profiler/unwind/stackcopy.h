/* SPDX-License-Identifier: BSD-2-Clause */
/* A copied part of a stack of the process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct stack_copy {
	uint64_t addr; /* of the first byte, in the process */
	const void *bytes;
	uint32_t size;
};

/* Reads n bytes at addr. False: not all of them are in the copy. */
static inline bool copy_read(const struct stack_copy *c, uint64_t addr, void *to, size_t n)
{
	uint64_t at = addr - c->addr;

	if (at > c->size || c->size - at < n)
		return false;
	memcpy(to, (const uint8_t *)c->bytes + at, n);
	return true;
}

/* Reads an aligned word. */
static inline bool copy_word(const struct stack_copy *c, uint64_t addr, uint64_t *ret)
{
	return addr % sizeof(*ret) == 0 && copy_read(c, addr, ret, sizeof(*ret));
}
