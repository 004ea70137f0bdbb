/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of /proc/PID/maps. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor text = cursor_over(data, size);
	struct mapping m;

	while (maps_next(&text, &m)) {
		const uint8_t *path = (const uint8_t *)m.path;

		if (m.end <= m.start || path < data || path + m.path_len > data + size ||
		    memchr(path, '\n', m.path_len))
			abort();
		mapping_is(&m, "[vdso]");
	}
	return 0;
}
