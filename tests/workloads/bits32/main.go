// SPDX-License-Identifier: BSD-2-Clause

// Command bits32 can be built for 32 bits. It prints that it is ready and burns CPU time
// until it is killed, or for as many steps as its argument says.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	steps := uint64(1) << 63
	if len(os.Args) > 1 {
		steps, _ = strconv.ParseUint(os.Args[1], 10, 64)
	}
	fmt.Println("ready")
	sum := uint64(0)
	for i := uint64(0); i < steps; i++ {
		sum += sum ^ i
	}
	fmt.Println(sum)
}
