// SPDX-License-Identifier: BSD-2-Clause

// Cgo is linked with C, and dumps its own code.
package main

// static int twice(int n) { return n + n; }
import "C"

import "pcs/dump"

func main() {
	if C.twice(21) != 42 {
		panic("C does not work")
	}
	dump.Main(dump.Stride(), dump.Main)
}
