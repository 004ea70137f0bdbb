// SPDX-License-Identifier: BSD-2-Clause

// Cgo calls C, which calls Go, which calls C again.
package main

// #cgo CFLAGS: -O2 -fomit-frame-pointer
// int c_leaf(int n);
// int c_sort(int n);
// int c_deep(int n);
// int c_back(int n);
import "C"

import "steps/load"

var sink int

//export goBack
func goBack(n C.int) C.int {
	if n == 0 {
		return C.c_leaf(n)
	}
	return twice(n) + C.c_back(n-1)
}

//go:noinline
func twice(n C.int) C.int { return n + n }

func calls() {
	sink += int(C.c_leaf(1) + C.c_sort(3) + C.c_deep(5) + C.c_back(2))
}

func main() {
	load.More = append(load.More, calls)
	load.Main()
}
