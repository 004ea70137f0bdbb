// SPDX-License-Identifier: BSD-2-Clause

// A program that needs no package but the runtime.
package main

var sink int

func work() {
	for i := 0; ; i++ {
		sink += i * i
	}
}

func main() {
	go work()
	select {}
}
