/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-symbolize FILE < ADDRESSES: measures what naming them costs in this process,
 * without reading and printing. Prints one line: us until the first address has its frames,
 * from open() on; KiB of private memory that this took; ns for each other address when it
 * is new, and when it is cached; frames for each.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/strtab.h"
#include "symbolizer/symbolizer.h"

struct bench {
	struct symbolizer *symbolizer;
	struct space *space;
	uint64_t *addrs;
	uint32_t n, cap;
	uint64_t frames;
};

/* CPU time, which other work on the machine hardly changes */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Memory that is ours alone and not in a file. */
static long private_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* ns for each of the addresses from first to n */
static double pass(struct bench *b, uint32_t first, uint32_t n)
{
	struct frame f[FRAMES_AT_PC];
	double start = now_ns();

	for (uint32_t i = first; i < n; i++)
		b->frames += (uint64_t)symbolizer_user(b->symbolizer, b->space, b->addrs[i],
						       f, FRAMES_AT_PC, NULL);
	return (now_ns() - start) / (n - first);
}

int main(int argc, char **argv)
{
	struct strtab *strs = strtab_new();
	struct bench b = { 0 };
	double start, first, fresh, cached;
	uint64_t addr, frames;
	long kib;
	int fd;

	while (scanf("%" SCNx64, &addr) == 1)
		*table_add(b.addrs, b.n, b.cap) = addr;
	if (argc != 2 || b.n < 2)
		return 2;
	b.symbolizer = symbolizer_new(strs);
	kib = private_kib();
	start = now_ns();
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || space_open_file(&b.space, b.symbolizer, fd))
		return 1;
	pass(&b, 0, 1);
	first = now_ns() - start;
	kib = private_kib() - kib;
	b.frames = 0;
	fresh = pass(&b, 1, b.n);
	frames = b.frames;
	/* like a profile: few addresses, often */
	b.n = b.n < 2000 ? b.n : 2000;
	cached = pass(&b, 1, b.n);
	for (int i = 0; i < 99; i++)
		cached += pass(&b, 1, b.n);
	printf("%.0f %ld %.0f %.1f %" PRIu64 "\n", first / 1e3, kib, fresh, cached / 100,
	       frames);
	close(fd);
	space_close(b.space);
	symbolizer_close(b.symbolizer);
	strtab_free(strs);
	free(b.addrs);
	return 0;
}
