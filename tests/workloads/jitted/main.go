// SPDX-License-Identifier: BSD-2-Clause

// Command jitted generates machine code at run time, in memory of its own, and registers it
// with the runtime, as compilers of JSON encoders do: by a moduledata that it links after
// the program's.
//
//	jitted [-again] [-silent] [-enter]
//
// When it gets a line on stdin it makes jit.outer, which calls jit.inner and main.leaf, and
// calls it from main.first. -silent: it does not register it. -again: after another line it
// removes the code, puts other functions into the same memory, jit.second with the same
// callees, and calls it from main.second; a third line makes it overwrite them without
// telling the runtime, and call from main.third. -enter: unregistered code runs on a stack
// of its own, which assembly enters for main.first.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"
)

//go:linkname lastmoduledatap runtime.lastmoduledatap
var lastmoduledatap *[74]uintptr

func enter(preamble, function, context, module, args, stack uintptr)

var sink int

//go:noinline
//go:nosplit
func leaf() {
	for i := 0; i < 20000; i++ {
		sink += i
	}
}

// A function: its code, and where in it SP has moved.
type function struct {
	name string
	code []byte
	pcsp []byte
}

// outer saves the frame pointer, and calls what is at the addresses.
func outer(name string, callees ...uintptr) function {
	code := []byte{0x55, 0x48, 0x89, 0xe5} // push %rbp; mov %rsp,%rbp
	for _, callee := range callees {
		movabs := [10]byte{0x48, 0xb8} // $callee,%rax
		binary.LittleEndian.PutUint64(movabs[2:], uint64(callee))
		code = append(append(code, movabs[:]...), 0xff, 0xd0) // call *%rax
	}
	code = append(code, 0x5d, 0xc3) // pop %rbp; ret
	n := byte(len(code))
	return function{name, code, []byte{2, 1, 16, n - 2, 15, 1, 0}} // 0, then 8, then 0
}

// inner counts down, without a frame.
func inner(name string) function {
	code := []byte{0xb8, 0x80, 0x38, 1, 0, 0xff, 0xc8, 0x75, 0xfc, 0xc3} // mov $80000,%eax; 1: dec %eax; jnz 1b; ret
	return function{name, code, []byte{2, byte(len(code)), 0}}
}

// onItsOwn keeps SP in the context, counts down on another stack, and comes back.
var onItsOwn = []byte{
	0x48, 0x89, 0x60, 0x18,
	0x48, 0x89, 0xc2, // mov %rax,%rdx
	0x4c, 0x89, 0xec, // mov %r13,%rsp
	0xb8, 0x80, 0x38, 1, 0, // mov $80000,%eax
	0xff, 0xc8, 0x75, 0xfc, // 1: dec %eax; jnz 1b
	0x48, 0x8b, 0x62, 0x18, // mov 24(%rdx),%rsp
	0xc3, // ret
}

// minor is 22 for Go 1.22.
func minor() (n int) {
	fmt.Sscanf(runtime.Version()[strings.Index(runtime.Version(), "go1.")+4:], "%d", &n)
	return
}

func words() (gofunc, next int) {
	switch n := minor(); {
	case n < 18:
		return 0, 0
	case n < 20:
		return 38, 68
	case n == 20:
		return 40, 70
	case n == 22 || n == 21 || n == 26:
		return 40, 73
	case n < 26:
		return 40, 72
	}
	return 43, 70
}

// Nothing of a module is moved or collected.
var kept [][]byte

func keep(b []byte) (addr, n uintptr) {
	kept = append(kept, b)
	return uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))
}

const memory = 4096

func mapping() []byte {
	m, err := syscall.Mmap(-1, 0, memory, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	return m
}

func fill(m []byte, functions []function) {
	if err := syscall.Mprotect(m, syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
		panic(err)
	}
	at := 0
	for _, f := range functions {
		at += copy(m[at:], f.code)
	}
	if err := syscall.Mprotect(m, syscall.PROT_READ|syscall.PROT_EXEC); err != nil {
		panic(err)
	}
}

// module makes a moduledata for the functions, which follow each other in m.
func module(m []byte, functions []function) *[74]uintptr {
	fixed, magic := 44, uint32(0xfffffff1)
	if minor() < 20 {
		fixed, magic = 40, 0xfffffff0
	}
	u32 := binary.LittleEndian.PutUint32
	n := len(functions)
	names, pctab := []byte{0}, []byte{0}
	functab, funcs := make([]byte, 8*(n+1)), make([]byte, 8*(n+1)+n*fixed)
	at := 0
	for i, f := range functions {
		off := 8*(n+1) + i*fixed
		u32(functab[8*i:], uint32(at))
		u32(functab[8*i+4:], uint32(off))
		u32(funcs[off:], uint32(at))
		u32(funcs[off+4:], uint32(len(names)))
		u32(funcs[off+16:], uint32(len(pctab)))
		names = append(append(names, f.name...), 0)
		pctab = append(pctab, f.pcsp...)
		at += len(f.code)
	}
	u32(functab[8*n:], uint32(at))
	// such compilers leave the offsets of regions in the header unset
	header := make([]byte, 72)
	u32(header, magic)
	header[6], header[7] = 1, 8
	u32(header[8:], uint32(n))
	md := new([74]uintptr)
	text := uintptr(unsafe.Pointer(&m[0]))
	if minor() < 26 {
		binary.LittleEndian.PutUint64(header[24:], uint64(text))
	}
	md[0], _ = keep(header)
	for i, region := range [][]byte{names, {0, 0, 0, 0}, {0}, pctab, funcs, functab} {
		addr, n := keep(region)
		switch i {
		case 1:
			n /= 4
		case 5:
			n /= 8
		}
		md[1+3*i], md[2+3*i], md[3+3*i] = addr, n, n
	}
	buckets, _ := keep(make([]byte, 20)) // findfunctab: starts at the first function
	md[19], md[20], md[21], md[22], md[23] = buckets, text, text+uintptr(at), text, text+memory
	gofunc, _ := words()
	md[gofunc] = md[0]
	return md
}

// link puts md, or nothing, after the program's own module.
func link(md *[74]uintptr, after *[74]uintptr) {
	_, next := words()
	if md != nil {
		kept = append(kept, (*[8 * 74]byte)(unsafe.Pointer(md))[:])
		lastmoduledatap = md
	} else {
		lastmoduledatap = after
	}
	after[next] = uintptr(unsafe.Pointer(md))
}

func callable(m []byte, at int) func() {
	p := new(uintptr)
	*p = uintptr(unsafe.Pointer(&m[at]))
	return *(*func())(unsafe.Pointer(&p))
}

//go:noinline
func first(f func()) { f(); sink++ }

//go:noinline
func second(f func()) { f(); sink++ }

//go:noinline
func third(f func()) { f(); sink++ }

func run(by func(func()), f func(), lines <-chan bool) {
	for {
		select {
		case <-lines:
			return
		default:
			by(f)
		}
	}
}

func main() {
	again := flag.Bool("again", false, "")
	silent := flag.Bool("silent", false, "")
	own := flag.Bool("enter", false, "")
	flag.Parse()
	if _, next := words(); next == 0 {
		fmt.Println("too old")
		return
	}
	lines := make(chan bool)
	go func() {
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			lines <- true
		}
		os.Exit(0)
	}()
	debug.SetGCPercent(-1) // it would look for pointers in frames of which we say nothing
	last := lastmoduledatap
	m := mapping()
	at := uintptr(unsafe.Pointer(&m[0]))
	leafAt := reflect.ValueOf(leaf).Pointer()
	in := inner("jit.inner")
	make := func(name string) []function {
		return []function{in, outer(name, at, leafAt)}
	}
	f := callable(m, len(in.code))
	fmt.Println("ready")
	<-lines
	if *own {
		var context [4]uintptr
		stack := mapping()
		fill(m, []function{{"", onItsOwn, nil}})
		fmt.Println("first")
		run(first, func() {
			enter(at, at, uintptr(unsafe.Pointer(&context)), 0, 0, uintptr(unsafe.Pointer(&stack[memory-64])))
		}, lines)
		return
	}
	fill(m, make("jit.outer"))
	if !*silent {
		link(module(m, make("jit.outer")), last)
	}
	fmt.Println("first")
	run(first, f, lines)
	if !*again {
		return
	}
	link(nil, last)
	// longer by a nop, so that every address has different code
	in.code = append([]byte{0x90}, in.code...)
	in.pcsp[1]++
	in.name = "jit.deep"
	f = callable(m, len(in.code))
	fill(m, make("jit.second"))
	link(module(m, make("jit.second")), last)
	fmt.Println("second")
	run(second, f, lines)
	in.code = append([]byte{0x90}, in.code...)
	f = callable(m, len(in.code))
	fill(m, make(""))
	fmt.Println("third")
	run(third, f, lines)
}
