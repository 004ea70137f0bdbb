// SPDX-License-Identifier: BSD-2-Clause

// Command traced works under the pprof labels trace_id and span_id, as instrumentations write
// them, in two spans of a trace, and in none. It prints "ready", and ends when stdin does.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"
)

const trace = "0123456789abcdef0123456789abcdef"

//go:noinline
func work() {
	for end := time.Now().Add(10 * time.Millisecond); time.Now().Before(end); {
	}
}

func span(id string) {
	for {
		pprof.Do(context.Background(), pprof.Labels("trace_id", trace, "span_id", id, "job", "x"), func(context.Context) { work() })
	}
}

func main() {
	go span("00000000000000a1")
	go span("00000000000000a2")
	go func() {
		for {
			work()
		}
	}()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
