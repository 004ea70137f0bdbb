// SPDX-License-Identifier: BSD-2-Clause

// Pcs prints what the Go runtime itself says of the addresses of its code, every STRIDE
// bytes: one line for each run of addresses with the same frames, "first last frames",
// tab-separated, each frame as "function|file|line|start line", innermost first. It stays
// until stdin ends, for who looks at it meanwhile.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	_ "runtime/pprof"
	"strconv"
	"strings"
	_ "unsafe" // for linkname
)

//go:linkname expand runtime/pprof.runtime_expandFinalInlineFrame
func expand(stk []uintptr) []uintptr

type number interface{ ~int | ~float64 }

type pair[K comparable, V number] struct {
	key K
	val V
}

func (p *pair[K, V]) add(v V) V { p.val += twice(v); return p.val }

func twice[V number](v V) V { return v + v }

type adder interface{ add(int) int }

type embeds struct{ *pair[string, int] }

// frames is what a profile would show for pc as the last of a stack.
func frames(pc uintptr) string {
	var b strings.Builder
	for _, ret := range expand([]uintptr{pc + 1}) {
		f, _ := runtime.CallersFrames([]uintptr{ret}).Next()
		name, start := symbol(&f)
		fmt.Fprintf(&b, "\t%s|%s|%d|%d", name, f.File, f.Line, start)
	}
	return b.String()
}

func entry(pc uintptr) uintptr {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Entry()
	}
	return 0
}

func main() {
	stride := 1
	if len(os.Args) > 1 {
		stride, _ = strconv.Atoi(os.Args[1])
	}
	if stride <= 0 {
		http.ListenAndServe(os.Args[1], nil) // a lot of code, and no more than that
	}
	var a adder = embeds{&pair[string, int]{}}
	done := make(chan int)
	go func() { done <- a.add(stride) }()
	<-done
	go twice(2.5)

	first := entry(reflect.ValueOf(main).Pointer())
	for e := first; e != 0; e = entry(first - 1) {
		first = e
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	var run string
	var from, to uintptr
	end := func() {
		if run != "" {
			fmt.Fprintf(out, "%x\t%x%s\n", from, to, run)
		}
		run = ""
	}
	for pc := first; entry(pc) != 0; pc += uintptr(stride) {
		// The runtime takes a return address that begins the next function for that one.
		if entry(pc+1) != entry(pc) {
			end()
			continue
		}
		if s := frames(pc); s != run {
			end()
			from, run = pc, s
		}
		to = pc
	}
	end()
	fmt.Fprintf(out, "end\t%s\n", runtime.Version())
	out.Flush()
	os.Stdin.Read(make([]byte, 1))
}
