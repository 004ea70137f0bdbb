// SPDX-License-Identifier: BSD-2-Clause

// Command deep keeps every CPU busy at the bottom of stacks of a given depth, to measure
// the cost of a sample.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"workloads/self"
)

var (
	depth  = flag.Int("depth", 30, "`frames` of the stack")
	paths  = flag.Uint64("paths", 256, "different `stacks`, at most 256")
	labels = flag.Bool("labels", false, "two labels on each goroutine")
)

// Between burn and self.Spin there are depth-2 of the three functions below, whose frames
// have different sizes. path says which of them calls which, with two bits per call, so
// stacks differ as in real programs: -paths of them. next is inlined and has no frame.

func next(n int, path uint64) uint64 {
	switch path & 3 {
	case 0:
		return narrow(n, path>>2|path<<62)
	case 1:
		return wide(n, path>>2|path<<62)
	}
	return middle(n, path>>2|path<<62)
}

//go:noinline
func narrow(n int, path uint64) uint64 {
	if n == 0 {
		self.Spin(20000)
		return path
	}
	return next(n-1, path) + 1
}

//go:noinline
func middle(n int, path uint64) uint64 {
	var local [6]uint64
	if n == 0 {
		self.Spin(20000)
		return path
	}
	local[path%6] = next(n-1, path)
	return local[n%6]
}

//go:noinline
func wide(n int, path uint64) uint64 {
	var local [20]uint64
	if n == 0 {
		self.Spin(20000)
		return path
	}
	local[path%20] = next(n-1, path)
	return local[n%20]
}

//go:noinline
func burn() {
	for path := uint64(0); ; path++ {
		next(*depth-3, path%*paths*0x9e3779b97f4a7c15)
	}
}

func main() {
	duration := flag.Duration("d", time.Hour, "end after this `time`")
	procs := flag.Int("procs", runtime.NumCPU(), "goroutines")
	flag.Parse()
	for i := 0; i < *procs; i++ {
		if *labels {
			set := pprof.Labels("handler", "/api/v1/query", "tenant", fmt.Sprint("customer-", i))
			go pprof.Do(context.Background(), set, func(context.Context) { burn() })
		} else {
			go burn()
		}
	}
	fmt.Println("ready", os.Getpid())
	time.Sleep(*duration)
}
