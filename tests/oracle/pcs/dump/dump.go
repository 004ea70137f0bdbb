// SPDX-License-Identifier: BSD-2-Clause

// Package dump prints what the Go runtime itself says about the addresses of its code: a
// line "version GOVERSION", for each module a line "module", then one line for each run of
// addresses with the same frames, "first last frames", tab-separated, each frame as
// "function|file|line|start line", innermost first, and finally a line "end". Go 1.13
// compiles it.
package dump

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// Main dumps the code of the module that each of the functions is in, every stride bytes.
// It stays until stdin ends, for those who inspect the process.
func Main(stride int, funcs ...interface{}) {
	if stride <= 0 {
		http.ListenAndServe("", nil) // a lot of code, and no more than that
	}
	Wrappers(stride)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	fmt.Fprintf(out, "version\t%s\n", runtime.Version())
	for _, f := range funcs {
		module(out, reflect.ValueOf(f).Pointer(), uintptr(stride))
	}
	fmt.Fprintf(out, "end\n")
	out.Flush()
	os.Stdin.Read(make([]byte, 1))
}

// Stride is the first argument of the program.
func Stride() int {
	stride, err := strconv.Atoi(os.Args[1])
	if err != nil || stride < 1 {
		panic("usage: STRIDE")
	}
	return stride
}

func entry(pc uintptr) uintptr {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Entry()
	}
	return 0
}

func module(out *bufio.Writer, pc, stride uintptr) {
	fmt.Fprintf(out, "module\n")
	first := entry(pc)
	for e := first; e != 0; e = entry(first - 1) {
		first = e
	}
	var run string
	var from, to uintptr
	end := func() {
		if run != "" {
			fmt.Fprintf(out, "%x\t%x%s\n", from, to, run)
		}
		run = ""
	}
	for pc := first; entry(pc) != 0; pc += stride {
		// the runtime takes a return address at the start of the next function for
		// that function
		if entry(pc+1) != entry(pc) {
			end()
			continue
		}
		if s := text(pc); s != run {
			end()
			from, run = pc, s
		}
		to = pc
	}
	end()
}

func text(pc uintptr) string {
	var b strings.Builder
	for _, f := range frames(pc) {
		fmt.Fprintf(&b, "\t%s|%s|%d|%d", f.name, f.file, f.line, f.start)
	}
	return b.String()
}

type frame struct {
	name, file  string
	line, start int // start is -1 if this runtime does not tell
}
