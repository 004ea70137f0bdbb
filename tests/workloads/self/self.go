// SPDX-License-Identifier: BSD-2-Clause

// Package self tells a program facts about itself that only it can know for sure: the truth
// that the tests compare recordings with.
package self

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

const (
	clockProcessCPU = 2 // CLOCK_PROCESS_CPUTIME_ID
	clockThreadCPU  = 3 // CLOCK_THREAD_CPUTIME_ID
)

// Goid is the id of the calling goroutine, as the runtime prints it.
func Goid() uint64 {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)]
	fields := bytes.Fields(text) // goroutine 18 [running]:
	if len(fields) < 2 {
		panic("no goroutine header")
	}
	id, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		panic(err)
	}
	return id
}

func clock(id uintptr) int64 {
	var ts syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		panic(errno)
	}
	return ts.Nano()
}

// ThreadNs is the CPU time of the calling thread. It is a goroutine's own only if that is
// locked to its thread.
func ThreadNs() int64 { return clock(clockThreadCPU) }

// ThreadSwitches is how often the calling thread has left its CPU.
func ThreadSwitches() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(1 /* RUSAGE_THREAD */, &usage); err != nil {
		panic(err)
	}
	return usage.Nvcsw + usage.Nivcsw
}

// ProcessNs is the CPU time of the process.
func ProcessNs() int64 { return clock(clockProcessCPU) }

// Burn computes for about n ns of the process's CPU time. Only if nothing else runs is that
// the caller's.
func Burn(n int64) {
	for end := ProcessNs() + n; ProcessNs() < end; {
		Spin(20000)
	}
}

var sink uint64

// Spin computes n rounds, about 1 ns each.
//
//go:noinline
func Spin(n int) {
	x := uint64(n) | 1
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	if x == 0 { // never; keeps the loop
		sink = x
	}
}

// Exe is the path of the program; it works even when its file has been removed.
func Exe() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "/proc/self/exe"
}
