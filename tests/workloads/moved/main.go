// SPDX-License-Identifier: BSD-2-Clause

// Command moved copies its own text to anonymous memory and moves that to where the text
// was, like programs that want their code on huge pages. -late: it runs first, and moves
// when it gets a line on stdin. -spoil: one byte of the copy, which never runs, differs.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

//go:noinline
func spinBefore(n int) int {
	for i := 0; i < 1000000; i++ {
		n = n*3 + 1
	}
	return n
}

//go:noinline
func spinAfter(n int) int {
	for i := 0; i < 1000000; i++ {
		n = n*5 + 1
	}
	return n
}

//go:noinline
func never(n int) int {
	return n * 7
}

func mapping(addr, size uintptr, prot int) uintptr {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANON
	p, _, errno := syscall.Syscall6(syscall.SYS_MMAP, addr, size, uintptr(prot), flags, ^uintptr(0), 0)
	if errno != 0 {
		panic(errno)
	}
	return p
}

func bytesAt(addr, size uintptr) []byte {
	return (*[1 << 40]byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr)))[:size:size]
}

// The mapping that contains our own code.
func text() (start, end uintptr) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		panic(err)
	}
	f := never
	pc := **(**uintptr)(unsafe.Pointer(&f))
	for _, line := range strings.Split(string(maps), "\n") {
		if n, _ := fmt.Sscanf(line, "%x-%x", &start, &end); n == 2 && start <= pc && pc < end {
			return start, end
		}
	}
	panic("no mapping of the text")
}

func move(spoil bool) {
	const mremapMayMove, mremapFixed = 1, 2
	start, end := text()
	size := end - start
	copied := mapping(0, size, syscall.PROT_READ|syscall.PROT_WRITE)
	copy(bytesAt(copied, size), bytesAt(start, size))
	if spoil {
		f := never
		bytesAt(copied, size)[**(**uintptr)(unsafe.Pointer(&f))-start]++
	}
	if err := syscall.Mprotect(bytesAt(copied, size), syscall.PROT_READ|syscall.PROT_EXEC); err != nil {
		panic(err)
	}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_MREMAP, copied, size, size,
		mremapMayMove|mremapFixed, start, 0); errno != 0 {
		panic(errno)
	}
	// more code than before, so that profilers read the mappings again
	mapping(0, 1<<16, syscall.PROT_READ|syscall.PROT_EXEC)
}

func main() {
	late := flag.Bool("late", false, "move when a line comes")
	spoil := flag.Bool("spoil", false, "change a byte")
	flag.Parse()
	moved := make(chan bool)
	go func() {
		if *late {
			bufio.NewReader(os.Stdin).ReadString('\n')
		}
		move(*spoil)
		close(moved)
		fmt.Println("moved")
	}()
	if *late {
		fmt.Println("running")
	}
	n := never(1)
	for done := false; !done; n = spinBefore(n) {
		select {
		case <-moved:
			done = true
		default:
		}
	}
	for {
		n = spinAfter(n)
	}
}
