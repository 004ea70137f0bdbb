// SPDX-License-Identifier: BSD-2-Clause

// Command goroutines knows what each of its goroutines spends its CPU time on, and prints
// it. It starts its goroutines, prints "ready PID" and waits for a line on stdin. Then they
// compute, each under a function of its own and for a share of its own, for 9 s of CPU time
// together or until the time (-d) is over; others come and go meanwhile. Then it prints one
// JSON object per goroutine, except the runtime's own, and "done". The program ends when
// stdin does. Whoever records from "ready" to "done" has recorded all stated CPU time:
// before and after, the goroutines are parked.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"workloads/self"
)

// row is what is printed about a goroutine.
type row struct {
	Goid     uint64 `json:"goid"`
	Start    string `json:"start"`           // its start function
	Func     string `json:"func,omitempty"`  // its CPU time is under it
	Inner    string `json:"inner,omitempty"` // inlined into Func
	Depth    int    `json:"depth,omitempty"` // calls of main.recurse above main.bottom
	Locked   bool   `json:"locked"`          // to a thread, so that CPUNs is exact;
	CPUNs    int64  `json:"cpu_ns"`          // else a lower limit
	Begin    int64  `json:"begin_ns"`        // of the thread's CPU clock; only for locked ones
	End      int64  `json:"end_ns"`
	Switches int64  `json:"switches"` // of the thread, meanwhile
}

type worker struct {
	row
	root   func()
	work   func() // about 1 ms of CPU time
	budget time.Duration
}

const recursion = 400

// filled by main: the roots name it, so an initializer would be a cycle
var workers map[string]*worker

func table() []*worker {
	locked := func(start, fn string, root, work func(), budgetMs time.Duration) *worker {
		return &worker{row: row{Start: start, Func: fn, Locked: true}, root: root, work: work,
			budget: budgetMs * time.Millisecond}
	}
	ws := []*worker{
		locked("main.rootLeaf", "main.workLeaf", rootLeaf, workLeaf, 1500),
		locked("main.rootFloat", "main.workFloat", rootFloat, workFloat, 1200),
		locked("main.rootSort", "main.workSort", rootSort, workSort, 1000),
		locked("main.rootMap", "main.workMap", rootMap, workMap, 800),
		locked("main.rootCopy", "main.workCopy", rootCopy, workCopy, 700),
		locked("main.rootRecurse", "main.workRecurse", rootRecurse, workRecurse, 600),
		locked("main.rootSyscall", "main.workSyscall", rootSyscall, workSyscall, 500),
		locked("main.rootFormat", "main.workFormat", rootFormat, workFormat, 400),
		locked("main.rootInline", "main.workInline", rootInline, workInline, 300),
		locked("main.rootMethod", "main.workMethod", rootMethod, workMethod, 200),
		locked("main.rootSmall", "main.workSmall", rootSmall, workSmall, 150),
	}
	loose := locked("main.rootLoose", "main.workLoose", rootLoose, workLoose, 900)
	alloc := locked("main.rootAlloc", "main.workAlloc", rootAlloc, workAlloc, 600)
	loose.Locked, alloc.Locked = false, false
	ws = append(ws, loose, alloc)
	for _, w := range ws {
		switch w.Start {
		case "main.rootRecurse":
			w.Depth = recursion
		case "main.rootInline":
			w.Inner = "main.step"
		}
	}
	return ws
}

var (
	ready, done, shortDone sync.WaitGroup

	begin   = make(chan struct{})
	forever chan struct{}
	stop    int32
)

// run is called by every root: real programs have such a layer between root and work.
//
//go:noinline
func run(start string) {
	w := workers[start]
	if w.Locked {
		runtime.LockOSThread()
	}
	w.Goid = self.Goid()
	ready.Done()
	<-begin
	if w.Locked {
		w.runLocked()
	} else {
		w.runLoose()
	}
	done.Done()
	<-forever
}

func (w *worker) runLocked() {
	switches := self.ThreadSwitches()
	w.Begin = self.ThreadNs()
	for w.CPUNs < int64(w.budget) && atomic.LoadInt32(&stop) == 0 {
		for i := 0; i < 5; i++ { // so that reading the clock does not dominate
			w.work()
		}
		w.End = self.ThreadNs()
		w.CPUNs = w.End - w.Begin
	}
	w.Switches = self.ThreadSwitches() - switches
}

// A goroutine that changes threads cannot read its CPU time. But no round took less than
// the cheapest of those that it ran on one thread.
func (w *worker) runLoose() {
	least := int64(1 << 62)
	for rounds := int64(1); w.CPUNs < int64(w.budget) && atomic.LoadInt32(&stop) == 0; rounds++ {
		if rounds <= 20 {
			runtime.LockOSThread()
			t := self.ThreadNs()
			w.work()
			if t = self.ThreadNs() - t; t < least {
				least = t
			}
			runtime.UnlockOSThread()
		} else {
			w.work()
		}
		w.CPUNs = rounds * least
	}
}

var (
	shortLock sync.Mutex
	shorts    []row
)

// startShort starts up to 100 goroutines a second that live for 3 ms of CPU time.
func startShort() {
	shortLock.Lock()
	shorts = append(shorts, row{Goid: self.Goid(), Start: "main.startShort"})
	shortLock.Unlock()
	for atomic.LoadInt32(&stop) == 0 {
		shortDone.Add(1)
		go rootShort()
		time.Sleep(10 * time.Millisecond)
	}
	shortDone.Done()
}

//go:noinline
func rootShort() {
	id := self.Goid()
	for i := 0; i < 3; i++ {
		workShort()
	}
	shortLock.Lock()
	shorts = append(shorts, row{Goid: id, Start: "main.rootShort", Func: "main.rootShort"})
	shortLock.Unlock()
	shortDone.Done()
}

func main() {
	duration := flag.Duration("d", time.Minute, "compute for at most this `time`")
	flag.Parse()
	ws := table()
	workers = make(map[string]*worker)
	for _, w := range ws {
		workers[w.Start] = w
	}
	ready.Add(len(ws))
	done.Add(len(ws))
	shortDone.Add(1)
	for _, w := range ws {
		go w.root()
	}
	ready.Wait()
	fmt.Println("ready", os.Getpid())
	stdin := bufio.NewReader(os.Stdin)
	if _, err := stdin.ReadString('\n'); err != nil {
		return
	}
	time.AfterFunc(*duration, func() { atomic.StoreInt32(&stop, 1) })
	close(begin)
	go startShort()
	done.Wait()
	atomic.StoreInt32(&stop, 1)
	shortDone.Wait()
	print(ws)
	fmt.Println("done")
	io.Copy(io.Discard, stdin)
}

func print(ws []*worker) {
	rows := append([]row{{Goid: self.Goid(), Start: "runtime.main"}}, shorts...)
	for _, w := range ws {
		rows = append(rows, w.row)
	}
	out := bufio.NewWriter(os.Stdout)
	enc := json.NewEncoder(out)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			panic(err)
		}
	}
	out.Flush()
}
