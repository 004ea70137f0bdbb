// SPDX-License-Identifier: BSD-2-Clause

// Host opens a plugin and dumps the code of both.
package main

import (
	"os"
	"pcs/dump"
	"plugin"
)

func main() {
	p, err := plugin.Open(os.Args[2])
	if err != nil {
		panic(err)
	}
	inside, err := p.Lookup("Inside")
	if err != nil {
		panic(err)
	}
	dump.Main(dump.Stride(), dump.Main, inside)
}
