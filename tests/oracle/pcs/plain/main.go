// SPDX-License-Identifier: BSD-2-Clause

// Plain dumps its own code.
package main

import "pcs/dump"

func main() { dump.Main(dump.Stride(), dump.Main) }
