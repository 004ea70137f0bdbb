// SPDX-License-Identifier: BSD-2-Clause

// Command starts begins goroutines in functions that only call the one that they were
// handed: pprof.Do, the compiler's wrappers of go statements, a starter of its own, and,
// from Go 1.25 on, WaitGroup.Go. It prints the names of the functions that the goroutines
// run, one a line, then an empty line, and computes until stdin ends.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

var sink [256]int

func burn(i int) {
	for {
		sink[i*8]++
		if sink[i*8]%1000000 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

//go:noinline
func labelled(context.Context) { burn(1) }

//go:noinline
func withArgument(i int) { burn(i) }

//go:noinline
func direct() { burn(3) }

//go:noinline
func hashWorker() { burn(4) }

//go:noinline
func sortWorker() { burn(5) }

type job struct{ i int }

//go:noinline
func (j *job) run() { burn(j.i) }

type runner interface{ run() }

type server struct{ wg sync.WaitGroup }

// start is a starter as many servers have one.
func (s *server) start(f func()) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		f()
	}()
}

var names = []string{
	"main.labelled", "main.withArgument", "main.direct", "main.hashWorker",
	"main.sortWorker", "main.(*job).run",
}

func main() {
	s := &server{}
	var r runner = &job{6}
	go pprof.Do(context.Background(), pprof.Labels("job", "labelled"), labelled)
	go withArgument(2)
	go direct()
	go r.run()
	s.start(hashWorker)
	s.start(sortWorker)
	s.start((&job{7}).run)
	startGroup()
	for _, name := range names {
		fmt.Println(name)
	}
	fmt.Println()
	io.Copy(io.Discard, os.Stdin)
}
