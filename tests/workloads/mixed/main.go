// SPDX-License-Identifier: BSD-2-Clause

// Command mixed does ordinary work of many kinds, and counts it, to measure what a profiler
// costs a program.
//
//	mixed [-goroutines N] [-idle N] [-labels N] [-extra N] [-pprof FILE]
//
// N goroutines work; -idle adds goroutines that wait for ever, each with a small stack.
// With -extra, main.planted does N rounds of work after each operation; 10,000 take some
// 5 us. With -labels each goroutine has that many pprof labels. It prints "ready", and for each
// line on stdin one line: operations done so far, and the CPU time of the process in ns.
// With -pprof it serves net/http/pprof on a port of its own, whose address it writes to FILE.
package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

var operations atomic.Uint64

type order struct {
	ID    int
	Name  string
	Tags  []string
	Items []item
}

type item struct {
	Price float64
	Count int
	Note  map[string]string
}

func asJSON(n int) int {
	o := order{ID: n, Name: "order", Tags: []string{"a", "bc", "def"}}
	for i := 0; i < 8; i++ {
		o.Items = append(o.Items, item{float64(i) * 1.5, i, map[string]string{"k": "v", "l": "w"}})
	}
	text, err := json.Marshal(o)
	if err != nil {
		log.Fatal(err)
	}
	var back order
	if err := json.Unmarshal(text, &back); err != nil {
		log.Fatal(err)
	}
	return len(back.Items)
}

type number interface{ ~int | ~float64 }

func quicksort[T number](all []T) {
	if len(all) < 2 {
		return
	}
	pivot, left := all[len(all)/2], 0
	right := len(all) - 1
	for left <= right {
		for all[left] < pivot {
			left++
		}
		for all[right] > pivot {
			right--
		}
		if left <= right {
			all[left], all[right] = all[right], all[left]
			left++
			right--
		}
	}
	quicksort(all[:right+1])
	quicksort(all[left:])
}

func sorting(n int) int {
	ints, floats := make([]int, 500), make([]float64, 500)
	for i := range ints {
		n = n*1664525 + 1013904223
		ints[i] = n
		floats[i] = float64(n)
	}
	quicksort(ints)
	quicksort(floats)
	return ints[0]
}

type vector struct{ x, y, z float64 }

func (a vector) add(b vector) vector    { return vector{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vector) scale(f float64) vector { return vector{a.x * f, a.y * f, a.z * f} }
func (a vector) dot(b vector) float64   { return a.x*b.x + a.y*b.y + a.z*b.z }
func step(at, speed vector) vector      { return at.add(speed.scale(0.001)) }
func turn(speed, at vector) vector      { return speed.add(at.scale(-speed.dot(at))) }
func simulate(at, speed vector) vector  { return step(at, turn(speed, at)) }

func vectors(n int) int {
	at, speed := vector{1, float64(n % 7), 0}, vector{0, 1, 0}
	for i := 0; i < 20000; i++ {
		at = simulate(at, speed)
	}
	return int(at.x)
}

type tree struct {
	left, right *tree
	value       int
}

func grow(depth, n int) *tree {
	if depth == 0 {
		return nil
	}
	return &tree{grow(depth-1, n*2), grow(depth-1, n*2+1), n}
}

func (t *tree) sum() int {
	if t == nil {
		return 0
	}
	return t.value + t.left.sum() + t.right.sum()
}

func trees(n int) int { return grow(9, n&1).sum() }

//go:noinline
func even(depth int, n uint64) uint64 {
	if depth == 0 {
		for i := 0; i < 20000; i++ {
			n ^= n << 13
			n ^= n >> 7
			n ^= n << 17
		}
		return n
	}
	return odd(depth-1, n+1) + 1
}

//go:noinline
func odd(depth int, n uint64) uint64 {
	var room [8]uint64
	room[n&7] = even(depth-1, n*3)
	return room[n&7]
}

func recursion(n int) int { return int(even(40, uint64(n)|1)) }

var (
	pattern = regexp.MustCompile(`(\w+)@(\w+)\.(com|org)`)
	text    = strings.Repeat("send it to somebody@example.org, or to nobody at all; ", 12)
)

func matching(int) int { return len(pattern.FindAllStringIndex(text, -1)) }

func compressing(int) int {
	var to bytes.Buffer
	w, err := flate.NewWriter(&to, 5)
	if err != nil {
		log.Fatal(err)
	}
	io.WriteString(w, text)
	w.Close()
	return to.Len()
}

var block = bytes.Repeat([]byte{42}, 8192)

func hashing(int) int { return int(sha256.Sum256(block)[0]) }

//go:noinline
func planted(rounds int) (x uint64) {
	for x = 1; rounds > 0; rounds-- {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

var jobs = []func(int) int{asJSON, sorting, vectors, trees, recursion, matching, compressing, hashing}

func work(i, extra int) {
	for n := i; ; n++ {
		jobs[n%len(jobs)](n)
		if extra > 0 {
			planted(extra)
		}
		operations.Add(1)
	}
}

func used() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func main() {
	goroutines := flag.Int("goroutines", 32, "that work")
	idle := flag.Int("idle", 0, "goroutines that wait")
	labels := flag.Int("labels", 0, "of each goroutine")
	extra := flag.Int("extra", 0, "`rounds` of main.planted after each operation")
	address := flag.String("pprof", "", "`file` for the address of net/http/pprof")
	flag.Parse()
	if *address != "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		go http.Serve(l, nil)
		if err := os.WriteFile(*address, []byte(l.Addr().String()), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	var waiting sync.WaitGroup
	for i := 0; i < *idle; i++ {
		waiting.Add(1)
		go func() {
			waiting.Done()
			select {}
		}()
	}
	waiting.Wait()
	runtime.GC()
	for i := 0; i < *goroutines; i++ {
		var of []string
		for k := 0; k < *labels; k++ {
			of = append(of, "key"+strconv.Itoa(k), "value"+strconv.Itoa(i))
		}
		go func(i int) {
			pprof.Do(context.Background(), pprof.Labels(of...), func(context.Context) { work(i, *extra) })
		}(i)
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(operations.Load(), used())
	}
	select {}
}
