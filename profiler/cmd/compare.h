/* SPDX-License-Identifier: BSD-2-Clause */
/* The live part of compare. */
#pragma once

#include "profiler/cmd/cmd.h"

/* Records the process while the URL is fetched, and keeps both files: sets paths to their
 * names, which the caller frees, also after a failure. freq: as -F, or NULL. Returns an
 * exit status, after a log_error() line. */
int compare_live(const char *pid, const char *freq, const char *url, char *paths[2]);
