// SPDX-License-Identifier: BSD-2-Clause

// Command labels computes under pprof labels, each job in a function of its own, and prints
// what CPU time each took. It prints "ready PID", waits for a line on stdin, and does its
// jobs, while the runtime's own profiler writes to the file -o. Then it prints one JSON
// object per job, and "done", and ends when stdin does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"workloads/self"
)

// job is what is printed. The label job has its name as value, and nothing else runs under
// its function.
type job struct {
	Name     string `json:"job"`
	Func     string `json:"func"`
	CPUNs    int64  `json:"cpu_ns"`
	Switches int64  `json:"switches"` // of its threads, meanwhile
	// its labels are too long: the name may be missing
	Lost bool `json:"lost,omitempty"`
}

var (
	lock sync.Mutex
	jobs []*job
	none = &job{Func: "main.unlabelled"}
)

func add(name, fn string) *job {
	j := &job{Name: name, Func: fn}
	jobs = append(jobs, j)
	return j
}

// took adds the CPU time that f uses on its thread. It is in the labelled part, as f is.
func (j *job) took(f func()) {
	runtime.LockOSThread()
	switches, begin := self.ThreadSwitches(), self.ThreadNs()
	f()
	ns := self.ThreadNs() - begin
	switches = self.ThreadSwitches() - switches
	runtime.UnlockOSThread()
	lock.Lock()
	j.CPUNs += ns
	j.Switches += switches
	lock.Unlock()
}

// do runs f under the labels of j, and others.
func (j *job) do(ctx context.Context, f func(), others ...string) {
	pprof.Do(ctx, pprof.Labels(append([]string{"job", j.Name}, others...)...), func(context.Context) {
		j.took(f)
	})
}

const (
	unit  = 2000000 // rounds of self.Spin: about 2 ms
	turns = 200
)

//go:noinline
func unlabelled() { self.Spin(unit) }

//go:noinline
func alpha() { self.Spin(unit) }

//go:noinline
func beta() { self.Spin(unit / 2) }

//go:noinline
func gamma() { self.Spin(unit / 4) }

//go:noinline
func child() { self.Spin(unit) }

//go:noinline
func short() { self.Spin(unit) }

//go:noinline
func long() { self.Spin(unit) }

//go:noinline
func over() { self.Spin(unit) }

//go:noinline
func many() { self.Spin(unit) }

//go:noinline
func growing() { self.Spin(unit) }

//go:noinline
func cold() { self.Spin(unit) }

//go:noinline
func odd() { self.Spin(unit) }

// numbered gives n labels besides the job's.
func numbered(n int) (labels []string) {
	for i := 1; i < n; i++ {
		labels = append(labels, fmt.Sprintf("key%03d", i), fmt.Sprintf("value %d", i))
	}
	return labels
}

func repeat(done *sync.WaitGroup, f func()) {
	for i := 0; i < turns; i++ {
		f()
	}
	done.Done()
}

// start starts all: each goroutine changes its labels, or inherits them from who started
// it.
func start(done *sync.WaitGroup) {
	ctx := context.Background()
	a, b, c := add("alpha", "main.alpha"), add("beta", "main.beta"), add("gamma", "main.gamma")
	heir, brief := add("inherited", "main.child"), add("short", "main.short")
	wide, tall, grown := add("many", "main.many"), add("long", "main.long"), add("growing", "main.growing")
	high, strange := add("over", "main.over"), add("odd\x00, =\\\";é\xff", "main.odd")
	high.Lost = true
	fresh := add("a constant that nobody reads", "main.cold")
	jobs = append(jobs, none)
	done.Add(10)
	go repeat(done, func() { // nested, back, and to another
		a.do(ctx, func() {})
		pprof.Do(ctx, pprof.Labels("job", a.Name), func(ctx context.Context) {
			a.took(alpha)
			b.do(ctx, beta)
			a.took(alpha)
		})
		none.took(unlabelled)
		c.do(ctx, gamma)
	})
	pprof.Do(ctx, pprof.Labels("job", heir.Name), func(context.Context) {
		go repeat(done, func() { heir.took(child) })
	})
	go repeat(done, func() {
		var end sync.WaitGroup
		end.Add(1)
		pprof.Do(ctx, pprof.Labels("job", brief.Name), func(context.Context) {
			go func() {
				brief.took(short)
				end.Done()
			}()
		})
		end.Wait()
	})
	go repeat(done, func() { tall.do(ctx, long, "text", strings.Repeat("0123456789", 100)) })
	go repeat(done, func() { high.do(ctx, over, "text", strings.Repeat("0123456789", 500)) })
	go repeat(done, func() { wide.do(ctx, many, numbered(60)...) })
	// a map moves its pairs to the bigger table one by one; at 27 not all have been
	// moved
	go repeat(done, func() { grown.do(ctx, growing, numbered(27)...) })
	go repeat(done, func() { strange.do(ctx, odd, "a=b,c", "\x00", "", "empty key") })
	go repeat(done, func() {
		fresh.do(ctx, func() {
			unload(fresh.Name)
			cold()
		})
	})
	done.Done()
}

// unload drops the page of a constant, so that it is not resident until somebody reads it.
func unload(constant string) {
	page := (*reflect.StringHeader)(unsafe.Pointer(&constant)).Data &^ 4095
	_, _, errno := syscall.RawSyscall(syscall.SYS_MADVISE, page, 4096, syscall.MADV_DONTNEED)
	if errno != 0 {
		log.Fatal(errno)
	}
}

func main() {
	path := flag.String("o", os.DevNull, "write the runtime's profile to `file`")
	flag.Parse()
	var done sync.WaitGroup
	fmt.Println("ready", os.Getpid())
	stdin := bufio.NewReader(os.Stdin)
	if _, err := stdin.ReadString('\n'); err != nil {
		return
	}
	file, err := os.Create(*path)
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		log.Fatal(err)
	}
	start(&done)
	done.Wait()
	pprof.StopCPUProfile()
	time.Sleep(50 * time.Millisecond)
	for _, j := range jobs {
		if err := json.NewEncoder(os.Stdout).Encode(j); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("done")
	io.Copy(io.Discard, stdin)
}
