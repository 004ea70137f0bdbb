/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and times as people type them. */
#pragma once

#include <stdint.h>

/* A whole decimal number in [min, max]; -EINVAL, -ERANGE. */
int number_parse(const char *s, uint64_t min, uint64_t max, uint64_t *v);
/* "500M", "2G", "64k" or bytes, binary multiples. -EINVAL; -ERANGE for 0 and beyond 64
 * bits. */
int size_parse(const char *s, uint64_t *bytes);
/* "30", "30s", "2m", "1h", "500ms", "1.5s" in ns. -EINVAL; -ERANGE over 100 years. */
int duration_parse(const char *s, uint64_t *ns);
