// SPDX-License-Identifier: BSD-2-Clause
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// A goroutine as a traceback has it.
type traced struct {
	state  string
	frames []string // "FUNCTION FILE:LINE", and "created by …"
}

var (
	tracedHead   = regexp.MustCompile(`^goroutine (\d+) \[(.*)\]:$`)
	tracedArgs   = regexp.MustCompile(`\([^()]*\)$`)
	tracedOffset = regexp.MustCompile(` \+0x[0-9a-f]+$`)
)

// readTraces parses the runtime's traceback of all goroutines, or gostrobe's in its form.
func readTraces(path string) (map[uint64]*traced, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ret, lines := map[uint64]*traced{}, bufio.NewScanner(f)
	var g *traced
	function := ""
	for lines.Scan() {
		text := lines.Text()
		switch m := tracedHead.FindStringSubmatch(text); {
		case m != nil:
			id, _ := strconv.ParseUint(m[1], 10, 64)
			g = &traced{state: m[2]}
			if ret[id] != nil {
				return nil, fmt.Errorf("%s: goroutine %d twice", path, id)
			}
			ret[id] = g
		case text == "" || g == nil:
			g = nil
		case strings.HasPrefix(text, "\t"):
			if function == "runtime.goparkunlock" {
				continue // Go 1.13 shows it where it is inlined, all others hide it
			}
			g.frames = append(g.frames, function+" "+tracedOffset.ReplaceAllString(text[1:], ""))
		case strings.HasPrefix(text, "created by "):
			function = text
		default:
			function = tracedArgs.ReplaceAllString(text, "")
		}
	}
	return ret, lines.Err()
}

type waitObject struct {
	Kind, Text, Address, Symbol, Syscall, File string
	Waiters, State, Counter                    int
	Len, Cap, FD                               *int
}

type waitDump struct {
	Goroutines []struct {
		Goid    uint64
		State   string
		WaitsIn *int64 `json:"wakes_in_ns"`
		For     []int  `json:"waits_for"`
		Stack   int
	}
	Stacks  [][]struct{ Function string }
	Objects []waitObject
}

// is says whether the objects are what the program says it waits for.
func (d *waitDump) is(words []string, wakes *int64, objects []int) bool {
	var o *waitObject
	if len(objects) > 0 {
		o = &d.Objects[objects[0]]
	}
	switch kind := words[0]; kind {
	case "nothing":
		return o == nil
	case "sleep":
		s, _ := strconv.ParseInt(words[1], 10, 64)
		return wakes != nil && *wakes > (s-300)*1e9 && *wakes <= s*1e9
	case "select":
		for _, addr := range words[1:] {
			found := false
			for _, i := range objects {
				found = found || d.Objects[i].Kind == "chan" && d.Objects[i].Address == addr
			}
			if !found {
				return false
			}
		}
		return len(objects) == 2
	case "fd":
		return o != nil && o.Kind == "file" && o.FD != nil && strconv.Itoa(*o.FD) == words[1] &&
			strings.HasPrefix(o.File, strings.Join(words[2:], " "))
	case "syscall":
		return o != nil && o.Kind == kind && (len(words) < 2 || words[1] == o.Syscall ||
			words[1]+"_nanosleep" == "clock_"+o.Syscall) &&
			(len(words) < 4 || o.FD != nil && strconv.Itoa(*o.FD) == words[3] && strings.HasPrefix(o.File, words[4]))
	case "chan":
		return o != nil && o.Kind == kind && o.Address == words[1] && (len(words) < 4 ||
			strconv.Itoa(*o.Len) == words[2] && strconv.Itoa(*o.Cap) == words[3])
	case "waitgroup":
		return o != nil && o.Kind == kind && o.Address == words[1] && strconv.Itoa(o.Counter) == words[2]
	default: // a lock
		return o != nil && o.Kind == kind && o.Address == words[1] &&
			(len(words) < 3 || o.Symbol == words[2] || o.Symbol == "")
	}
}

// checkWaiting compares gostrobe's dump of a quiet program with its own: states, stacks, and what
// each goroutine waits for. The goroutine that takes the program's own dump runs there.
func checkWaiting(truth, trace, ours, jsonPath string) (string, error) {
	theirs, err := readTraces(trace)
	if err != nil {
		return "", err
	}
	us, err := readTraces(ours)
	if err != nil {
		return "", err
	}
	equal, runs := 0, 0
	for id, g := range theirs {
		o := us[id]
		switch {
		case o == nil:
			problem("goroutine %d [%s] is missing", id, g.state)
		case strings.HasPrefix(g.state, "running"):
			runs++
		case o.state != g.state:
			problem("goroutine %d is %q, not %q", id, o.state, g.state)
		case strings.Join(o.frames, "\n") != strings.Join(g.frames, "\n"):
			problem("goroutine %d [%s]: ours %q, theirs %q", id, g.state, o.frames, g.frames)
		default:
			equal++
		}
	}
	for id := range us {
		if theirs[id] == nil {
			problem("goroutine %d is not in the program's own dump", id)
		}
	}
	if runs != 1 {
		problem("%d goroutines run in the program's own dump", runs)
	}
	kinds, objects, err := waitObjects(truth, jsonPath)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d goroutines equal, %d kinds of waiting with %d right objects", equal, kinds, objects), nil
}

func waitObjects(truth, jsonPath string) (kinds, right int, err error) {
	text, err := os.ReadFile(jsonPath)
	if err != nil {
		return 0, 0, err
	}
	var d waitDump
	if err := json.Unmarshal(text, &d); err != nil {
		return 0, 0, err
	}
	rows, err := os.ReadFile(truth)
	if err != nil {
		return 0, 0, err
	}
	for _, row := range strings.Split(string(rows), "\n") {
		words := strings.Fields(row)
		if len(words) < 2 || !strings.HasPrefix(words[0], "main.x") {
			continue
		}
		kinds++
		found := 0
		for _, g := range d.Goroutines {
			has := false
			for _, f := range d.Stacks[g.Stack] {
				has = has || f.Function == words[0]
			}
			if !has {
				continue
			}
			found++
			if d.is(words[1:], g.WaitsIn, g.For) {
				right++
				continue
			}
			what := "nothing"
			for _, i := range g.For {
				what += " " + d.Objects[i].Text + " fd " + d.Objects[i].File
			}
			problem("goroutine %d waits for %q, not %q", g.Goid, row, what)
		}
		if found == 0 {
			problem("no goroutine in %s", words[0])
		}
	}
	return kinds, right, nil
}
