/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>

static volatile int64_t sum;

__attribute__((noinline)) static void inner(int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		sum += i;
}

int64_t compute(int64_t n)
{
	inner(n);
	return sum + 1;
}

__attribute__((noinline)) int64_t deeper(int64_t n, int64_t (*callback)(int64_t))
{
	int64_t ret = callback(n);

	sum++;
	return ret;
}

int64_t each(int64_t n, int64_t (*callback)(int64_t))
{
	for (int64_t i = 0; i < n; i++)
		sum += deeper(i, callback);
	return sum;
}
