// SPDX-License-Identifier: BSD-2-Clause

// Command profiled does one kind of work, and writes the runtime's own CPU profile of it.
//
//	profiled [-o FILE] [-cpu TIME] [-hz N] KIND
//
// It prints "ready PID", waits for a line on stdin, prints "begun" once it works under the
// profile, "done" after TIME of CPU or another line, and ends when stdin does. Without KIND
// it lists the kinds.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// kinds of work, by round; cgo.go adds one.
var kinds = map[string]func(){
	"ordinary": ordinary,
	"assembly": assembly,
	"gc":       garbage,
	"channels": channels,
	"syscalls": syscalls,
	"deep":     deep,
}

// used is the CPU time of the process.
func used() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func work(round func(), stop *int32, done *sync.WaitGroup) {
	for atomic.LoadInt32(stop) == 0 {
		round()
	}
	done.Done()
}

func main() {
	path := flag.String("o", os.DevNull, "write the profile to `file`")
	length := flag.Duration("cpu", 2*time.Second, "how long, in CPU `time`")
	hz := flag.Int("hz", 100, "samples per second of CPU time")
	flag.Parse()
	round := kinds[flag.Arg(0)]
	if round == nil {
		for kind := range kinds {
			fmt.Println(kind)
		}
		return
	}
	fmt.Println("ready", os.Getpid())
	stdin := bufio.NewReader(os.Stdin)
	if _, err := stdin.ReadString('\n'); err != nil {
		return
	}
	file, err := os.Create(*path)
	if err != nil {
		log.Fatal(err)
	}
	if *hz != 100 { // StartCPUProfile complains, but keeps the rate
		runtime.SetCPUProfileRate(*hz)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		log.Fatal(err)
	}
	var stop int32
	var done sync.WaitGroup
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		done.Add(1)
		go work(round, &stop, &done)
	}
	fmt.Println("begun")
	enough := make(chan bool)
	go func() {
		stdin.ReadString('\n')
		close(enough)
	}()
	for begin, over := used(), false; !over && used() < begin+*length; {
		select {
		case <-enough:
			over = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	atomic.StoreInt32(&stop, 1)
	done.Wait()
	pprof.StopCPUProfile()
	fmt.Println("done")
	<-enough
	io.Copy(io.Discard, stdin)
}
