// SPDX-License-Identifier: BSD-2-Clause

//go:build cgo

package main

/*
#cgo CFLAGS: -O2 -g0 -fomit-frame-pointer
#cgo LDFLAGS: -lpthread
void handle(int on_stack);
void arm(void);
void c_spin(void);
void c_clock(void);
void c_thread(int on_stack);
*/
import "C"

import (
	"os"
	"sync"
)

var once sync.Once

func cSpin(arm func()) {
	for arm(); ; {
		C.c_spin()
	}
}

func cClock(arm func()) {
	for arm(); ; {
		C.c_clock()
	}
}

func init() {
	if os.Args[1] == "go" {
		return
	}
	victims = append(victims, cSpin, cClock)
	arm = func(mode string) {
		on := C.int(0)
		if mode == "on" {
			on = 1
		}
		once.Do(func() {
			C.handle(on)
			C.c_thread(on)
		})
		C.arm()
	}
}
