// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

type item struct {
	Name  string            `json:"name"`
	Price float64           `json:"price"`
	Count int               `json:"count"`
	Tags  map[string]string `json:"tags"`
}

type order struct {
	ID       int    `json:"id"`
	Customer string `json:"customer"`
	Items    []item `json:"items"`
}

func makeOrder(id int) *order {
	o := &order{ID: id, Customer: fmt.Sprintf("customer %d", id%97)}
	for i := 0; i < 20; i++ {
		o.Items = append(o.Items, item{
			Name: fmt.Sprintf("item %d", i), Price: float64(id%1000) / 7, Count: i,
			Tags: map[string]string{"colour": "green", "size": "large"},
		})
	}
	return o
}

func encoder() {
	for j := range encoding.jobs {
		text, err := json.Marshal(makeOrder(j.id))
		if err != nil {
			panic(err)
		}
		var back order
		if err := json.Unmarshal(text, &back); err != nil {
			panic(err)
		}
		j.result <- result{j.id, "encode", len(text)}
	}
}

func hasher() {
	block := bytes.Repeat([]byte("gostrobe"), 16<<10)
	for j := range hashing.jobs {
		block[j.id%len(block)]++
		sum := sha256.Sum256(block)
		j.result <- result{j.id, "hash", len(sum)}
	}
}

var request = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+) .*"(GET|POST) (/[a-z/]+)\?id=(\d+)" (\d{3})`)

func logText(id int) string {
	var b strings.Builder
	for i := 0; i < 60; i++ {
		fmt.Fprintf(&b, "10.0.%d.%d - - \"GET /shop/cart?id=%d\" %d\n", id%256, i, id*i, 200+i%4*100)
	}
	return b.String()
}

func matcher() {
	for j := range matching.jobs {
		hits := 0
		for _, line := range strings.Split(logText(j.id), "\n") {
			if m := request.FindStringSubmatch(line); m != nil && m[5] == "200" {
				hits++
			}
		}
		j.result <- result{j.id, "match", hits}
	}
}

func ranker() {
	for j := range ranking.jobs {
		scores := make([]struct {
			name  string
			score uint32
		}, 2000)
		x := uint32(j.id)*2654435761 + 1
		for i := range scores {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			scores[i].score = x
		}
		sort.Slice(scores, func(a, b int) bool { return scores[a].score > scores[b].score })
		j.result <- result{j.id, "rank", len(scores)}
	}
}

func compressor() {
	var out bytes.Buffer
	for j := range compressing.jobs {
		out.Reset()
		zip := gzip.NewWriter(&out)
		for i := 0; i < 4; i++ {
			if _, err := zip.Write([]byte(logText(j.id + i))); err != nil {
				panic(err)
			}
		}
		if err := zip.Close(); err != nil {
			panic(err)
		}
		j.result <- result{j.id, "compress", out.Len()}
	}
}
