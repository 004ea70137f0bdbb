// SPDX-License-Identifier: BSD-2-Clause

// Plain is Go alone.
package main

import "ids/who"

func main() { who.Run() }
