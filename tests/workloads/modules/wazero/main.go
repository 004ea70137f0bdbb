// SPDX-License-Identifier: BSD-2-Clause

// Command wazero runs WebAssembly, which wazero compiles, and which calls Go.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

/*
(module

	(import "env" "tick" (func $tick))
	(func $fib (export "fib") (param i32) (result i32)
	  (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
	    (then (local.get 0))
	    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
	(func (export "run") (param i32) (result i32) (call $tick) (call $fib (local.get 0))))
*/
var wasm = []byte{
	0, 97, 115, 109, 1, 0, 0, 0, 1, 9, 2, 96, 0, 0, 96, 1, 127, 1, 127, 2,
	12, 1, 3, 101, 110, 118, 4, 116, 105, 99, 107, 0, 0, 3, 3, 2, 1, 1, 7, 13,
	2, 3, 102, 105, 98, 0, 1, 3, 114, 117, 110, 0, 2, 10, 39, 2, 28, 0, 32, 0,
	65, 2, 73, 4, 127, 32, 0, 5, 32, 0, 65, 1, 107, 16, 1, 32, 0, 65, 2, 107,
	16, 1, 106, 11, 11, 8, 0, 16, 0, 32, 0, 16, 1, 11,
}

var sink int

//go:noinline
func tick() {
	for i := 0; i < 1000000; i++ {
		sink += i
	}
}

//go:noinline
func work(ctx context.Context, f api.Function) {
	for {
		if _, err := f.Call(ctx, 27); err != nil {
			panic(err)
		}
	}
}

func main() {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	_, err := r.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(tick).Export("tick").Instantiate(ctx)
	if err != nil {
		panic(err)
	}
	m, err := r.Instantiate(ctx, wasm)
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	for i := 0; i < 2; i++ {
		go work(ctx, m.ExportedFunction("run"))
	}
	time.Sleep(time.Hour)
}
