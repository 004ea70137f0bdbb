// SPDX-License-Identifier: BSD-2-Clause

// Command restless has goroutines that park, wake each other, grow their stacks and end all
// the time, while the GC runs. Each is of one kind, and has functions, a label, a channel
// and a lock of that kind only: what shows two kinds in one goroutine is wrong. It prints
// "KIND CHANNEL LOCK" for each kind and "ready", and ends when stdin does.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

var (
	chans [6]chan int
	locks [6]sync.Mutex
	life  = flag.Int("life", 50, "how often a goroutine parks before it ends")
	each  = flag.Int("n", 100, "goroutines of each kind")
)

func main() {
	flag.Parse()
	for i := range chans {
		chans[i] = make(chan int)
		fmt.Printf("%d %#x %#x\n", i, *(*uintptr)(unsafe.Pointer(&chans[i])), uintptr(unsafe.Pointer(&locks[i])))
	}
	roots := []func(){r0, r1, r2, r3, r4, r5}
	for _, r := range roots {
		for i := 0; i < *each; i++ {
			go r()
		}
	}
	go func() {
		for {
			runtime.GC()
			time.Sleep(5 * time.Millisecond)
		}
	}()
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

func labelled(i int, f func()) {
	pprof.Do(context.Background(), pprof.Labels("kind", strconv.Itoa(i)), func(context.Context) { f() })
}

func r0() {
	labelled(0, b0)
	go r0() // the next one, in place of this one
}

func b0() {
	for i := 0; i < *life; i++ {
		s0(i % 3 * 4)
	}
}

//go:noinline
func s0(n int) int {
	var room [40]byte
	if n > 0 {
		room[n%8] = byte(s0(n - 1))
		return int(room[3]) + n
	}
	if room[0] > 0 {
		return 1
	}
	return p0(int(room[1]))
}

//go:noinline
func p0(n int) int {
	select {
	case chans[0] <- n:
	case n = <-chans[0]:
	}
	locks[0].Lock()
	n++
	locks[0].Unlock()
	return n
}

func r1() {
	labelled(1, b1)
	go r1() // the next one, in place of this one
}

func b1() {
	for i := 0; i < *life; i++ {
		s1(i % 4 * 9)
	}
}

//go:noinline
func s1(n int) int {
	var room [160]byte
	if n > 0 {
		room[n%8] = byte(s1(n - 1))
		return int(room[3]) + n
	}
	if room[0] > 0 {
		return 1
	}
	return p1(int(room[1]))
}

//go:noinline
func p1(n int) int {
	select {
	case chans[1] <- n:
	case n = <-chans[1]:
	}
	locks[1].Lock()
	n++
	locks[1].Unlock()
	return n
}

func r2() {
	labelled(2, b2)
	go r2() // the next one, in place of this one
}

func b2() {
	for i := 0; i < *life; i++ {
		s2(i % 5 * 14)
	}
}

//go:noinline
func s2(n int) int {
	var room [280]byte
	if n > 0 {
		room[n%8] = byte(s2(n - 1))
		return int(room[3]) + n
	}
	if room[0] > 0 {
		return 1
	}
	return p2(int(room[1]))
}

//go:noinline
func p2(n int) int {
	select {
	case chans[2] <- n:
	case n = <-chans[2]:
	}
	locks[2].Lock()
	n++
	locks[2].Unlock()
	return n
}

func r3() {
	labelled(3, b3)
	go r3() // the next one, in place of this one
}

func b3() {
	for i := 0; i < *life; i++ {
		s3(i % 3 * 19)
	}
}

//go:noinline
func s3(n int) int {
	var room [400]byte
	if n > 0 {
		room[n%8] = byte(s3(n - 1))
		return int(room[3]) + n
	}
	if room[0] > 0 {
		return 1
	}
	return p3(int(room[1]))
}

//go:noinline
func p3(n int) int {
	select {
	case chans[3] <- n:
	case n = <-chans[3]:
	}
	locks[3].Lock()
	n++
	locks[3].Unlock()
	return n
}

func r4() {
	labelled(4, b4)
	go r4() // the next one, in place of this one
}

func b4() {
	for i := 0; i < *life; i++ {
		s4(i % 4 * 24)
	}
}

//go:noinline
func s4(n int) int {
	var room [520]byte
	if n > 0 {
		room[n%8] = byte(s4(n - 1))
		return int(room[3]) + n
	}
	if room[0] > 0 {
		return 1
	}
	return p4(int(room[1]))
}

//go:noinline
func p4(n int) int {
	select {
	case chans[4] <- n:
	case n = <-chans[4]:
	}
	locks[4].Lock()
	n++
	locks[4].Unlock()
	return n
}

func r5() {
	labelled(5, b5)
	go r5() // the next one, in place of this one
}

func b5() {
	for i := 0; i < *life; i++ {
		s5(i % 5 * 29)
	}
}

//go:noinline
func s5(n int) int {
	var room [640]byte
	if n > 0 {
		room[n%8] = byte(s5(n - 1))
		return int(room[3]) + n
	}
	if room[0] > 0 {
		return 1
	}
	return p5(int(room[1]))
}

//go:noinline
func p5(n int) int {
	select {
	case chans[5] <- n:
	case n = <-chans[5]:
	}
	locks[5].Lock()
	n++
	locks[5].Unlock()
	return n
}
