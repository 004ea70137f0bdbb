// SPDX-License-Identifier: BSD-2-Clause

// Command grown has a dozen functions in six kinds of goroutines, which work and sleep, and
// one function that can be made to take more: for comparing two recordings. It prints
// "ready", and runs until it is killed.
package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"time"
)

var (
	extra = flag.Float64("extra", 0, "more work of main.planted: `times` of what main.mix does")
	text  = strings.Repeat("the quick brown fox jumps over the lazy dog 0123456789 ", 40)
	words = regexp.MustCompile(`(fox|dog)[a-z ]*([0-9]+)`)
	sink  = make([]uint64, 64)
)

//go:noinline
func spin(n int, x uint64) uint64 {
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

//go:noinline
func mix(n int) { sink[0] = spin(n, sink[0]) }

//go:noinline
func planted(n int) {
	x := sink[1]
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	sink[1] = x
}

func hash()     { s := sha256.Sum256([]byte(text)); sink[2] += uint64(s[0]) }
func checksum() { sink[3] += uint64(crc32.ChecksumIEEE([]byte(text))) }
func match()    { sink[4] += uint64(len(words.FindAllString(text[:600], -1))) }
func split()    { sink[5] += uint64(len(strings.Fields(text))) }

func order() {
	v := rand.Perm(900)
	sort.Ints(v)
	sink[6] += uint64(v[0])
}

func count() {
	m := map[string]int{}
	for _, w := range strings.Fields(text) {
		m[w]++
	}
	sink[7] += uint64(len(m))
}

func encode() {
	b, _ := json.Marshal(map[string]interface{}{"text": text[:500], "numbers": []int{1, 2, 3}})
	sink[8] += uint64(len(b))
}

func decode() {
	var v map[string]interface{}
	_ = json.Unmarshal([]byte(`{"a":[1,2,3,4],"b":{"c":"d","e":null},"f":1.5}`), &v)
	sink[9] += uint64(len(v))
}

func compress() {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	sink[10] += uint64(b.Len())
}

func format() { sink[11] += uint64(len(fmt.Sprintf("%d %s %v", 42, text[:200], sink[:4]))) }

// repeat works and sleeps for a time that is no multiple of anybody's clock.
func repeat(n int, work ...func()) {
	r := rand.New(rand.NewSource(time.Now().UnixNano()))
	for {
		for _, w := range work {
			for i := 0; i < n; i++ {
				w()
			}
		}
		time.Sleep(time.Duration(2+r.ExpFloat64()*5) * time.Millisecond)
	}
}

func hasher()     { repeat(60, hash, checksum) }
func searcher()   { repeat(8, match, split) }
func sorter()     { repeat(6, order, count) }
func encoder()    { repeat(20, encode, decode) }
func compressor() { repeat(8, compress, format) }
func mixer() {
	repeat(1, func() { mix(500000) }, func() { planted(int(500000 * *extra)) })
}

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(2)
	for _, start := range []func(){hasher, searcher, searcher, sorter, encoder, encoder, compressor, mixer} {
		go start()
	}
	fmt.Println("ready")
	select {}
}
