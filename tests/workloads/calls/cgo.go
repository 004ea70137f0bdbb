// SPDX-License-Identifier: BSD-2-Clause

package main

// With cgo the program is linked by the C compiler.

import "C"
