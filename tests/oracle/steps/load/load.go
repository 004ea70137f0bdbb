// SPDX-License-Identifier: BSD-2-Clause

// Package load is what tests/oracle/step.c steps through: calls of every kind, on one
// thread.
package load

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	sink   int
	rounds = 1
	done   = make(chan bool)
)

// more are parts that not every Go version, or not every program, has
var More []func()

// Main says which thread it is, waits for a line, and does everything as often as its
// argument says.
func Main() {
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	go root() // without arguments: nothing is between it and goexit
	<-done
}

func root() {
	runtime.LockOSThread()
	fmt.Println(syscall.Gettid())
	os.Stdin.Read(make([]byte, 1))
	begin()
	end()
	done <- true
}

//go:noinline
func begin() {
	for i := 0; i < rounds; i++ {
		round()
	}
}

//go:noinline
func end() { sink++ }

func round() {
	parts := []func(){leaves, frames, clocks, wrappers, grows, callers}
	for _, f := range append(parts, More...) {
		f()
	}
	for _, f := range []func(){calls, panics, switches, allocates, formats, assembly, reflects} { // most steps last
		f()
	}
}

//go:noinline
func leaf(n int) int { return n*3 + sink }

//go:noinline
func callee(n int) int { return leaf(n) + leaf(n+1) }

func leaves() {
	for i := 0; i < 10; i++ {
		sink += callee(i) + leaf(i)
	}
}

//go:noinline
func touch(p *[40]int, n int) int { p[n%40] = n; return p[(n+1)%40] }

//go:noinline
func touchMany(p *[1500]int, n int) int { p[n%1500] = n; return p[(n+1)%1500] }

//go:noinline
func byValue(a [40]int) int { return touch(&a, 7) }

//go:noinline
func huge(n int) int { var a [1500]int; return touchMany(&a, n) }

func frames() {
	var a [40]int
	touch(&a, 3)
	b := a
	sink += touch(&b, 4) + byValue(a) + huge(9)
}

func assembly() {
	text := []byte(strings.Repeat("needle in a haystack ", 20))
	a, b := sha256.Sum256(text), sha512.Sum512(text)
	other := append([]byte(nil), text...)
	sink += int(a[0]) + int(b[0]) + bytes.IndexByte(text, 'z') + bytes.Compare(text, other) +
		bytes.Count(text, []byte("n")) + bytes.Index(text, []byte("k h")) + int(crc32.ChecksumIEEE(text))
	copy(other[3:], other)
	x := new(big.Int).SetBytes(text[:200])
	sink += x.Mul(x, x).BitLen() + x.Mod(x, big.NewInt(1234577)).BitLen()
	block, _ := aes.NewCipher(text[:16])
	gcm, _ := cipher.NewGCM(block)
	sink += len(gcm.Seal(nil, text[:12], text[:100], nil))
}

func clocks() {
	t := time.Now()
	sink += int(time.Since(t)) + t.Nanosecond()
}

//go:noinline
func recovers(f func()) (s string) {
	defer func() { s = fmt.Sprint(recover()) }()
	defer leaves()
	f()
	return "no panic"
}

//go:noinline
func null(p *[40]int) int { return p[3] }

//go:noinline
func divide(a, b int) int { return a / b }

func panics() {
	sink += len(recovers(leaves))
	sink += len(recovers(func() { panic("one") }))
	sink += len(recovers(func() { defer func() { panic("two") }(); panic("one") }))
	sink += len(recovers(func() { sink += null(nil) }))
	sink += len(recovers(func() { sink += divide(3, sink-sink) }))
	for i := 0; i < 3; i++ {
		defer leaf(i)
	}
}

type inner struct{ n int }

//go:noinline
func (i inner) get() int { return leaf(i.n) }

//go:noinline
func (i *inner) add(n int) int { i.n += n; return callee(i.n) }

type outer struct {
	pad [3]int
	inner
}

type both interface {
	get() int
	add(int) int
}

//go:noinline
func through(b both) int { return b.add(3) + b.get() }

func wrappers() {
	o := &outer{}
	f, g := o.get, (*outer).get
	each := func(h func(int) int) { sink += h(1) + h(2) }
	each(func(n int) int { return n + f() + g(o) })
	each(o.add)
	sink += through(o) + through(&o.inner)
}

func formats() {
	m := map[string]int{"a": 1, "bb": 2, "ccc": 3}
	keys := []string{}
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	sort.Slice(keys, func(i, j int) bool { return len(keys[i]) > len(keys[j]) })
	s := fmt.Sprintf("%v %s %8.3f", m, strings.Join(keys, ","), 3.25)
	n, err := strconv.Atoi(s[:3])
	if err != nil && errors.Is(err, strconv.ErrSyntax) {
		sink += n + len(err.Error())
	}
}

var kept [][]byte

func allocates() {
	kept = kept[:0]
	for size := 8; size < 200000; size *= 5 {
		kept = append(kept, make([]byte, size))
	}
	p := make([]*outer, 3)
	for i := range p {
		p[i] = &outer{}
	}
	m := map[int]*outer{}
	for i := 0; i < 20; i++ {
		m[i*i] = p[i%3]
	}
	delete(m, 4)
}

//go:noinline
func deep(n int) int {
	var a [40]int
	if n == 0 {
		return touch(&a, n)
	}
	return deep(n-1) + touch(&a, n)
}

// A stack of its own to grow, with a caller that has pointers into it.
func grows() {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		sink += deep(20)
		wg.Done()
	}()
	sink += deep(40)
	wg.Wait()
}

func calls() {
	sink += os.Getpid() + syscall.Getppid()
	null, _ := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	null.WriteString("text")
	null.Close()
}

func reflects() {
	v := reflect.ValueOf(leaf).Call([]reflect.Value{reflect.ValueOf(3)})
	swap := func(in []reflect.Value) []reflect.Value { return []reflect.Value{in[1], in[0]} }
	f := reflect.MakeFunc(reflect.TypeOf(func(int, int) (int, int) { return 0, 0 }), swap).
		Interface().(func(int, int) (int, int))
	a, b := f(1, 2)
	get := reflect.ValueOf(&outer{}).MethodByName("Get")
	if get.IsValid() {
		sink += int(get.Call(nil)[0].Int())
	}
	sink += a - b + int(v[0].Int())
}

// Get is found by reflection.
func (o *outer) Get() int { return o.get() }

func switches() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for n := range ping {
			pong <- n + 1
		}
		close(pong)
	}()
	ping <- 1
	sink += <-pong
	close(ping)
	<-pong
	runtime.Gosched()
	select {
	case <-time.After(time.Microsecond):
	case <-ping:
	}
	var mu sync.Mutex
	mu.Lock()
	mu.Unlock()
}

// The runtime itself inspects the stack.
func callers() {
	pcs := make([]uintptr, 30)
	sink += runtime.Callers(0, pcs)
}
