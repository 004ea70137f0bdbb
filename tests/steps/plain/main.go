// SPDX-License-Identifier: BSD-2-Clause

// Plain is Go alone.
package main

import "steps/work"

func main() { work.Main() }
