// SPDX-License-Identifier: BSD-2-Clause

// Command many has very many goroutines that do nothing, starts 1,000 short ones a second,
// and has two that compute: goroutines that are merely alive must not cost a profiler
// anything.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"workloads/self"
)

var forever chan struct{}

func parked() { <-forever }

func brief() { self.Spin(20000) }

func busy() {
	for {
		self.Spin(1000000)
	}
}

func main() {
	n := flag.Int("parked", 100000, "goroutines that `wait`")
	duration := flag.Duration("d", time.Hour, "end after this `time`")
	flag.Parse()
	for i := 0; i < *n; i++ {
		go parked()
		if i%1000 == 0 {
			runtime.Gosched()
		}
	}
	go busy()
	go busy()
	fmt.Println("ready", os.Getpid())
	end := time.After(*duration)
	tick := time.NewTicker(10 * time.Millisecond)
	for {
		select {
		case <-tick.C:
			for i := 0; i < 10; i++ {
				go brief()
			}
		case <-end:
			return
		}
	}
}
