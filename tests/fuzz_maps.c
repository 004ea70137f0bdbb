/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "symbolizer/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor text = cursor_over(data, size);
	struct mapping m;

	while (maps_next(&text, &m)) {
		const uint8_t *path = (const uint8_t *)m.path;

		if (m.end <= m.start || path < data || path + m.path_len > data + size)
			abort();
	}
	return 0;
}
