/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/spark.h"

#include "profiler/base/buf.h"

enum { HEIGHTS = 8, PART_MIN = 4 /* less than a fourth of a cell says little */ };

uint64_t spark_most(const uint64_t *cells, uint32_t n)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < n; i++)
		most = cells[i] > most ? cells[i] : most;
	return most;
}

void spark_add(struct buf *to, const uint64_t *cells, uint32_t n, uint64_t most)
{
	for (uint32_t i = 0; i < n; i++) {
		double height = most ? (double)cells[i] / (double)most * HEIGHTS : 0;
		int h = height >= HEIGHTS ? HEIGHTS - 1 : (int)(height + 0.5) - 1;

		if (!cells[i]) {
			buf_u8(to, ' ');
			continue;
		}
		/* U+2581 to U+2588 */
		buf_str(to, "\xe2\x96");
		buf_u8(to, (uint8_t)(0x81 + (h > 0 ? h : 0)));
	}
}

void spark_complete(uint64_t *cells, uint32_t n, uint64_t from_ns, uint64_t cell_ns,
		    uint64_t to_ns)
{
	uint64_t i = to_ns > from_ns && cell_ns ? (to_ns - from_ns - 1) / cell_ns : n;
	uint64_t over = to_ns - from_ns - i * cell_ns;

	if (i >= n || over >= cell_ns)
		return;
	if (over < cell_ns / PART_MIN)
		over = cell_ns / PART_MIN;
	cells[i] = (uint64_t)((double)cells[i] * (double)cell_ns / (double)over);
}
