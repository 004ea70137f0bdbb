// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.20
// +build go1.20

package dump

import (
	"runtime"
	_ "unsafe" // for linkname
)

//go:linkname startLine runtime/pprof.runtime_FrameStartLine
func startLine(f *runtime.Frame) int
