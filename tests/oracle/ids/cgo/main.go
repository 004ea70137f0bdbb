// SPDX-License-Identifier: BSD-2-Clause

// Cgo has thread-local variables of C, goroutines in C that call back, and a thread made by
// C.
package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>

static __thread int mine[25] __attribute__((aligned(64)));

int burnBack(int n);
void thread(void);

static int burnC(int n)
{
	for (int i = 0; i < 100000; i++)
		mine[i % 25] = n = n * 31 + i;
	return n;
}

static int callBack(int n) { return burnBack(n) + mine[n & 7]; }
static void *run(void *arg) { thread(); return arg; }
static void start(void) { pthread_t t; pthread_create(&t, 0, run, 0); }
*/
import "C"

import (
	"ids/who"
	"runtime"
)

//export burnBack
func burnBack(n C.int) C.int {
	for i := 0; i < 100000; i++ {
		n = n*31 + C.int(i)
	}
	return n
}

var in = make(chan int)

// thread runs on a thread of C, as a goroutine without a go statement.
//
//export thread
func thread() {
	who.Say("main.burnThread", "-", "-", 0, 0, "-")
	in <- 1
	for n := 0; ; n++ {
		burnThread(n)
		runtime.Gosched() // Go 1.13 does not interrupt loops
	}
}

//go:noinline
func burnThread(n int) int {
	for i := 0; i < 100000; i++ {
		n = n*31 + i
	}
	return n
}

func inC() {
	who.Say("main._Cfunc_burnC", "main.inC", "main.main", 0, 1, "-")
	in <- 1
	for n := C.int(0); ; n++ {
		C.burnC(n)
		runtime.Gosched()
	}
}

func back() {
	who.Say("main.burnBack", "main.back", "main.main", 0, 1, "-")
	in <- 1
	for n := C.int(0); ; n++ {
		C.callBack(n)
		runtime.Gosched()
	}
}

func main() {
	go inC()
	go back()
	C.start()
	for i := 0; i < 3; i++ {
		<-in
	}
	who.Run()
}
