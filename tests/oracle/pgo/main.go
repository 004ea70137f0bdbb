// SPDX-License-Identifier: BSD-2-Clause

// Command pgo keeps the standard library busy through calls that profile-guided optimization
// inlines, and has the runtime profile that.
//
//	pgo FILE TIME
//
// It prints "ready PID", waits for a line on stdin, works for TIME, and prints "done" when
// the profile is written. It ends when stdin does.
package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type order struct {
	Customer string         `json:"customer"`
	Items    []string       `json:"items"`
	Prices   map[string]int `json:"prices"`
}

type heap[T any] struct {
	rows []T
	less func(a, b T) bool
}

// push is too big to be inlined where it is not hot.
func (h *heap[T]) push(v T) {
	h.rows = append(h.rows, v)
	for i := len(h.rows) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(h.rows[i], h.rows[up]) {
			break
		}
		h.rows[i], h.rows[up] = h.rows[up], h.rows[i]
		i = up
	}
	if len(h.rows) > 1000 {
		h.rows = h.rows[:500]
	}
}

// hash and mix are as well.
func mix(a, b uint64) uint64 {
	for i := 0; i < 3; i++ {
		a ^= b >> 7
		a *= 0x9e3779b97f4a7c15
		b ^= a << 9
		b += a>>13 ^ b<<3
		a += b ^ a>>31
	}
	if a > b {
		return a - b
	}
	return b ^ a<<1
}

func hash(s string) (h uint64) {
	for i := 0; i < len(s); i++ {
		h = mix(h, uint64(s[i])+h)
	}
	return h
}

type shape interface{ area(x uint64) uint64 }

type square struct{ side uint64 }

func (s *square) area(x uint64) uint64 {
	for i := uint64(0); i < x&3; i++ {
		s.side += mix(x, s.side)
	}
	return s.side * s.side
}

var word = regexp.MustCompile(`([a-z]+)-(\d+)`)

func orders(h *heap[uint64], shapes []shape) int {
	var out bytes.Buffer
	zip, _ := flate.NewWriter(&out, flate.BestSpeed)
	for i := 0; i < 20; i++ {
		o := order{fmt.Sprint("customer-", i), nil, map[string]int{}}
		for k := 0; k < 20; k++ {
			item := fmt.Sprintf("item-%d", i*k%17)
			o.Items = append(o.Items, item)
			o.Prices[item] = int(hash(item) % 1000)
			h.push(hash(o.Customer) ^ shapes[k%len(shapes)].area(uint64(k)))
		}
		sort.Slice(o.Items, func(a, b int) bool { return o.Items[a] < o.Items[b] })
		text, _ := json.Marshal(o)
		var back order
		json.Unmarshal(text, &back)
		zip.Write(text)
		io.WriteString(zip, word.ReplaceAllString(strings.Join(back.Items, " "), "$2:$1"))
	}
	zip.Close()
	return out.Len()
}

func main() {
	length, err := time.ParseDuration(os.Args[2])
	if err != nil {
		panic(err)
	}
	stdin := bufio.NewReader(os.Stdin)
	fmt.Println("ready", os.Getpid())
	stdin.ReadString('\n')
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	runtime.SetCPUProfileRate(500) // StartCPUProfile complains, but keeps the rate
	pprof.StartCPUProfile(file)
	var stop atomic.Bool
	var all sync.WaitGroup
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			h := &heap[uint64]{less: func(a, b uint64) bool { return a < b }}
			shapes := []shape{&square{1}, &square{2}}
			for !stop.Load() {
				orders(h, shapes)
			}
		}()
	}
	time.Sleep(length)
	stop.Store(true)
	all.Wait()
	pprof.StopCPUProfile()
	fmt.Println("done")
	io.Copy(io.Discard, stdin)
}
