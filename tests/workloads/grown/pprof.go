// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() {
	flag.Func("pprof", "serve /debug/pprof/, and write its address to `file`", func(file string) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go func() { log.Fatal(http.Serve(l, nil)) }()
		return os.WriteFile(file, []byte(l.Addr().String()), 0o644)
	})
}
