/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent: what the user wants of it, and what it consists of while it runs. */
#pragma once

#include "profiler/agent/exporter.h"
#include "profiler/agent/identity.h"
#include "profiler/agent/receiver.h"
#include "profiler/cmd/opt.h"
#include "profiler/cmd/run.h"

enum { MAX_RECEIVERS = 8 };

struct agent {
	struct run run;
	struct choice choice; /* owned */
	const char *interval, *queue, *max_values;
	uint64_t interval_ns, queue_bytes, values;
	struct receiver_options receivers[MAX_RECEIVERS];
	uint32_t n_receivers;
	const char **labels; /* owned */
	uint32_t n_labels, cap_labels;
	struct arena arena;

	struct logger *logger;     /* owned */
	struct exporter *exporter; /* owned */
	uint64_t next_ns;          /* end of the interval, as session_elapsed_ns() */
};

enum { AGENT_OPTIONS = 32 };

/* The table of all options, for parsing and for help. */
void agent_options(struct agent *a, struct opt opts[AGENT_OPTIONS]);
/* Checks them, after parsing. Returns an exit status. */
int agent_check(struct agent *a);
