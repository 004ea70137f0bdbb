// SPDX-License-Identifier: BSD-2-Clause

// Command execs computes, executes itself, computes under another function, and then
// executes the command it was given, if any: three programs in one process. Each prints
// "NAME PID" first.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"workloads/self"
)

//go:noinline
func before(d time.Duration) { self.Burn(int64(d)) }

//go:noinline
func after(d time.Duration) { self.Burn(int64(d)) }

func execute(path string, args ...string) {
	err := syscall.Exec(path, append([]string{path}, args...), os.Environ())
	fmt.Fprintln(os.Stderr, path, err)
	os.Exit(1)
}

func main() {
	again := flag.Bool("again", false, "be the second program")
	cpu := flag.Duration("cpu", time.Second, "CPU `time` of each")
	flag.Parse()
	if !*again {
		fmt.Println("before", os.Getpid())
		bufio.NewReader(os.Stdin).ReadString('\n') // until somebody watches
		before(*cpu)
		execute(self.Exe(), append([]string{"-again", "-cpu", cpu.String()}, flag.Args()...)...)
	}
	fmt.Println("after", os.Getpid())
	after(*cpu)
	if flag.NArg() > 0 {
		path, err := exec.LookPath(flag.Arg(0))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		execute(path, flag.Args()[1:]...)
	}
}
