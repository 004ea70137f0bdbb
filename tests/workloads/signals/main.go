// SPDX-License-Identifier: BSD-2-Clause

// Signals is interrupted all the time: each of its goroutines has a thread of its own, to
// which signals are sent. "go": the signal by which the runtime preempts, with the
// runtime's own handler. "on" and "own", with cgo: a signal with a handler in C, on the
// stack for signals or on the interrupted stack.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

var (
	sink  int
	clock time.Time
	// victims run in C and the like; arm requests signals for the calling thread.
	victims []func(arm func())
	arm     func(mode string)
)

//go:noinline
func leaf(n int) int { return n*7 + n>>3 }

//go:noinline
func inner(n int) int {
	for i := 0; i < 1000; i++ {
		n += leaf(i)
	}
	return n + 1
}

func goSpin(arm func()) {
	for arm(); ; {
		sink += inner(sink)
	}
}

func goClock(arm func()) {
	for arm(); ; {
		clock = time.Now()
	}
}

// There is room on the stack for a handler, and nothing frees it.
//
//go:noinline
func grow(n int) int {
	var room [4096]byte
	if n == 0 {
		return 0
	}
	room[n] = byte(grow(n - 1))
	return int(room[n-1]) + n
}

func storm(tid int) {
	for {
		syscall.Tgkill(os.Getpid(), tid, syscall.SIGURG)
	}
}

func run(victim func(func()), mode string) {
	runtime.LockOSThread()
	sink += grow(16)
	victim(func() {
		if mode != "go" {
			arm(mode)
			return
		}
		go storm(syscall.Gettid())
	})
}

func main() {
	debug.SetGCPercent(-1)
	for _, victim := range append([]func(func()){goSpin, goClock}, victims...) {
		go run(victim, os.Args[1])
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
