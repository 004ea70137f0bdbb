/* SPDX-License-Identifier: BSD-2-Clause */
/* Interned strings: equal strings have equal ids. Id 0 is "". */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct strtab;

struct strtab *strtab_new(void);
void strtab_free(struct strtab *t);
uint32_t strtab_add(struct strtab *t, const char *s);
/* s need not be NUL-terminated; a NUL inside ends the string. */
uint32_t strtab_addn(struct strtab *t, const char *s, size_t n);
/* Valid until strtab_free(). id must be less than strtab_count(). */
const char *strtab_get(const struct strtab *t, uint32_t id);
uint32_t strtab_count(const struct strtab *t);
