/* SPDX-License-Identifier: BSD-2-Clause */
/* The goroutines of a view of a dump that are alike, largest group first. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct dump;
struct view;

struct dump_group {
	/* its rows in dump_groups.rows, which are rows of dump->states */
	uint32_t first, n;
	uint32_t name;     /* id in names: what groups are by; 0 for equal stacks */
	uint32_t unmoved;  /* have not run between the two looks */
	uint32_t known;    /* of which it is known how long they wait */
	uint64_t since_ns; /* the longest of these */
};

struct dump_groups {
	const struct dump *dump;
	const struct view *view;
	struct strtab *names;    /* owned */
	struct dump_group *list; /* owned */
	uint32_t n, cap;
	uint32_t *rows; /* owned */
};

/* In a group are those with the same state and stack; or, if the view has groups or
 * by_state is set, those with the same state and in the same group of the view. */
struct dump_groups dump_groups_new(const struct dump *d, const struct view *v,
				   bool by_state);
void dump_groups_free(struct dump_groups *g);

/* Something that goroutines of a group have in common, with how many have it. */
struct share {
	uint32_t id, n;
};

enum { SHARES_MAX = 1024 };

/* What the goroutines of a group have, as of() tells it (0: nothing), largest share first.
 * Stores at most max, and returns how many there are; after SHARES_MAX different ones no
 * more are counted. */
uint32_t dump_shares(const struct dump_groups *gs, const struct dump_group *g,
		     uint32_t (*of)(const struct dump *d, uint32_t row), struct share *ret,
		     uint32_t max);
/* For dump_shares(): strings of the profile, rows of dump->objects. */
uint32_t share_state(const struct dump *d, uint32_t row);
uint32_t share_creator(const struct dump *d, uint32_t row);
uint32_t share_labels(const struct dump *d, uint32_t row);
uint32_t share_object(const struct dump *d, uint32_t row);

/* Adds "3 minutes", "20 s". */
void dump_time_add(struct buf *to, uint64_t ns);
/* Adds what an object is: "chan 0xc000102060, 16 of 16 used, 8 waiting". */
void dump_object_add(const struct dump *d, uint32_t object, struct buf *to);
