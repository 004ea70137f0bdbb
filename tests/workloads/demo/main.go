// SPDX-License-Identifier: BSD-2-Clause

// Command demo is a small job server: a dispatcher hands jobs of five kinds to pools of
// goroutines and collects their results, for as long as it runs. "make demo" profiles it.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"time"
)

type job struct {
	id     int
	result chan<- result
}

type result struct {
	id   int
	kind string
	size int
}

// pool is n goroutines that take jobs of one kind.
type pool struct {
	kind string
	n    int
	loop func()
	jobs chan job
}

var (
	encoding    = &pool{kind: "encode", n: 3, jobs: make(chan job)}
	hashing     = &pool{kind: "hash", n: 2, jobs: make(chan job)}
	matching    = &pool{kind: "match", n: 2, jobs: make(chan job)}
	ranking     = &pool{kind: "rank", n: 2, jobs: make(chan job)}
	compressing = &pool{kind: "compress", n: 1, jobs: make(chan job)}
	pools       = []*pool{encoding, hashing, matching, ranking, compressing}
)

func main() {
	duration := flag.Duration("d", 0, "end after this `time`; 0: never")
	flag.Parse()
	encoding.loop, hashing.loop, matching.loop = encoder, hasher, matcher
	ranking.loop, compressing.loop = ranker, compressor
	goroutines := 1
	for _, p := range pools {
		for i := 0; i < p.n; i++ {
			go p.loop()
		}
		goroutines += p.n
	}
	fmt.Println("demo: pid", os.Getpid(), "with", goroutines, "goroutines")
	jobs := dispatch(*duration)
	fmt.Println("demo:", jobs, "jobs")
}

// dispatch keeps as many jobs under way as there are goroutines; some kinds are more
// frequent than others.
func dispatch(d time.Duration) (finished int) {
	var end <-chan time.Time
	if d > 0 {
		end = time.After(d)
	}
	results := make(chan result, 16)
	random := rand.New(rand.NewSource(1))
	statistics := make(map[string]int)
	next := job{id: 1, result: results}
	for {
		p := pools[random.Intn(len(pools))]
		for sent := false; !sent; {
			select {
			case p.jobs <- next:
				next.id++
				sent = true
			case r := <-results:
				statistics[r.kind] += r.size
				finished++
			case <-end:
				return finished
			}
		}
	}
}
