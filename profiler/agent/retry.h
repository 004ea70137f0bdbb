/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of what was sent, and when a receiver that fails is tried again. Pure: time
 * and chance come from the caller. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	RETRY_FIRST_MS = 1000, /* then twice as long each time, */
	RETRY_MAX_MS = 60000,
	RETRY_AFTER_MAX_S = 600, /* what a receiver may ask for */
	ITEM_FAILURES = 5,       /* after as many a receiver is not asked again */
	BREAKER_ERRORS = 3,      /* failures on items in a row are the receiver's own */
};

/* Why something did not arrive. */
enum cause {
	CAUSE_QUEUE_FULL,
	CAUSE_TOO_OLD,
	CAUSE_REFUSED,   /* the receiver does not want it: 400 and the like */
	CAUSE_TOO_LARGE, /* and it cannot be halved any more */
	CAUSE_FAILED,    /* the receiver failed on it too often: 500, rubbish */
	CAUSE_SHUTDOWN,
	/* the last, and not of a receiver: */
	CAUSE_BEHIND, /* intervals that came faster than they could be encoded */
	CAUSES
};
extern const char *const cause_names[CAUSES];

enum fate {
	FATE_SENT,
	FATE_REFUSED,
	FATE_TOO_LARGE, /* its halves may be taken */
	FATE_FAILED,    /* on this item, perhaps: may be tried again, not for ever */
	FATE_LATER, /* the receiver is not there, or asks for time: it counts for no item */
};

/* status: of HTTP, 0: no answer; text: what the receiver says; good: that is what it says
 * to what it has taken; cut: we stopped reading. */
enum fate fate_of(long status, const char *text, bool good, bool cut);

/* How long to wait after the n-th failure in a row (1 …): at least half of what is doubled
 * each time, and the rest by chance (any number), so that many agents do not come back
 * together. */
uint64_t backoff_ns(uint32_t n, uint64_t chance);

/* { 0 } is closed: everything may be sent. */
struct breaker {
	uint32_t failures; /* in a row; while there are any, one request at a time */
	uint32_t errors;   /* FATE_FAILED in a row */
	uint64_t until_ns; /* nothing is sent before */
};

bool breaker_lets(const struct breaker *b, uint64_t now_ns, uint32_t under_way);
/* retry_after_s: what the receiver asked for; 0: nothing. */
void breaker_tell(struct breaker *b, enum fate fate, uint64_t now_ns,
		  uint64_t retry_after_s, uint64_t chance);
