// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.21

package main

import "runtime"

func symbol(f *runtime.Frame) (string, int) { return f.Function, -1 }
