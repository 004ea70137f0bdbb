// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.21
// +build go1.21

package dump

import (
	"runtime"
	_ "unsafe" // for linkname
)

// symbol is the name with its type arguments, which Frame.Function cuts.
//
//go:linkname symbol runtime/pprof.runtime_FrameSymbolName
func symbol(f *runtime.Frame) string
