// SPDX-License-Identifier: BSD-2-Clause

// Command hostile uses CPU time under labels that a terminal would act on, and has a
// goroutine that waits for a file with such a name.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"syscall"
	"time"

	"workloads/self"
)

func main() {
	dir, _ := os.MkdirTemp("", "hostile")
	name := dir + "/pipe\x1b]0;owned\a\n"
	if err := syscall.Mkfifo(name, 0o600); err == nil {
		fd, _ := syscall.Open(name, syscall.O_RDWR, 0)
		go func() { syscall.Read(fd, make([]byte, 1)) }()
	}
	fmt.Println("ready", os.Getpid())
	labels := pprof.Labels("k\x1b[31mey", "v\x1b]0;owned\al\nue\r", "tab\t", "\xff\xfe\u202e\u0085")
	pprof.Do(context.Background(), labels, func(context.Context) {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			self.Spin(20000)
		}
	})
	os.RemoveAll(dir)
}
