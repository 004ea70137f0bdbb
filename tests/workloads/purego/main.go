// SPDX-License-Identifier: BSD-2-Clause

// Purego calls C without cgo, in the library that its argument names, which calls it back.
package main

import (
	"fmt"
	"os"

	"github.com/ebitengine/purego"
)

var (
	compute func(n int64) int64
	each    func(n int64, callback uintptr) int64
	sink    int64
)

//go:noinline
func below(n int, f func()) int {
	if n == 0 {
		f()
		return 1
	}
	return below(n-1, f) + 1
}

//go:noinline
func spin() {
	for i := int64(0); i < 1000000; i++ {
		sink = sink*3 + i
	}
}

func called(n int64) int64 {
	below(3, spin)
	return n
}

func main() {
	library, err := purego.Dlopen(os.Args[1], purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		panic(err)
	}
	purego.RegisterLibFunc(&compute, library, "compute")
	purego.RegisterLibFunc(&each, library, "each")
	callback := purego.NewCallback(called)
	fmt.Println("purego")
	for {
		below(2, func() { compute(1000000) })
		below(5, func() { each(3, callback) })
	}
}
