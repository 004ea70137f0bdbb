// SPDX-License-Identifier: BSD-2-Clause

// Plugin has a goroutine of its own.
package main

import (
	"ids/who"
	"runtime"
)

func inside() {
	who.Say("plugin.burn", "plugin.inside", "plugin.Start", 0, 1, "-")
	for n := 0; ; n++ {
		burn(n)
		runtime.Gosched() // Go 1.13 does not interrupt loops
	}
}

//go:noinline
func burn(n int) int {
	for i := 0; i < 100000; i++ {
		n = n*31 + i
	}
	return n
}

// Start is for the host.
func Start() { go inside() }

func main() {}
