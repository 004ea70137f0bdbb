/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the reader (goroutines.h): goroutines.c reads, gofind.c finds the
 * list and the offsets, gowait.c what a goroutine waits for. */
#pragma once

#include "profiler/goruntime/goroutines.h"
#include "symbolizer/symbolizer.h"

enum {
	HEAD_MAX = 512, /* bytes of a g */
	BATCH = 64,     /* more would not stay in the cache until they are compared */
	STACK_WORDS = UINT16_MAX, /* of one stack */
	POOL_WORDS = 128 << 10, /* of the stacks of a batch: at least two of the largest */
	REASONS = 64,
	REASON_LEN = 48,
	LINKS_EACH = 64,       /* that each goroutine may follow */
	LINKS_SPARE = 1 << 19, /* of all others of one goroutines_read(), together */
};

/* Offsets; 0: this version has no such field. */
struct goroutine_fields {
	uint16_t sp, pc, bp; /* in g, as the next */
	uint16_t syscallsp, syscallpc;
	uint16_t status, goid, parent_goid, since, reason, seq, lockedm;
	uint16_t gopc, startpc, waiting, labels, wake;
	uint16_t head; /* bytes to read of a g */
	uint16_t m_procid;
	uint16_t sudog_next, sudog_elem, sudog_waitlink, sudog_c;
	uint16_t poll_fd, poll_rg, poll_wg;
	uint16_t timer_when; /* 0: wake is the time itself */
	bool labels_list;
};

struct goroutines {
	struct memory *m;
	struct space *space;
	struct go_runtime runtime;
	struct golayout layout;
	struct goroutine_fields f;
	uint64_t allgs; /* address of the slice in the process */
	char reasons[REASONS][REASON_LEN];
	uint8_t reason_waits[REASONS]; /* enum wait_kind: what is to be searched for */
	uint32_t n_reasons;

	uint64_t *gs; /* owned */
	uint32_t n, cap;
	bool damaged;
	struct goroutines_counts counts;

	/* links of long lists that may still be followed: many goroutines may lead to one
	 * cycle */
	uint32_t spare_links;
	uint32_t hints[WAIT_SLEEP + 1]; /* word of the stack that had it last */
	uint8_t heads[BATCH][HEAD_MAX];
	uint64_t *words, *again; /* owned: POOL_WORDS each */
};

/* gofind.c */
void goroutine_fields_fill(struct goroutine_fields *f, const struct layout *l, int minor);
void goroutine_parse(const struct goroutine_fields *f, const uint8_t *head,
		     struct goroutine_header *ret);
/* All that goroutines_open() promises but the list. */
int goroutines_find(struct goroutines *r, const char **why);
/* Compares what is read of the goroutines with the layout. */
int goroutines_check(struct goroutines *r, const char **why);

/* gowait.c: s->wait, of a goroutine whose stack was read. */
void goroutine_wait_read(struct goroutines *r, struct goroutine_seen *s);
/* The same for n of them that wait for one channel each, with two system calls. Those of
 * which it is not known are left at WAIT_NONE. */
void goroutine_chans_read(struct goroutines *r, struct goroutine_seen *const *s,
			  uint32_t n);

/* golabelread.c: the labels at this address. Returns bytes as in struct sample, valid until
 * the next call. */
const void *goroutine_labels_read(struct memory *m, uint64_t labels, bool list, uint32_t *n,
				  bool *more);
