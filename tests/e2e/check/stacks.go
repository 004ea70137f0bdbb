// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// numbers reads a repeated field, packed or not.
func numbers(f field) (all []uint64) {
	if f.bytes == nil {
		return []uint64{f.num}
	}
	for b := f.bytes; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return all
		}
		all, b = append(all, v), b[n:]
	}
	return all
}

// readStacks counts the samples of a runtime/pprof profile by stack, written as in folded
// output.
func readStacks(path string) (map[string]int, error) {
	profile, text, err := readProfile(path)
	if err != nil {
		return nil, err
	}
	functions, locations := make(map[uint64]string), make(map[uint64][]uint64)
	var samples [][]field
	for _, f := range profile {
		if f.id != 2 && f.id != 4 && f.id != 5 {
			continue
		}
		rows, err := fields(f.bytes)
		if err != nil {
			return nil, err
		}
		if f.id == 2 {
			samples = append(samples, rows)
			continue
		}
		var id, name uint64
		var lines []uint64
		for _, r := range rows {
			switch {
			case r.id == 1:
				id = r.num
			case f.id == 5 && r.id == 2:
				name = r.num
			case f.id == 4 && r.id == 4:
				line, _ := fields(r.bytes)
				for _, l := range line {
					if l.id == 1 {
						lines = append(lines, l.num)
					}
				}
			}
		}
		if f.id == 4 {
			locations[id] = lines
		} else if name < uint64(len(text)) {
			functions[id] = shown(text[name])
		}
	}
	stacks := make(map[string]int)
	for _, rows := range samples {
		var frames []string
		count := -1
		for _, r := range rows {
			for _, v := range numbers(r) {
				if r.id == 1 {
					for _, function := range locations[v] {
						frames = append([]string{functions[function]}, frames...)
					}
				} else if r.id == 2 && count < 0 {
					count = int(v)
				}
			}
		}
		stacks[interrupted(frames)] += count
	}
	return stacks, nil
}

// interrupted joins the frames of a stack. If the signals of the profiler and of preemption
// arrive together, which is common on a busy machine, the profiler sees the call that
// preemption has just inserted.
func interrupted(frames []string) string {
	if n := len(frames) - 1; n >= 0 && frames[n] == "runtime.asyncPreempt" {
		frames = frames[:n]
	}
	return strings.Join(frames, ";")
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// missing is how many samples of a have a stack that b does not have, and how many there
// would be if both were samples of the same distribution, plus or minus sigma: by Good and
// Turing, as much as b has seen once it has not seen yet. worst is the stack so frequent in
// a that b should have it.
func missing(a, b map[string]int) (n int, expected, sigma float64, worst []string) {
	var seen [3]float64 // number of stacks that b has once, twice
	for _, c := range b {
		if c < 3 {
			seen[c]++
		}
	}
	ratio := float64(sum(b)) / float64(sum(a))
	expected = seen[1] / ratio
	sigma = math.Sqrt((seen[1]+2*seen[2]+2)/ratio/ratio + expected)
	for s, c := range a {
		if b[s] > 0 {
			continue
		}
		n += c
		if math.Min(float64(c), float64(c)*ratio) > 12 {
			worst = append(worst, s)
		}
	}
	sort.Slice(worst, func(i, j int) bool { return a[worst[i]] > a[worst[j]] })
	for i, s := range worst {
		worst[i] = fmt.Sprintf("%d × %s", a[s], s)
	}
	return n, expected, sigma, worst
}

// distance between two distributions: total variation of the leaf functions, and its value
// for two samples of the same distribution.
func distance(a, b map[string]int) (tvd, expected float64) {
	flat := make(map[string][2]float64)
	na, nb := float64(sum(a)), float64(sum(b))
	for i, m := range []map[string]int{a, b} {
		for s, c := range m {
			leaf := flat[s[strings.LastIndexByte(s, ';')+1:]]
			leaf[i] += float64(c)
			flat[s[strings.LastIndexByte(s, ';')+1:]] = leaf
		}
	}
	for _, c := range flat {
		p := (c[0] + c[1]) / (na + nb)
		tvd += math.Abs(c[0]/na-c[1]/nb) / 2
		expected += math.Sqrt(2/math.Pi*p*(1-p)*(1/na+1/nb)) / 2
	}
	return tvd, expected
}

// readOurs counts our samples by stack, of folded or of pprof output.
func readOurs(path string) (map[string]int, error) {
	if strings.HasSuffix(path, ".pb.gz") {
		return readStacks(path)
	}
	lines, err := readFolded(path)
	ours := make(map[string]int)
	for _, l := range lines {
		for i, f := range l.frames {
			l.frames[i] = strings.TrimSuffix(f, "_[k]")
		}
		ours[interrupted(l.frames)] += l.n
	}
	return ours, err
}

// readSides reads our stacks, those of the runtime's profile, and a number.
func readSides(foldedPath, profilePath, percent string) (ours, theirs map[string]int, number float64, err error) {
	if number, err = strconv.ParseFloat(percent, 64); err != nil {
		return
	}
	if ours, err = readOurs(foldedPath); err == nil {
		theirs, err = readStacks(profilePath)
	}
	return
}

// checkStacks compares what we say the runtime's profiler would have recorded with what it
// did record. Beyond chance, at most percent of the samples may differ.
func checkStacks(foldedPath, profilePath, percent string) (string, error) {
	ours, theirs, most, err := readSides(foldedPath, profilePath, percent)
	if err != nil {
		return "", err
	}
	if sum(ours) < 100 || sum(theirs) < 100 {
		return "", fmt.Errorf("%d samples, the runtime's profile has %d: too few", sum(ours), sum(theirs))
	}
	text := ""
	for i, side := range []string{"ours", "theirs"} {
		a, b := ours, theirs
		if i == 1 {
			a, b = theirs, ours
		}
		n, expected, sigma, worst := missing(a, b)
		all := float64(sum(a))
		text += fmt.Sprintf("%s %.2f %% of %.0f (%.2f %% by chance), ", side, 100*(1-float64(n)/all), all, 100*(1-expected/all))
		if extra := float64(n) - expected; extra > all*most/100+mostSigma*sigma {
			problem("%d of %.0f %s have stacks that are not among the others, %.0f by chance", n, all, side, expected)
		}
		for _, s := range worst {
			if most < 1 {
				problem("only %s: %s", side, s)
			}
		}
	}
	tvd, expected := distance(ours, theirs)
	return text + fmt.Sprintf("functions differ by %.1f %% (%.1f %%)", 100*tvd, 100*expected), nil
}

var typeArgs = regexp.MustCompile(`([^;])\[[^;]*\]`)

// shortened has the names of generic functions without type arguments.
func shortened(stacks map[string]int) map[string]int {
	all := make(map[string]int)
	for s, n := range stacks {
		all[typeArgs.ReplaceAllString(s, "$1[...]")] += n
	}
	return all
}

// checkSame: both are exports of one recording, without groups.
func checkSame(foldedPath, pprofPath string) (string, error) {
	folded, err := readOurs(foldedPath)
	if err != nil {
		return "", err
	}
	pprof, err := readOurs(pprofPath)
	if err != nil {
		return "", err
	}
	folded, pprof = shortened(folded), shortened(pprof)
	for s, n := range folded {
		if pprof[s] != n {
			problem("%d samples in folded stacks, %d in pprof: %s", n, pprof[s], s)
		}
	}
	if sum(folded) != sum(pprof) || len(folded) != len(pprof) {
		problem("%d samples of %d stacks in folded stacks, %d of %d in pprof", sum(folded), len(folded), sum(pprof), len(pprof))
	}
	return fmt.Sprintf("%d samples of %d stacks", sum(pprof), len(pprof)), nil
}

// checkPairs: both sides have recorded the same moments, so each stack must occur as often
// on either side, for at least percent of them.
func checkPairs(foldedPath, profilePath, percent string) (string, error) {
	ours, theirs, least, err := readSides(foldedPath, profilePath, percent)
	if err != nil {
		return "", err
	}
	all, only := sum(ours), []string{}
	if n := sum(theirs); n > all {
		all = n
	}
	for s, c := range ours {
		ours[s] -= theirs[s]
		theirs[s] -= c
	}
	var lacking [2]int
	for i, side := range []map[string]int{ours, theirs} {
		for s, c := range side {
			if c > 0 {
				only = append(only, fmt.Sprintf("%4d only %s: %s", c, []string{"ours", "theirs"}[i], s))
				lacking[i] += c
			}
		}
	}
	different := lacking[0]
	if different < lacking[1] {
		different = lacking[1]
	}
	share := 100 * float64(all-different) / float64(all)
	if all < 100 || share < least {
		problem("%d of %d stacks are equal", all-different, all)
		sort.Sort(sort.Reverse(sort.StringSlice(only)))
		problems = append(problems, only...)
	}
	return fmt.Sprintf("%d of %d equal (%.2f %%)", all-different, all, share), nil
}
