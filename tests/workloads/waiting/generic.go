// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.18
// +build go1.18

package main

type pair[K comparable, V any] struct {
	k K
	c chan V
}

func (p *pair[K, V]) xGenericMethod() { <-p.c }

func xGeneric[T any](c chan T) { <-c }

func init() {
	more = append(more, func() {
		c := make(chan []string)
		go xGeneric(c)
		p := &pair[string, []string]{c: c}
		go p.xGenericMethod()
	})
}
