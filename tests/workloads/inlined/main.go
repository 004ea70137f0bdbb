// SPDX-License-Identifier: BSD-2-Clause

// Command inlined calls small functions, which the compiler inlines, a known number of
// times. It waits for a line on stdin, makes the calls, prints "FUNCTION CALLS" for each
// function and "done", and waits until stdin ends. Which of them are inlined, and how, depends
// on the version of Go.
package main

import (
	"bufio"
	"fmt"
	"os"
)

var sink int

//go:noinline
func use(n int) { sink += n }

func straight(n int) int { return n*n + 7 }

func looping(n int) int {
	s := 0
	for i := 0; i < 5; i++ {
		s += n ^ i
	}
	return s
}

// ranging begins with its loop, and with constants that its callers have too.
func ranging(p []int) int {
	s := 0
	for _, v := range p {
		s += v
	}
	return s
}

// halving begins with the condition of its loop.
func halving(n int) int {
	for n > 1 {
		n /= 2
		sink++
	}
	return n
}

func branching(n int) int {
	if n&1 == 0 {
		return n / 3
	}
	return n * 5
}

func small(n int) bool { return n*3 < 300 }

func large(n int) bool {
	sink++
	return n > 50
}

func inner(n int) int {
	use(n)
	return n + 1
}

func outer(n int) int { return inner(n) * 2 }

func twice(n int) int { return n ^ 0x55 }

func calling(n int) int {
	use(n)
	return n
}

type pair struct{ a, b int }

func (p *pair) at(i int) int { return p.a + p.b*i }

//go:noinline
func forLine(n int) {
	for i := 0; i < n; i++ {
		sink += straight(i)
	}
}

//go:noinline
func condition() (k int) {
	for i := 0; small(i); i++ {
		k++
	}
	return
}

//go:noinline
func shortCircuit(n int) (k int) {
	for i := 0; i < n; i++ {
		if i > 90 || large(i) {
			k++
		}
	}
	return
}

//go:noinline
func loops(p []int, n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s += ranging(p)
	}
	for i := 0; i < n; i++ {
		s += looping(i)
	}
	for i := 0; i < n; i++ {
		s += halving(i)
	}
	return s
}

//go:noinline
func others(p *pair, n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s += branching(i)
		s += outer(i)
		s += twice(i) + twice(s)
		s += p.at(i)
		calling(i)
	}
	return s
}

// The first instructions of these are in an inlined body.

//go:noinline
func first(n int) int { return looping(n) }

//go:noinline
func firstRange(p []int) int { return ranging(p) }

func main() {
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	in.ReadString('\n')
	forLine(100)
	k := condition()
	sink += shortCircuit(100) + loops([]int{1, 2, 3}, 100) + others(&pair{1, 2}, 100)
	for i := 0; i < 100; i++ {
		sink += first(i) + firstRange([]int{i, i, i, i})
	}
	for _, f := range []struct {
		name  string
		calls int
	}{
		{"straight", 100}, {"looping", 200}, {"ranging", 200}, {"halving", 100}, {"branching", 100}, {"small", k + 1}, {"large", 91},
		{"inner", 100}, {"outer", 100}, {"twice", 200}, {"calling", 100}, {"(*pair).at", 100},
	} {
		fmt.Printf("main.%s %d\n", f.name, f.calls)
	}
	fmt.Println("done")
	in.ReadString('\n')
}
