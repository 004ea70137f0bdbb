/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent: what the user wants of it, and what it consists of while it runs. */
#pragma once

#include <stdatomic.h>

#include "profiler/agent/exporter.h"
#include "profiler/agent/identity.h"
#include "profiler/agent/listener.h"
#include "profiler/agent/receiver.h"
#include "profiler/cmd/opt.h"
#include "profiler/cmd/run.h"

enum { MAX_RECEIVERS = 8, AGENT_OPTIONS = 40 };

/* The options, of the command line and of the file that it names. */
struct settings {
	struct run run;       /* how to sample */
	struct choice choice; /* owned */
	const char *interval, *queue, *max_values, *listen, *config;
	bool all, listen_remote, check;
	uint64_t interval_ns, queue_bytes, values;
	struct address address; /* of --listen */
	struct receiver_options receivers[MAX_RECEIVERS];
	uint32_t n_receivers;
	const char **labels; /* owned */
	uint32_t n_labels, cap_labels;
	struct arena arena;
	struct opt opts[AGENT_OPTIONS];
	bool in_file; /* while one is read */
};

struct agent {
	int argc; /* of the command line, which is parsed again when the file is */
	char **argv;
	struct settings first; /* the session runs with these, */
	struct settings *now;  /* and all else with these; owned unless it is `first` */

	struct logger *logger;     /* owned */
	struct exporter *exporter; /* owned */
	struct listener *listener; /* owned; NULL: none */
	uint64_t next_ns;          /* end of the interval, as session_elapsed_ns() */
	atomic_ullong beat_ns;     /* CLOCK_MONOTONIC: rings were read */
	atomic_bool stale;         /* the file was bad when it was last read */
	struct listener_page pages[3];
};

/* Fills the table of all options, for parsing and for help. */
void settings_init(struct settings *s);
/* Parses the command line, and the file, and checks all of it. Returns an exit status. */
int settings_parse(struct settings *s, int argc, char **argv);
/* Names of options that differ and need a restart, separated by commas; "": none. In the
 * arena of the second. */
const char *settings_fixed(const struct settings *before, struct settings *s);
/* Can the secrets be read? Returns an exit status. */
int settings_check_secrets(const struct settings *s);
void settings_release(struct settings *s);
struct exporter_options settings_exporter(const struct settings *s);
