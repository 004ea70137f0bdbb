/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches a URL, http or https, while the caller does something else. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct fetch;

/* Writes the body to out, which stays the caller's; at most max bytes. NULL: *why says what
 * is wrong, a static string. */
struct fetch *fetch_begin(const char *url, FILE *out, size_t max, const char **why);
/* Goes on with what can be done without waiting. True: it is not done yet. */
bool fetch_step(struct fetch *f);
/* What went wrong, valid until fetch_end(); NULL: nothing. */
const char *fetch_error(const struct fetch *f);
void fetch_end(struct fetch *f); /* takes NULL; stops what is not done */
