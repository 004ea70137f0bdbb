/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/similar.h"

#include <string.h>

enum { LONGEST = 40 };

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: d[i][j] is the distance between the first i and the first j
 * letters. */
uint32_t similar_distance(const char *a, const char *b)
{
	uint32_t d[LONGEST + 1][LONGEST + 1], n = (uint32_t)strnlen(a, LONGEST + 1),
					      m = (uint32_t)strnlen(b, LONGEST + 1);

	if (n > LONGEST || m > LONGEST)
		return UINT32_MAX;
	for (uint32_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (uint32_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (uint32_t i = 1; i <= n; i++)
		for (uint32_t j = 1; j <= m; j++) {
			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

bool similar_is(const char *typed, const char *word)
{
	return similar_distance(typed, word) <= 1 + strlen(word) / 6;
}
