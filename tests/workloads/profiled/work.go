// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"sort"
	"strings"
	"sync"
	"syscall"
	"text/template"
	"time"
)

type item struct {
	Name  string
	Price float64
	Tags  []string
	Sub   map[string]int
}

var (
	item1 = item{"a thing", 12.5, []string{"red", "green", "blue"}, map[string]int{"x": 1, "y": 2, "z": 3}}
	text  = strings.Repeat("the quick brown fox 12345 jumps over the lazy dog; ", 40)
	re    = regexp.MustCompile(`([a-z]+) (\d+) ([a-z]+)`)
	tmpl  = template.Must(template.New("t").Parse(`{{range .Tags}}{{.}} {{end}}{{.Name | printf "%q"}} {{len .Sub}}`))
	block = make([]byte, 8192)
)

type byLength []string

func (b byLength) Len() int { return len(b) }
func (b byLength) Less(i, j int) bool {
	return len(b[i]) < len(b[j]) || len(b[i]) == len(b[j]) && b[i] < b[j]
}
func (b byLength) Swap(i, j int) { b[i], b[j] = b[j], b[i] }

func ordinary() {
	data, _ := json.Marshal(&item1)
	var back item
	json.Unmarshal(data, &back)
	re.FindAllStringSubmatch(text, -1)
	words := strings.Fields(text)
	sort.Strings(words)
	sort.Sort(byLength(words))
	tmpl.Execute(io.Discard, &back)
}

func assembly() {
	mine := make([]byte, len(block))
	for i := 0; i < 20; i++ {
		sha256.Sum256(block)
		for k := 0; k < 200; k++ {
			time.Since(time.Now())
		}
		for k := 0; k < 20; k++ {
			bytes.IndexByte(block, 1)
			bytes.Equal(block, mine)
			bytes.Count(mine, []byte{1})
			copy(mine, block)
		}
	}
}

type node struct {
	next *node
	data [6]*int
}

var kept sync.Map

func garbage() {
	var list *node
	table := make(map[int]*node)
	for i := 0; i < 20000; i++ {
		list = &node{next: list}
		list.data[i%6] = new(int)
		if i%8 == 0 {
			table[i] = list
		}
	}
	kept.Store(len(text), list)
}

func channels() {
	var lock sync.Mutex
	var done sync.WaitGroup
	sum, c := 0, make(chan int)
	for i := 0; i < 4; i++ {
		done.Add(1)
		go func() {
			for v := range c {
				lock.Lock()
				sum += v
				lock.Unlock()
			}
			done.Done()
		}()
	}
	for i := 0; i < 2000; i++ {
		select {
		case c <- i:
		case <-time.After(time.Second):
		}
	}
	close(c)
	done.Wait()
}

func syscalls() {
	zero, _ := os.Open("/dev/zero")
	null, _ := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	buffer := make([]byte, 4096)
	for i := 0; i < 200; i++ {
		zero.Read(buffer)
		null.Write(buffer)
		syscall.Getppid()
		os.Stat("/proc/self/exe")
	}
	zero.Close()
	null.Close()
}

type visitor interface{ visit(n int) int }

type one struct{ next visitor }
type two struct{ one } // its visit is a wrapper

func (o one) visit(n int) int {
	if n == 0 {
		return bottom()
	}
	return middle(o, n) + 1
}

func middle(o one, n int) int { return o.next.visit(n-1) * 3 } // inlined

//go:noinline
func bottom() int {
	sum := 0
	for i := 0; i < 20000; i++ {
		sum += i ^ sum<<3
	}
	return sum
}

func deep() {
	var a, b one
	a.next, b.next = &two{b}, &a
	b.next = &two{one{&a}}
	a.next = &b
	for depth := 1; depth < 200; depth += 7 {
		a.visit(depth)
	}
}
