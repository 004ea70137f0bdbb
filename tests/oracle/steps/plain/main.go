// SPDX-License-Identifier: BSD-2-Clause

// Plain is Go alone.
package main

import "steps/load"

func main() { load.Main() }
