/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/retry.h"

#include <string.h>

#include "profiler/base/clock.h"

const char *const cause_names[CAUSES] = {
	[CAUSE_QUEUE_FULL] = "queue_full", [CAUSE_TOO_OLD] = "too_old",
	[CAUSE_REFUSED] = "refused",       [CAUSE_TOO_LARGE] = "too_large",
	[CAUSE_FAILED] = "failed",         [CAUSE_SHUTDOWN] = "shutdown",
	[CAUSE_BEHIND] = "behind",
};

/* Not all servers have a status for it: this is what they say. */
static bool says_too_large(const char *text)
{
	static const char *const texts[] = {
		"received message larger than max", /* gRPC: in Go, */
		"Received message larger than max", /* and in C */
		"larger than configured max",       /* Connect */
		"exceeds the size limit",           /* Pyroscope, */
		"exceeds the samples count limit",  /* the same */
		"request body too large",           /* OpenTelemetry's collector */
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strstr(text, texts[i]))
			return true;
	return false;
}

enum fate fate_of(long status, const char *text, bool good, bool cut)
{
	if ((status == 400 || status == 429) && says_too_large(text))
		return FATE_TOO_LARGE;
	switch (status) {
	case 413: return FATE_TOO_LARGE;
	case 0:
	case 401: /* tokens are renewed */
	case 403:
	case 407:
	case 408:
	case 425:
	case 429:
	case 502:
	case 503:
	case 504: return FATE_LATER;
	}
	if (status >= 200 && status < 300)
		return good && !cut ? FATE_SENT : FATE_FAILED;
	return status >= 300 && status < 500 ? FATE_REFUSED : FATE_FAILED;
}

uint64_t backoff_ns(uint32_t n, uint64_t chance)
{
	uint64_t ms = RETRY_FIRST_MS;

	while (--n && ms < RETRY_MAX_MS)
		ms *= 2;
	if (ms > RETRY_MAX_MS)
		ms = RETRY_MAX_MS;
	return (ms / 2 + chance % (ms / 2 + 1)) * 1000000;
}

bool breaker_lets(const struct breaker *b, uint64_t now_ns, uint32_t under_way)
{
	return now_ns >= b->until_ns && (!b->failures || !under_way);
}

void breaker_tell(struct breaker *b, enum fate fate, uint64_t now_ns,
		  uint64_t retry_after_s, uint64_t chance)
{
	uint64_t wait;

	b->errors = fate == FATE_FAILED ? b->errors + 1 : 0;
	if (fate != FATE_LATER && b->errors < BREAKER_ERRORS) {
		b->failures = 0;
		b->until_ns = 0;
		return;
	}
	/* those that were under way with the one that failed tell nothing new */
	b->failures += now_ns >= b->until_ns;
	wait = backoff_ns(b->failures, chance);
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	if (retry_after_s * SECOND > wait)
		wait = retry_after_s * SECOND;
	if (now_ns + wait > b->until_ns)
		b->until_ns = now_ns + wait;
}
