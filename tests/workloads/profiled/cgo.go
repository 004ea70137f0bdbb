// SPDX-License-Identifier: BSD-2-Clause

package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer
#include <stdlib.h>

extern int goCompare(void *a, void *b);

static int compare(const void *a, const void *b) { return goCompare((void *)a, (void *)b); }

__attribute__((noinline)) static int quick(int n) { return n * 3; }

__attribute__((noinline)) static unsigned long slow(unsigned long x)
{
	for (int i = 0; i < 20000; i++)
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	return x;
}

static void sort_ints(int *v, int n) { qsort(v, n, sizeof(*v), compare); }
*/
import "C"

import "unsafe"

func init() { kinds["cgo"] = cgo }

//export goCompare
func goCompare(a, b unsafe.Pointer) C.int { return less(*(*C.int)(a), *(*C.int)(b)) }

//go:noinline
func less(a, b C.int) C.int {
	for i := C.int(0); i < 300; i++ {
		a, b = a+i, b+i
	}
	return a - b
}

func cgo() {
	var v [64]C.int
	for i := range v {
		v[i] = C.quick(C.int(i)) % 17
	}
	C.sort_ints(&v[0], C.int(len(v)))
	C.slow(C.ulong(v[0]) | 1)
}
