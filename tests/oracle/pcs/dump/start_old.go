// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.20
// +build !go1.20

package dump

import "runtime"

func startLine(f *runtime.Frame) int { return -1 }
