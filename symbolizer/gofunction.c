/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches over all functions of a program. */
#include <string.h>

#include "symbolizer/gopclntab.h"

bool gopclntab_function(const struct gopclntab *t, const char *name, uint64_t *entry,
			uint32_t *len)
{
	struct go_function f;
	bool found = false;

	for (uint32_t row = 0; row < t->n_funcs; row++) {
		if (!gopclntab_row(t, row, &f) || strcmp(f.name, name) ||
		    (found && !f.assembly))
			continue;
		*entry = f.entry;
		*len = f.len;
		found = true;
		if (f.assembly)
			break;
	}
	return found;
}

uint8_t gopclntab_max_id(const struct gopclntab *t)
{
	struct go_function f;
	uint8_t max = 0;

	for (uint32_t row = 0; row < t->n_funcs; row++)
		if (gopclntab_row(t, row, &f) && f.id > max)
			max = f.id;
	return max;
}

/* The length of a function's package path: that of "crypto/md5" in "crypto/md5.block". */
static size_t package_len(const char *name)
{
	const char *slash = strrchr(name, '/'), *dot = strchr(slash ? slash : name, '.');

	return dot ? (size_t)(dot - name) : strlen(name);
}

/* Does this assembly belong to the runtime? The runtime's keeps the frame pointer, and much
 * of it is small and runs often. */
static bool is_of_runtime(const char *name)
{
	static const char *const packages[] = { "runtime", "internal/", "reflect.",
						"syscall.", "sync/atomic." };

	for (size_t i = 0; i < sizeof(packages) / sizeof(*packages); i++)
		if (!strncmp(name, packages[i], strlen(packages[i])))
			return true;
	return false;
}

/* Makes room for one more range by joining the two nearest ones. */
static uint32_t join_nearest(struct go_range *r, uint32_t n)
{
	uint32_t best = 1;

	for (uint32_t i = 2; i < n; i++)
		if (r[i].start - r[i - 1].end < r[best].start - r[best - 1].end)
			best = i;
	r[best - 1].end = r[best].end;
	memmove(&r[best], &r[best + 1], (n - best - 1) * sizeof(*r));
	return n - 1;
}

uint32_t gopclntab_bp_data(const struct gopclntab *t, struct go_range *ret, uint32_t cap)
{
	struct go_range package = { 0 };
	const char *of = NULL;
	bool framed = false;
	struct go_function f;
	uint32_t n = 0;

	for (uint32_t row = 0; row <= t->n_funcs; row++) {
		bool end = row == t->n_funcs;

		if (!end &&
		    (!gopclntab_row(t, row, &f) || !f.assembly || is_of_runtime(f.name)))
			continue;
		if (of && (end || package_len(f.name) != package_len(of) ||
			   strncmp(f.name, of, package_len(of)))) {
			if (framed && n == cap)
				n = join_nearest(ret, n);
			if (framed)
				ret[n++] = package;
			of = NULL;
		}
		if (end)
			break;
		if (!of) {
			package.start = f.entry;
			framed = false;
		}
		of = f.name;
		package.end = f.entry + f.len;
		/* a function with a frame: the assembler saves the frame pointer in it */
		framed = framed || gopclntab_max_spdelta(t, f.entry);
	}
	return n;
}
