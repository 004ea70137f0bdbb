/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pprof labels the goroutines of a profile have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile;
struct strtab;

struct label_key {
	const char *name;
	uint32_t n_values; /* different ones */
};

/* In the order of the names. */
struct label_keys {
	struct label_key *rows; /* owned */
	uint32_t n, cap;
	struct strtab *names; /* owned */
};

void label_keys_init(struct label_keys *k, const struct profile *p);
bool label_keys_have(const struct label_keys *k, const char *name, size_t len);
void label_keys_release(struct label_keys *k);
