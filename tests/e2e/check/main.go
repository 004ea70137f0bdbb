// SPDX-License-Identifier: BSD-2-Clause

// Command check judges output of gostrobe that is too complex for a shell script. It prints
// one line of figures and exits 0, or one line per problem and exits 1.
//
//	check truth ROWS FOLDED HZ
//		compares a recording with what tests/workloads/goroutines printed
//	check labels ROWS FOLDED HZ PROFILE
//		compares a recording by job with what tests/workloads/labels printed and
//		with the runtime's own profile
//	check stacks FOLDED PROFILE PERCENT
//		compares a recording --as-pprof with the runtime's profile of the same time;
//		instead of FOLDED it may be a .pb.gz
//	check same FOLDED PROFILE
//		the exports of a recording as folded stacks and as pprof have the same stacks
//	check named NAME FOLDED
//		every frame of the Go program NAME has a name, every sample an owner
//	check page HTML FUNC
//		the data of the flame graph page can be unpacked and has FUNC
//	check ids ROWS FOLDED
//		compares a recording by creator,label:job,goroutine with what a program of
//		tests/oracle/ids printed
//	check dump FOLDED BEFORE AFTER
//		compares goroutines by creator,goroutine with its goroutine?debug=2
//	check symbolize ADDRS TEXT JSON
//		symbolize says the same about addresses as text and as JSON
//	check inspect ROWS JSON HOW
//		compares inspect --json with what tests/workloads/pinned printed; HOW is
//		free, or held by a debugger
//	check waiting ROWS TRACEBACK ALL JSON
//		compares goroutines --all with the program's own traceback, and --json with
//		what tests/workloads/waiting printed
//	check restless ROWS JSON…
//		no goroutine of tests/workloads/restless has anything of another one
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// stack is a line of folded output.
type stack struct {
	frames []string // root first
	n      int      // samples
}

// readFolded is strict: a line that flamegraph.pl would not accept is an error.
func readFolded(path string) ([]stack, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var stacks []stack
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		text := lines.Text()
		space := strings.LastIndexByte(text, ' ')
		if space <= 0 {
			return nil, fmt.Errorf("not a folded line: %.80q", text)
		}
		n, err := strconv.Atoi(text[space+1:])
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("no count: %.80q", text)
		}
		s := stack{strings.Split(text[:space], ";"), n}
		for _, frame := range s.frames {
			if frame == "" {
				return nil, fmt.Errorf("empty frame: %.80q", text)
			}
		}
		stacks = append(stacks, s)
	}
	return stacks, lines.Err()
}

// owner splits "goroutine 18 main.worker"; id 0 if the root frame is something else.
func (s stack) owner() (id uint64, start string) {
	words := strings.SplitN(s.frames[0], " ", 3)
	if len(words) != 3 || words[0] != "goroutine" {
		return 0, ""
	}
	id, err := strconv.ParseUint(words[1], 10, 64)
	if err != nil {
		return 0, ""
	}
	return id, words[2]
}

func (s stack) count(frame string) (n int) {
	for _, f := range s.frames[1:] {
		if f == frame {
			n++
		}
	}
	return n
}

var classes = map[string]bool{
	"[starting]": true, "[signal]": true, "[c]": true, "[gc]": true, "[scheduler]": true,
	"[cgo]": true, "[kernel]": true, "[runtime]": true, "[user]": true,
}

var problems []string

func problem(format string, args ...interface{}) {
	text := fmt.Sprintf(format, args...)
	for _, p := range problems {
		if p == text {
			return
		}
	}
	problems = append(problems, text)
}

func main() {
	var figures string
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 4 && args[0] == "truth":
		figures, err = checkTruth(args[1], args[2], args[3])
	case len(args) == 5 && args[0] == "labels":
		figures, err = checkLabels(args[1], args[2], args[3], args[4])
	case len(args) == 4 && args[0] == "stacks":
		figures, err = checkStacks(args[1], args[2], args[3])
	case len(args) == 3 && args[0] == "same":
		figures, err = checkSame(args[1], args[2])
	case len(args) == 4 && args[0] == "pairs":
		figures, err = checkPairs(args[1], args[2], args[3])
	case len(args) == 3 && args[0] == "named":
		figures, err = checkNamed(args[1], args[2])
	case len(args) == 3 && args[0] == "page":
		figures, err = checkPage(args[1], args[2])
	case len(args) == 4 && args[0] == "dump":
		figures, err = checkDump(args[1], args[2], args[3])
	case len(args) == 3 && args[0] == "ids":
		figures, err = checkIDs(args[1], args[2])
	case len(args) == 4 && args[0] == "symbolize":
		figures, err = checkSymbolize(args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "inspect":
		figures, err = checkInspect(args[1], args[2], args[3])
	case len(args) > 2 && args[0] == "restless":
		figures, err = checkRestless(args[1], args[2:])
	case len(args) == 5 && args[0] == "waiting":
		figures, err = checkWaiting(args[1], args[2], args[3], args[4])
	default:
		fmt.Fprintln(os.Stderr, "usage: check truth ROWS FOLDED HZ | check labels ROWS FOLDED HZ PROFILE | check stacks FOLDED PROFILE PERCENT | check same FOLDED PROFILE | check named NAME FOLDED | check page HTML FUNC | check ids ROWS FOLDED | check dump FOLDED BEFORE AFTER | check symbolize ADDRS TEXT JSON | check inspect ROWS JSON HOW | check waiting ROWS TRACEBACK ALL JSON | check restless ROWS JSON…")
		os.Exit(2)
	}
	if err != nil {
		problem("%v", err)
	}
	if problems != nil {
		if len(problems) > 8 {
			problems = append(problems[:8], fmt.Sprintf("and %d more", len(problems)-8))
		}
		fmt.Println(strings.Join(problems, "\n"))
		os.Exit(1)
	}
	fmt.Println(figures)
}
