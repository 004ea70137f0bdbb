// SPDX-License-Identifier: BSD-2-Clause

// Raced reads and writes memory that is shared, twenty calls deep; to be built with -race.
package main

import (
	"fmt"
	"time"
)

var shared [64]int

//go:noinline
func deep(n int) int {
	if n == 0 {
		for i := range shared {
			shared[i] += i * i
		}
		return shared[7]
	}
	return deep(n-1) + 1
}

func work() {
	for {
		deep(19)
	}
}

func main() {
	go work()
	fmt.Println("raced")
	time.Sleep(time.Hour)
}
