// SPDX-License-Identifier: BSD-2-Clause

// Command calls calls main.called a known number of times from each of many goroutines.
//
//	calls [GOROUTINES [CALLS [RATE]]]
//
// It waits for a line on stdin, and then makes about CALLS calls in all, RATE a second if
// that is given, in bursts of one goroutine each. When they are made
// it prints "GOID LABEL COUNT" for each goroutine and "done", and waits until stdin ends.
// Most goroutines are short-lived and begin with a small stack, so main.called, whose frame
// is large, often begins again on a larger one. Others call it in a tight loop, in which
// the scheduler preempts them. Goroutine 1 then calls main.outer 7 times. If the environment
// has AGAIN, it executes itself at the end of stdin, without it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var sum atomic.Int64

//go:noinline
func called(n int) int {
	var room [3000]byte
	for i := range room {
		if i > n {
			break
		}
		room[i] = byte(i)
	}
	return int(room[n%len(room)])
}

//go:noinline
func caller(n int) {
	for i := 0; i < n; i++ {
		sum.Add(int64(called(i % 7)))
	}
}

//go:noinline
func deep(level, n int) {
	if level == 0 {
		caller(n)
		return
	}
	deep(level-1, n)
}

// leaf is inlined into outer, whose first instruction is in leaf's body.
func leaf(n int) int { return n*n + 7 }

//go:noinline
func outer(n int) int { return leaf(n) }

func goid() int {
	var buf [64]byte
	field := bytes.Fields(buf[:runtime.Stack(buf[:], false)])[1]
	id, err := strconv.Atoi(string(field))
	if err != nil {
		panic(err)
	}
	return id
}

func argument(i, def int) int {
	if len(os.Args) > i {
		if n, err := strconv.Atoi(os.Args[i]); err == nil {
			return n
		}
	}
	return def
}

func main() {
	goroutines, calls := argument(1, 1000), argument(2, 200000)
	rate := argument(3, 0)
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	in.ReadString('\n')
	lines := make([]string, goroutines)
	gate := make(chan bool, 32)
	var all sync.WaitGroup
	for i := range lines {
		i := i
		all.Add(1)
		gate <- true
		// from 10 to many, the sum being about what was asked for
		n := 10 + (calls/goroutines-10)*2*i/goroutines
		if rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		go func() {
			defer func() { <-gate; all.Done() }()
			pprof.Do(context.Background(), pprof.Labels("job", strconv.Itoa(i%10)), func(context.Context) {
				deep(i%40, n)
			})
			lines[i] = fmt.Sprintln(goid(), i%10, n)
		}()
	}
	all.Wait()
	for i := 0; i < 7; i++ {
		sum.Add(int64(outer(i)))
	}
	for _, line := range lines {
		fmt.Print(line)
	}
	fmt.Println("done")
	in.ReadString('\n')
	if os.Getenv("AGAIN") != "" {
		os.Unsetenv("AGAIN")
		panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	}
}
