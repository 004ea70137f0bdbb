// SPDX-License-Identifier: BSD-2-Clause

package main

import _ "net/http/pprof" // serves /debug/pprof/
