// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.15
// +build go1.15

package dump

import (
	"runtime"
	_ "runtime/pprof" // declares expand
	_ "unsafe"        // for linkname
)

//go:linkname expand runtime/pprof.runtime_expandFinalInlineFrame
func expand(stk []uintptr) []uintptr

// frames is what a profile would show for pc as the last of a stack.
func frames(pc uintptr) []frame {
	var all []frame
	for _, ret := range expand([]uintptr{pc + 1}) {
		f, _ := runtime.CallersFrames([]uintptr{ret}).Next()
		all = append(all, frame{symbol(&f), f.File, f.Line, startLine(&f)})
	}
	return all
}
