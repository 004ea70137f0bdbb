// SPDX-License-Identifier: BSD-2-Clause
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

var restlessFunction = regexp.MustCompile(`^main\.[rbsp](\d)$`)

// checkRestless judges dumps of tests/workloads/restless, which printed rows: no goroutine
// has functions, label, channel or lock of two kinds, and all stacks reach their root.
func checkRestless(rows string, dumps []string) (string, error) {
	text, err := os.ReadFile(rows)
	if err != nil {
		return "", err
	}
	kindOf := map[string]string{} // of an address
	for _, row := range strings.Split(string(text), "\n") {
		if words := strings.Fields(row); len(words) == 3 {
			kindOf[words[1]], kindOf[words[2]] = words[0], words[0]
		}
	}
	judged, wrong, lost, states := 0, 0, 0, map[string]int{}
	for _, path := range dumps {
		var d struct {
			Lost       int `json:"goroutines_lost"`
			Goroutines []struct {
				Goid     uint64
				State    string
				Start    string
				Labels   map[string]string
				For      []int `json:"waits_for"`
				Stack    int
				Complete bool
			}
			Stacks  [][]struct{ Function string }
			Objects []struct{ Kind, Address string }
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &d)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %v", path, err)
		}
		lost += d.Lost
		for _, g := range d.Goroutines {
			m := restlessFunction.FindStringSubmatch(g.Start)
			if m == nil {
				continue
			}
			judged++
			states[g.State]++
			bad := ""
			for _, f := range d.Stacks[g.Stack] {
				if o := restlessFunction.FindStringSubmatch(f.Function); o != nil && o[1] != m[1] {
					bad = f.Function
				}
			}
			if k, ok := g.Labels["kind"]; ok && k != m[1] {
				bad = "label " + k
			}
			for _, i := range g.For {
				o := d.Objects[i]
				if o.Kind != "semaphore" && kindOf[o.Address] != m[1] { // those are the runtime's
					bad = o.Kind + " " + o.Address
				}
			}
			if !g.Complete && g.State != "running" {
				bad = fmt.Sprintf("a stack without root: %v", d.Stacks[g.Stack])
			}
			if bad != "" {
				wrong++
				problem("goroutine %d of %s [%s] has %s", g.Goid, g.Start, g.State, bad)
			}
		}
	}
	if judged == 0 {
		problem("no goroutine in %d dumps", len(dumps))
	}
	return fmt.Sprintf("%d restless goroutines, %d wrong, %d lost, %v", judged, wrong, lost, states), nil
}
