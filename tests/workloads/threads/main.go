// SPDX-License-Identifier: BSD-2-Clause

// Threads lets goroutines end with their threads, so that the runtime has C start new ones
// all the time.
package main

import "C"

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	fmt.Println("threads")
	for {
		var w sync.WaitGroup
		for i := 0; i < 8; i++ {
			w.Add(1)
			go func() {
				runtime.LockOSThread() // for ever
				w.Done()
			}()
		}
		w.Wait()
	}
}
