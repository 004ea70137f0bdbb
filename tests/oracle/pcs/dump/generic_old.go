// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.18
// +build !go1.18

package dump

type sum struct{ val int }

func (s *sum) add(v int) int { s.val += v; return s.val }

type adder interface{ add(int) int }

type embeds struct{ *sum }

// Wrappers runs what the compiler generates around methods and go statements.
func Wrappers(n int) {
	var a adder = embeds{&sum{}}
	done := make(chan int)
	go func() { done <- a.add(n) }()
	<-done
}
