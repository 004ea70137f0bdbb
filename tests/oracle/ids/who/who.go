// SPDX-License-Identifier: BSD-2-Clause

// Package who runs goroutines that print who they are and then compute until stdin ends,
// each in a function of its own: whoever sees burn3 on a stack can look up whose it must
// be.
package who

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var stop = make(chan struct{})

func stopped() bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// Goid is the goroutine's id, as the runtime prints it.
func Goid() int {
	buf := make([]byte, 64)
	words := bytes.Fields(buf[:runtime.Stack(buf, false)])
	id, _ := strconv.Atoi(string(words[1]))
	return id
}

// Say prints a row, once: id of the goroutine, the function that it computes in, its start
// function, where and by whom it was started, and its label; "-" for none.
func Say(function, start, creator string, line, parent int, label string) {
	fmt.Printf("row %d %s %s %s %d %d %s\n", Goid(), function, start, creator, line, parent, label)
}

//go:noinline
func burn0(n int) int {
	for i := 0; i < 1000; i++ {
		n = n*31 + i
	}
	return n
}

//go:noinline
func burn1(n int) int {
	for i := 0; i < 100; i++ {
		n += time.Now().Nanosecond()
	}
	return n
}

//go:noinline
func burn2(n int) int {
	for i := 0; i < 100; i++ {
		n += syscall.Getppid()
	}
	return n
}

var sink [][]byte

//go:noinline
func burn3(n int) int {
	sink = nil
	for i := 0; i < 100; i++ {
		sink = append(sink, make([]byte, 4096))
	}
	return n + len(sink)
}

//go:noinline
func deep(n int) int {
	var room [64]int
	room[n%64] = n
	if n == 0 {
		return room[0]
	}
	return deep(n-1) + room[n%64]
}

// burn4 needs a larger stack, again and again.
//
//go:noinline
func burn4(n int) int {
	done := make(chan int)
	go func() { done <- 1 }()
	<-done
	return n + deep(200)
}

//go:noinline
func burn5(n int) (m int) {
	defer func() {
		recover()
		m = n + 1
	}()
	words := strings.Fields("the quick brown fox jumps over the lazy dog")
	sort.Strings(words)
	return len(words[n%2+9]) // panics
}

var burns = []func(int) int{burn0, burn1, burn2, burn3, burn4, burn5}

// Burn computes in burn function i until the end.
func Burn(i int) {
	for n := 0; !stopped(); n++ {
		burns[i](n)
		runtime.Gosched() // Go 1.13 does not interrupt loops
	}
}

func worker(i, line, parent int, creator string, ready *sync.WaitGroup) {
	label := fmt.Sprintf("job%d", i)
	pprof.Do(context.Background(), pprof.Labels("job", label), func(context.Context) {
		Say(fmt.Sprintf("ids/who.burn%d", i), "ids/who.worker", creator, line, parent, label)
		ready.Done()
		Burn(i)
	})
}

func line() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

type pool struct{ ready sync.WaitGroup }

func (p *pool) start(i int) {
	go worker(i, line(), Goid(), "ids/who.(*pool).start", &p.ready)
}

func second(p *pool, done chan struct{}) {
	for i := 3; i < len(burns); i++ {
		p.start(i)
	}
	close(done)
	<-stop
}

// Run starts them all, some from another goroutine, prints "ready" and returns when stdin
// ends.
func Run() {
	var p pool
	p.ready.Add(len(burns))
	for i := 0; i < 3; i++ {
		p.start(i)
	}
	done := make(chan struct{})
	go second(&p, done)
	<-done
	p.ready.Wait()
	fmt.Println("ready", runtime.Version())
	os.Stdin.Read(make([]byte, 1))
	close(stop)
}
