// SPDX-License-Identifier: BSD-2-Clause

// Lib is Go in a program of C, ../host.c.
package main

import "C"

import "ids/who"

//export ids
func ids() { who.Run() }

func main() {}
