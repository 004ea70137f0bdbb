// SPDX-License-Identifier: BSD-2-Clause

// Raced DEPTH reads and writes shared memory that many calls deep; to be built with -race,
// -asan or -msan.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	shared [64]int
	count  int64
	mu     sync.Mutex
)

//go:noinline
func deep(n int) int {
	var room [12]int
	if n == 0 {
		for i := range shared {
			shared[i] += i * i
			atomic.AddInt64(&count, 1)
		}
		mu.Lock()
		shared[3]++
		mu.Unlock()
		return shared[7]
	}
	room[n%12] = n
	return deep(n-1) + 1 + room[n%7]
}

func work(n int) {
	for {
		deep(n)
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	go work(n)
	fmt.Println("raced")
	time.Sleep(time.Hour)
}
