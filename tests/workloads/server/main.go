// SPDX-License-Identifier: BSD-2-Clause

// Command server answers HTTP requests, each on a connection, and so a goroutine, of its
// own: /search, /render and /digest, under the pprof labels handler and tenant. It prints
// the address that it listens on. "server -load ADDRESS" sends requests to another one until
// it is killed.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync"
)

// Index is what /search looks through.
type Index struct {
	lock sync.Mutex
	docs []string
}

func newIndex() *Index {
	x := &Index{}
	for i := 0; i < 400; i++ {
		x.docs = append(x.docs, fmt.Sprintf("%d %s", i, strings.Repeat("ab ", i%40)+"x"))
	}
	return x
}

// Find returns the number of documents that match.
func (x *Index) Find(query string) int {
	re := regexp.MustCompile(query)
	n := 0
	for _, doc := range x.docs {
		if re.MatchString(doc) {
			n++
		}
	}
	return n
}

type row struct {
	Name  string
	Words []string
}

func (x *Index) render(w io.Writer) {
	var rows []row
	for _, doc := range x.docs[:60] {
		rows = append(rows, row{doc, strings.Fields(doc)})
	}
	json.NewEncoder(w).Encode(rows)
}

func (x *Index) digest() [32]byte {
	var sum [32]byte
	for _, doc := range x.docs {
		sum = sha256.Sum256(append(sum[:], doc...))
	}
	return sum
}

func labelled(name string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		labels := pprof.Labels("handler", name, "tenant", r.URL.Query().Get("tenant"))
		pprof.Do(r.Context(), labels, func(context.Context) { h(w, r) })
	}
}

func serve(l net.Listener) error {
	x := newIndex()
	mux := http.DefaultServeMux
	mux.HandleFunc("/search", labelled("search", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, x.Find(`(a|b)+ (ab )*(x|y)$`))
	}))
	mux.HandleFunc("/render", labelled("render", func(w http.ResponseWriter, r *http.Request) {
		x.render(w)
	}))
	mux.HandleFunc("/digest", labelled("digest", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%x\n", x.digest())
	}))
	return http.Serve(l, mux)
}

func load(address string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	paths := []string{"/search", "/render", "/digest", "/search"}
	for i := 0; ; i++ {
		url := fmt.Sprintf("http://%s%s?tenant=t%d", address, paths[i%4], i%7)
		r, err := client.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
}

func main() {
	address := flag.String("load", "", "send requests to this address")
	flag.Parse()
	if *address != "" {
		for i := 0; i < 3; i++ {
			go load(*address)
		}
		load(*address)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr())
	log.Fatal(serve(l))
}
