// SPDX-License-Identifier: BSD-2-Clause

// Bpdata keeps five goroutines DEPTH calls deep in assembly whose stacks are hard to
// follow. Two hash by assembly of the standard library, which holds data in the frame
// pointer; two call assembly that returns with another frame pointer, one a number and one
// an address on the stack; one calls a leaf that moves SP without pclntab saying so.
package main

import (
	"crypto/md5"
	"crypto/sha512"
	"fmt"
	"os"
	"strconv"
	"time"
)

func setNumber()  // leaves a number in the frame pointer
func setAddress() // leaves an address further up the stack in it
func moveSP()     // spins with SP moved

var (
	data = make([]byte, 4096)
	sink uint64
)

//go:noinline
func deep(n int, f func()) uint64 { // 192 bytes of stack each
	var pad [24]uint64
	pad[n%24] = uint64(n)
	if n == 0 {
		f()
		return pad[3]
	}
	return deep(n-1, f) + pad[n%24]
}

//go:noinline
func spin(n uint64) uint64 { // saves the frame pointer that it finds
	for i := uint64(0); i < 300; i++ {
		n = n*31 + i
	}
	return n
}

//go:noinline
func after(set func()) {
	set()
	sink += spin(sink)
	sink += spin(sink)
}

//go:noinline
func number() { after(setNumber) }

//go:noinline
func address() { after(setAddress) }

//go:noinline
func moved() { moveSP() }

func workMD5(depth int) {
	for {
		deep(depth, func() { sink += uint64(md5.Sum(data)[0]) })
	}
}

func workSHA512(depth int) {
	for {
		deep(depth, func() { sink += uint64(sha512.Sum512(data)[0]) })
	}
}

func workNumber(depth int) {
	for {
		deep(depth, number)
	}
}

func workAddress(depth int) {
	for {
		deep(depth, address)
	}
}

func workMoved(depth int) {
	for {
		deep(depth, moved)
	}
}

func main() {
	depth, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	go workMD5(depth)
	go workSHA512(depth)
	go workNumber(depth)
	go workAddress(depth)
	go workMoved(depth)
	fmt.Println("bpdata")
	time.Sleep(time.Hour)
}
