// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.25

package main

import "sync"

//go:noinline
func inGroup() { burn(8) }

func startGroup() {
	var wg sync.WaitGroup
	wg.Go(inGroup)
	names = append(names, "main.inGroup")
}
