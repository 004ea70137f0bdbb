// SPDX-License-Identifier: BSD-2-Clause

// Command pinned locks goroutines to threads and prints which is on which: half of them
// compute, half wait in a system call. It prints a line "GOID TID running|syscall" for
// each, then "ready PID", and ends when stdin does.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"workloads/self"
)

var (
	lines sync.Mutex
	ready sync.WaitGroup
)

func say(out *bufio.Writer, status string) {
	runtime.LockOSThread()
	lines.Lock()
	fmt.Fprintln(out, self.Goid(), syscall.Gettid(), status)
	lines.Unlock()
	ready.Done()
}

func compute(out *bufio.Writer) {
	say(out, "running")
	for {
		self.Spin(20000)
	}
}

func wait(out *bufio.Writer, fd int) {
	say(out, "syscall")
	var b [1]byte
	for {
		syscall.Read(fd, b[:])
	}
}

func main() {
	n := flag.Int("n", 2, "goroutines of each `kind`")
	flag.Parse()
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	runtime.GOMAXPROCS(*n + 2) // a P for each that computes
	ready.Add(2 * *n)
	for i := 0; i < *n; i++ {
		go compute(out)
		go wait(out, pipe[0])
	}
	ready.Wait()
	time.Sleep(100 * time.Millisecond) // until they are where they say
	fmt.Fprintln(out, "ready", os.Getpid())
	out.Flush()
	io.Copy(io.Discard, os.Stdin)
}
