// SPDX-License-Identifier: BSD-2-Clause

// Host opens a plugin.
package main

import (
	"os"
	"plugin"

	"ids/who"
)

func main() {
	p, err := plugin.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	start, err := p.Lookup("Start")
	if err != nil {
		panic(err)
	}
	start.(func())()
	who.Run()
}
