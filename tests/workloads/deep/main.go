// SPDX-License-Identifier: BSD-2-Clause

// Command deep keeps every CPU busy at the bottom of a stack of a given depth: what the cost of a
// sample is measured with.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"workloads/self"
)

var depth = flag.Int("depth", 30, "`frames` of the stack")

// Below burn there are depth-3 of these two, and self.Spin.

//go:noinline
func even(n int) int {
	if n <= 0 {
		self.Spin(50000)
		return 1
	}
	return odd(n-1) + 1
}

//go:noinline
func odd(n int) int {
	if n <= 0 {
		self.Spin(50000)
		return 1
	}
	return even(n-1) + 2
}

//go:noinline
func burn() {
	for {
		even(*depth - 3)
	}
}

func main() {
	duration := flag.Duration("d", time.Hour, "end after this `time`")
	procs := flag.Int("procs", runtime.NumCPU(), "goroutines")
	flag.Parse()
	for i := 0; i < *procs; i++ {
		go burn()
	}
	fmt.Println("ready", os.Getpid())
	time.Sleep(*duration)
}
