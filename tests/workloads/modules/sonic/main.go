// SPDX-License-Identifier: BSD-2-Clause

// Command sonic writes and reads JSON with code that sonic generates at run time.
package main

import (
	"fmt"
	"time"

	"github.com/bytedance/sonic"
)

// Item has fields of several kinds.
type Item struct {
	Name string
	Tags []string
	M    map[string]int
	F    []float64
	Sub  []Item
}

func mk(d int) Item {
	it := Item{Name: "x", Tags: []string{"a", "b\n"}, M: map[string]int{"x": 1}, F: []float64{1.5, 3.1415}}
	for i := 0; d > 0 && i < 4; i++ {
		it.Sub = append(it.Sub, mk(d-1))
	}
	return it
}

var sink int

func workEnc() {
	for it := mk(4); ; {
		b, _ := sonic.Marshal(it)
		sink += len(b)
	}
}

func workDec() {
	for b, _ := sonic.Marshal(mk(4)); ; {
		var it Item
		sonic.Unmarshal(b, &it)
	}
}

func main() {
	go workEnc()
	go workDec()
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
