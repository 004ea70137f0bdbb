// SPDX-License-Identifier: BSD-2-Clause
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var (
	dumpHead    = regexp.MustCompile(`^goroutine (\d+) \[`)
	dumpCreator = regexp.MustCompile(`^created by (.*?)( in goroutine (\d+))?$`)
)

// readDump parses the output of /debug/pprof/goroutine?debug=2: by id, "FUNCTION FILE:LINE"
// of the go statement; "" for the first goroutine.
func readDump(path string) (map[uint64]string, uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	creators, id, last, creator := map[uint64]string{}, uint64(0), uint64(0), ""
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text := lines.Text()
		if m := dumpHead.FindStringSubmatch(text); m != nil {
			id, _ = strconv.ParseUint(m[1], 10, 64)
			creators[id] = ""
			if id > last {
				last = id
			}
		} else if m := dumpCreator.FindStringSubmatch(text); m != nil {
			creator = m[1]
		} else if creator != "" {
			where := strings.Fields(text)[0] // FILE:LINE +0x1b
			creators[id] = creator + " " + filepath.Base(where)
			creator = ""
		}
	}
	if len(creators) == 0 {
		return nil, 0, fmt.Errorf("%s: no goroutines", path)
	}
	return creators, last, lines.Err()
}

// checkDump compares folded stacks by creator and goroutine with the program's own lists
// from before and after: each goroutine is in one of them, or was created meanwhile, and
// was created where they say.
func checkDump(foldedPath, beforePath, afterPath string) (string, error) {
	before, last, err := readDump(beforePath)
	if err != nil {
		return "", err
	}
	after, end, err := readDump(afterPath)
	if err != nil {
		return "", err
	}
	stacks, err := readFolded(foldedPath)
	if err != nil {
		return "", err
	}
	listed, created, system := map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}
	for _, s := range stacks {
		id, start := stack{frames: s.frames[1:]}.owner()
		if id == 0 {
			continue
		}
		want, known := before[id]
		if !known {
			want, known = after[id]
		}
		switch {
		case known:
			listed[id] = true
			if want != "" && s.frames[0] != "go "+want {
				problem("goroutine %d: %q, but the program says %q", id, s.frames[0], want)
			}
		case strings.HasPrefix(start, "runtime."): // not in the program's lists
			system[id] = true
		case id+1024 < last || id > end+1024: // each P hands out 16 at a time
			problem("goroutine %d was neither there nor created meanwhile (%d to %d)", id, last, end)
		default:
			created[id] = true
		}
	}
	if len(listed) < 3 {
		problem("only %d goroutines that the program lists", len(listed))
	}
	return fmt.Sprintf("%d goroutines as the program lists them, %d created meanwhile, %d of the runtime",
		len(listed), len(created), len(system)), nil
}
