// SPDX-License-Identifier: BSD-2-Clause

// Command native spends its time in C: in itself, in libc, and in a C++ library that it opens
// half a second after it has printed "native PID". It ends when stdin does.
package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

typedef long work(long);

__attribute__((noinline)) long own_loop(long n)
{
	unsigned long x = (unsigned long)n | 1;

	while (n-- > 0)
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	return (long)x;
}

static long libc_loop(long n)
{
	unsigned seed = 1;
	long x = 0;

	while (n-- > 0)
		x += rand_r(&seed);
	return x;
}

static work *load(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW);

	return handle ? (work *)dlsym(handle, "grind") : 0;
}

static long call(work *f, long n) { return f ? f(n) : 0; }
*/
import "C"

import (
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	fmt.Println("native", os.Getpid())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var grind *C.work
	for start := time.Now(); ; {
		C.own_loop(1000000)
		C.libc_loop(500000)
		if grind == nil && time.Since(start) > time.Second/2 {
			if grind = C.load(C.CString(os.Args[1])); grind == nil {
				fmt.Fprintln(os.Stderr, "native: cannot open", os.Args[1])
				os.Exit(1)
			}
		}
		C.call(grind, 1000000)
	}
}
