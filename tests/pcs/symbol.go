// SPDX-License-Identifier: BSD-2-Clause

//go:build go1.21

package main

import (
	"runtime"
	_ "unsafe" // for linkname
)

//go:linkname symbolName runtime/pprof.runtime_FrameSymbolName
func symbolName(f *runtime.Frame) string

//go:linkname startLine runtime/pprof.runtime_FrameStartLine
func startLine(f *runtime.Frame) int

// symbol is the name with its type arguments, which Frame.Function cuts, and the first line.
func symbol(f *runtime.Frame) (string, int) { return symbolName(f), startLine(f) }
