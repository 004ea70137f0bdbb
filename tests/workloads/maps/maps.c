/* SPDX-License-Identifier: BSD-2-Clause */
/* Like churn, in C: 30,000 executable mappings, and a new one every 10 ms, for 5 s. */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

enum { N = 30000, PAGE = 4096, MS = 1000000 };

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void map_code(void)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages != MAP_FAILED)
		mprotect(pages, PAGE, PROT_READ | PROT_EXEC);
}

int main(void)
{
	long long start;

	for (int i = 0; i < N; i++)
		map_code();
	start = now();
	for (long long next = start; next < start + 5000LL * MS; next += 10 * MS) {
		while (now() < next)
			;
		map_code();
	}
	return 0;
}
