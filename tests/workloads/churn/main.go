// SPDX-License-Identifier: BSD-2-Clause

// Churn maps N pages of its own file executable, each as a separate mapping, and another
// one every 100 ms, like a program with a compiler in it. One goroutine keeps a CPU busy
// meanwhile.
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

const page = 4096

func mapCode(addr, flags, fd, off uintptr) uintptr {
	const readExec = syscall.PROT_READ | syscall.PROT_EXEC
	at, _, err := syscall.Syscall6(syscall.SYS_MMAP, addr, page, readExec, flags, fd, off)
	if err != 0 {
		panic(err)
	}
	return at
}

func burn() {
	for {
		for t := time.Now(); time.Since(t) < time.Millisecond; {
		}
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	none := ^uintptr(0)
	base, _, _ := syscall.Syscall6(syscall.SYS_MMAP, 0, uintptr(n)*2*page, 0, syscall.MAP_PRIVATE|syscall.MAP_ANON, none, 0)
	for i := 0; i < n; i++ { // every other page, so that no two are joined
		mapCode(base+uintptr(i)*2*page, syscall.MAP_PRIVATE|syscall.MAP_FIXED, exe.Fd(), uintptr(i%100)*2*page)
	}
	go burn()
	fmt.Println("churn")
	for {
		time.Sleep(100 * time.Millisecond)
		mapCode(0, syscall.MAP_PRIVATE|syscall.MAP_ANON, none, 0)
	}
}
