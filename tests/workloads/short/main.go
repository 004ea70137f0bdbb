// SPDX-License-Identifier: BSD-2-Clause

// Command short lives for a little CPU time (50 ms), half of it in a goroutine of its own,
// prints "short PID GOID" and ends in the requested way.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"workloads/self"
)

var cpu = flag.Duration("cpu", 50*time.Millisecond, "CPU `time` to use")

func worker() {
	id := self.Goid()
	self.Burn(int64(*cpu) / 2)
	finished <- id
}

var finished = make(chan uint64)

func main() {
	status := flag.Int("exit", 0, "exit `status`")
	sig := flag.Int("kill", 0, "end by this `signal`")
	watch := flag.Duration("watch", 0, "first ask the vDSO for the time, for this `time`")
	children := flag.Int("children", 0, "first run `N` of the same, one after the other")
	flag.Parse()
	for i := 0; i < *children; i++ {
		cmd := exec.Command(self.Exe(), "-cpu", cpu.String())
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	for t := time.Now(); time.Since(t) < *watch; {
	}
	go worker()
	id := <-finished
	self.Burn(int64(*cpu) / 2)
	fmt.Println("short", os.Getpid(), id)
	if *sig != 0 {
		syscall.Kill(os.Getpid(), syscall.Signal(*sig))
		time.Sleep(time.Second)
	}
	os.Exit(*status)
}
