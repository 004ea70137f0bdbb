/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int duration_parse(const char *s, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} units[] = { { "", 1e9 },     { "s", 1e9 },  { "m", 60e9 },
		      { "h", 3600e9 }, { "ms", 1e6 }, { "us", 1e3 } };
	char *end;
	double v;

	if (!isdigit((unsigned char)*s) && *s != '.')
		return -EINVAL;
	v = strtod(s, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].suffix))
			continue;
		if (!(v * units[i].ns < 3.2e18))
			return -ERANGE;
		*ns = (uint64_t)(v * units[i].ns);
		return 0;
	}
	return -EINVAL;
}

int size_parse(const char *s, uint64_t *bytes)
{
	static const char units[] = "kmg";
	const char *unit;
	int shift = 0;
	uint64_t v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit || end[1])
			return -EINVAL;
		shift = 10 * (1 + (int)(unit - units));
	}
	if (errno || !v || v > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = v << shift;
	return 0;
}

int number_parse(const char *s, uint64_t min, uint64_t max, uint64_t *v)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*v = strtoull(s, &end, 10);
	if (*end)
		return -EINVAL;
	return errno || *v < min || *v > max ? -ERANGE : 0;
}
