// SPDX-License-Identifier: BSD-2-Clause

// A Go library for C programs: Work starts a goroutine with a label.
package main

import "C"

import (
	"context"
	"runtime/pprof"
)

var sink int

//export Work
func Work() { go work() }

func work() { pprof.Do(context.Background(), pprof.Labels("job", "mill"), mill) }

func mill(context.Context) {
	for i := 0; ; i++ {
		sink += i * i
	}
}

func main() {}
