// SPDX-License-Identifier: BSD-2-Clause

// Cutter FILE maps a copy of itself executable, from FILE, and truncates it, again and
// again: whoever has mapped the file to read its names reads past its end. One goroutine
// keeps a CPU busy.
package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

func burn() {
	for {
		for t := time.Now(); time.Since(t) < time.Millisecond; {
		}
	}
}

func cut(path string, program []byte, after time.Duration) error {
	os.Remove(path)
	if err := os.WriteFile(path, program, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := syscall.Mmap(int(f.Fd()), 0, len(program), syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	time.Sleep(after)
	if err := f.Truncate(4096); err != nil {
		return err
	}
	time.Sleep(20 * time.Millisecond)
	return syscall.Munmap(m)
}

func main() {
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	go burn()
	fmt.Println("cutter")
	for i := 0; ; i++ {
		if err := cut(os.Args[1], program, time.Duration(2+i%40)*time.Millisecond); err != nil {
			panic(err)
		}
	}
}
