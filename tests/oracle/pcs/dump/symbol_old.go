// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.21
// +build !go1.21

package dump

import "runtime"

func symbol(f *runtime.Frame) string { return f.Function }
