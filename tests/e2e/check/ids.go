// SPDX-License-Identifier: BSD-2-Clause
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

type idRow struct {
	goid           uint64
	start, creator string // "": unknown
	line           string
	label          string
	samples        int
}

// readIDs parses the output of tests/oracle/ids/who, by function.
func readIDs(path string) (map[string]*idRow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows := map[string]*idRow{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text())
		if len(w) != 8 || w[0] != "row" {
			continue
		}
		goid, _ := strconv.ParseUint(w[1], 10, 64)
		r := &idRow{goid: goid, start: w[3], creator: w[4], line: w[5], label: w[7]}
		rows[w[2]] = r
	}
	if len(rows) < 6 {
		return nil, fmt.Errorf("%s: %d rows", path, len(rows))
	}
	return rows, nil
}

// same tells whether a function is the one in a row; plugins have paths of their own.
func same(shown, row string) bool {
	if name := strings.TrimPrefix(row, "plugin"); name != row { // ".inside"
		return strings.HasSuffix(shown, name) &&
			(strings.HasPrefix(shown, "plugin/unnamed-") || strings.HasPrefix(shown, "ids/plugin."))
	}
	return shown == row
}

// checkIDs reads folded stacks by creator, label:job and goroutine: each stack with a
// function of a row belongs to that row's goroutine, and to no other.
func checkIDs(rowsPath, foldedPath string) (string, error) {
	rows, err := readIDs(rowsPath)
	if err != nil {
		return "", err
	}
	stacks, err := readFolded(foldedPath)
	if err != nil {
		return "", err
	}
	good, lost := 0, 0
	for _, s := range stacks {
		if len(s.frames) < 4 {
			continue
		}
		creator, label, frames := s.frames[0], s.frames[1], s.frames[3:]
		id, start := stack{frames: []string{s.frames[2] + " "}}.owner()
		start = strings.TrimSpace(start) // C threads have none
		row := rowOf(rows, frames)
		if row == nil {
			for _, r := range rows { // C code whose stack has no way out
				if id == r.goid {
					r.samples += s.n
				}
			}
			continue
		}
		row.samples += s.n
		if id == 0 {
			lost += s.n
			continue
		}
		good += s.n
		words := append(strings.Fields(creator), "", "", "") // go FUNCTION FILE:LINE
		switch {
		case id != row.goid:
			problem("goroutine %d, not %d, in %s", id, row.goid, frames[len(frames)-1])
		case row.start != "-" && !same(start, row.start) &&
			// Go 1.17 does not tell what a wrapper calls
			!strings.Contains(start, "·dwrap·"):
			problem("goroutine %d: start %q, not %s", id, start, row.start)
		case row.creator != "-" && !same(words[1], row.creator):
			problem("goroutine %d: creator %q, not %s", id, creator, row.creator)
		case row.line != "0" && !strings.HasSuffix(creator, ":"+row.line):
			problem("goroutine %d: creator %q, not in line %s", id, creator, row.line)
		case label != "job="+strings.TrimPrefix(row.label, "-"):
			problem("goroutine %d: label %q, not %s", id, label, row.label)
		}
	}
	for name, r := range rows {
		if r.samples == 0 {
			problem("%s was never sampled", name)
		}
	}
	if lost*200 > good {
		problem("%d of %d samples have no goroutine", lost, lost+good)
	}
	return fmt.Sprintf("%d samples of %d goroutines right, %d without one", good, len(rows), lost), nil
}

func rowOf(rows map[string]*idRow, frames []string) *idRow {
	for _, f := range frames {
		for name, r := range rows {
			if same(f, name) {
				return r
			}
		}
	}
	return nil
}
