// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.18
// +build go1.18

package dump

type number interface{ ~int | ~float64 }

type pair[K comparable, V number] struct {
	key K
	val V
}

func (p *pair[K, V]) add(v V) V { p.val += twice(v); return p.val }

func twice[V number](v V) V { return v + v }

type adder interface{ add(int) int }

type embeds struct{ *pair[string, int] }

// Wrappers runs generic code, and what the compiler generates around methods and go
// statements.
func Wrappers(n int) {
	var a adder = embeds{&pair[string, int]{}}
	done := make(chan int)
	go func() { done <- a.add(n) }()
	<-done
	go twice(2.5)
}
