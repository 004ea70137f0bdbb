// SPDX-License-Identifier: BSD-2-Clause

// Lib is Go in a C program, as a shared library or an archive (../host.c).
package main

import "C"

import "pcs/dump"

//export pcs
func pcs(stride C.int) { dump.Main(int(stride), dump.Main) }

func main() {}
