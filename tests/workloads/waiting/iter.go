// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.23
// +build go1.23

package main

import "iter"

func init() {
	more = append(more, func() {
		next, _ := iter.Pull(func(yield func(int) bool) {
			for yield(1) {
			}
		})
		next()
		go xNext(next)
	})
}

func xNext(next func() (int, bool)) {
	next()
	<-parked
}
