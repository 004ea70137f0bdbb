// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.23
// +build go1.23

package load

import "iter"

func init() { More = append(More, coroutines) }

func numbers(yield func(int) bool) {
	for i := 0; yield(leaf(i)); i++ {
	}
}

func coroutines() {
	next, stop := iter.Pull(numbers)
	for i := 0; i < 3; i++ {
		n, _ := next()
		sink += n
	}
	stop()
}
