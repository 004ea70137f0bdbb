/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "_cgo_export.h"

#define F __attribute__((noinline))

int c_leaf(int n);
int c_sort(int n);
int c_deep(int n);
int c_back(int n);

F int c_leaf(int n)
{
	return n * 3;
}

static int compare(const void *a, const void *b)
{
	return c_leaf(*(const int *)a) - *(const int *)b;
}

F int c_sort(int n)
{
	int v[] = { 5, 2, 9, n };
	char s[64];

	qsort(v, 4, sizeof(*v), compare);
	return v[2] + snprintf(s, sizeof(s), "%d %s", v[0], "text");
}

F int c_deep(int n)
{
	volatile char room[300];

	room[n] = 1;
	return n ? c_deep(n - 1) + room[n] : c_leaf(n);
}

F int c_back(int n)
{
	return goBack(n) + c_leaf(n);
}
