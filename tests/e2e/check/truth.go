// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
)

// row is what tests/workloads/goroutines prints about a goroutine.
type row struct {
	Goid     uint64 `json:"goid"`
	Start    string `json:"start"`
	Func     string `json:"func"`
	Inner    string `json:"inner"`
	Depth    int    `json:"depth"`
	Locked   bool   `json:"locked"`
	CPUNs    int64  `json:"cpu_ns"`
	Switches int64  `json:"switches"`

	samples, under, inner int    // found in the recording
	stray                 string // a stack that is not under Func
}

func readRows(path string) (map[uint64]*row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows := make(map[uint64]*row)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // "ready 812", "done"
		}
		r := new(row)
		if err := json.Unmarshal(lines.Bytes(), r); err != nil {
			return nil, err
		}
		if rows[r.Goid] != nil {
			return nil, fmt.Errorf("the workload names goroutine %d twice", r.Goid)
		}
		rows[r.Goid] = r
	}
	return rows, lines.Err()
}

const (
	mostSigma = 4.5
	// what a locked goroutine runs besides its function
	clockRead = "workloads/self.ThreadNs"
)

func checkTruth(rowsPath, foldedPath, hz string) (string, error) {
	freq, err := strconv.ParseFloat(hz, 64)
	if err != nil {
		return "", err
	}
	rows, err := readRows(rowsPath)
	if err != nil {
		return "", err
	}
	stacks, err := readFolded(foldedPath)
	if err != nil {
		return "", err
	}
	total, owned := countSamples(rows, stacks)
	deep := checkDepth(rows, stacks)
	checkUnder(rows)
	return fmt.Sprintf("%d samples, %.2f %% with a goroutine, %d whole stacks of recursion; %s",
		total, 100*float64(owned)/float64(total), deep, checkShares(rows, freq)), nil
}

// countSamples assigns each stack to its goroutine's row. Stacks without a row are
// invented, except for the runtime's own goroutines, which no program can list. Of these
// there is one for each start function, or one for each CPU.
func countSamples(rows map[uint64]*row, stacks []stack) (total, owned int) {
	invented := make(map[string]int)
	system := make(map[string]map[uint64]bool)
	for _, s := range stacks {
		total += s.n
		id, start := s.owner()
		r := rows[id]
		switch {
		case id == 0:
			if !classes[s.frames[0]] {
				problem("neither goroutine nor class: %q", s.frames[0])
			}
			continue
		case r == nil && strings.HasPrefix(start, "runtime."):
			if system[start] == nil {
				system[start] = make(map[uint64]bool)
			}
			system[start][id] = true
		case r == nil:
			invented[s.frames[0]] += s.n
		case r.Start != start:
			problem("goroutine %d is called %s, it is %s", id, start, r.Start)
		default:
			r.samples += s.n
			if r.Func == "" || s.count(r.Func) > 0 || s.count(clockRead) > 0 {
				r.under += s.n
			} else {
				r.stray = strings.Join(s.frames[1:], ";")
			}
			if s.count(r.Inner) > 0 {
				r.inner += s.n
			}
		}
		owned += s.n
	}
	for name, n := range invented {
		problem("%s never existed, %d samples", name, n)
	}
	for start, ids := range system {
		if len(ids) > 1 && start != "runtime.gcBgMarkWorker" {
			problem("%d goroutines of %s", len(ids), start)
		}
	}
	return total, owned
}

// checkDepth: a stack that has reached the bottom has all calls of the recursion, and its
// root. The rare one that is just being preempted is left out: what the runtime inserts
// there hides a caller.
func checkDepth(rows map[uint64]*row, stacks []stack) (whole int) {
	for _, r := range rows {
		if r.Depth == 0 {
			continue
		}
		for _, s := range stacks {
			id, _ := s.owner()
			if id != r.Goid || s.count("main.bottom") == 0 || s.count("runtime.asyncPreempt") > 0 {
				continue
			}
			if n := s.count("main.recurse"); n != r.Depth || s.frames[1] != r.Start {
				problem("recursion of depth %d arrives as %d, under %s", r.Depth, n, s.frames[1])
			} else {
				whole += s.n
			}
		}
		if whole == 0 {
			problem("no stack of the recursion at all")
		}
	}
	return whole
}

// checkUnder: at most 1 % of a goroutine's samples, and of all samples, are not under its
// function but in the signal handler that preempts it, or on the way into or out of the
// scheduler. Up to three are acceptable, since that happens to a goroutine with 100
// samples. Short goroutines count together.
func checkUnder(rows map[uint64]*row) {
	shorts, all := &row{Start: "short ones"}, &row{Start: "all together"}
	sums := []*row{shorts, all}
	add := func(sum, r *row) {
		sum.samples += r.samples
		sum.under += r.under
		if r.stray != "" {
			sum.stray = r.stray
		}
	}
	for _, r := range rows {
		add(all, r)
		if r.CPUNs == 0 {
			add(shorts, r)
		} else {
			sums = append(sums, r)
		}
		if r.Inner != "" && r.inner == 0 {
			problem("%s: %s, which is inlined, is in no stack", r.Start, r.Inner)
		}
	}
	for _, r := range sums {
		if out := r.samples - r.under; out > 3 && out*100 > r.samples {
			problem("%s: %d of %d samples are not under %s, but %.200s", r.Start, out, r.samples,
				r.Func, r.stray)
		}
	}
	if shorts.samples == 0 {
		problem("no sample of any short goroutine")
	}
}

// switchNs is the most that a switch to a thread takes: ticks of the timer that are due
// meanwhile are taken in the thread, but its clock does not count that time. On a busy
// virtual machine perf sees 9 to 18 µs a switch as well.
const switchNs = 25e3

// sigmas is how far samples are from what the CPU time of a thread makes expect, which is
// a range if it was often switched to.
func sigmas(samples int, cpuNs, switches int64, freq float64) float64 {
	low := float64(cpuNs) / 1e9 * freq
	high := low + float64(switches)*switchNs/1e9*freq
	n := float64(samples)
	if n > high {
		return (n - high) / math.Sqrt(low)
	}
	return math.Min(0, n-low) / math.Sqrt(low)
}

// checkShares compares samples with CPU time. For each of k locked goroutines, expected =
// CPU time of its thread × frequency, and z = (samples − expected) / √expected; the sum of
// z² is compared with chi² with k degrees of freedom. This is Pearson's statistic for
// independent Poisson counts: the expectations come from a clock, not from the counts, so
// no degree of freedom is lost. The timer is periodic, which makes counts of long time
// slices more even than Poisson's. So the sum is below k, and a sum above the limit is
// bias, not chance.
func checkShares(rows map[uint64]*row, freq float64) string {
	var chi2, worst float64
	var who string
	var locked []*row
	for _, r := range rows {
		expected := float64(r.CPUNs) / 1e9 * freq
		if r.CPUNs >= 100e6 && r.samples == 0 {
			problem("%s is missing, with %d ms of CPU time", r.Start, r.CPUNs/1e6)
		}
		if r.CPUNs == 0 {
			continue
		}
		z := sigmas(r.samples, r.CPUNs, r.Switches, freq)
		if !r.Locked { // what is known is a lower limit
			if z < -mostSigma {
				problem("%s: %d samples, at least %.0f expected", r.Start, r.samples, expected)
			}
			continue
		}
		locked = append(locked, r)
		chi2 += z * z
		if math.Abs(z) > math.Abs(worst) {
			worst, who = z, r.Start
		}
	}
	if len(locked) == 0 {
		problem("the workload had no locked goroutine")
		return ""
	}
	limit := chi2Limit(len(locked))
	if chi2 > limit || math.Abs(worst) > mostSigma {
		problem("CPU shares: chi² %.1f (limit %.1f), %s off by %.1f sigma: %s",
			chi2, limit, who, worst, sharesText(locked, freq))
	}
	return fmt.Sprintf("chi² %.1f of %d goroutines (limit %.1f), at most %.1f sigma",
		chi2, len(locked), limit, math.Abs(worst))
}

func sharesText(locked []*row, freq float64) string {
	sort.Slice(locked, func(i, j int) bool { return locked[i].CPUNs > locked[j].CPUNs })
	var parts []string
	for _, r := range locked {
		parts = append(parts, fmt.Sprintf("%s %d/%.0f", strings.TrimPrefix(r.Start, "main."),
			r.samples, float64(r.CPUNs)/1e9*freq))
	}
	return strings.Join(parts, " ")
}

// chi2Limit is the 99.9 % point of chi² by Wilson and Hilferty, within 1 % for k >= 3.
func chi2Limit(k int) float64 {
	const z999 = 3.0902
	v := 2 / (9 * float64(k))
	return float64(k) * math.Pow(1-v+z999*math.Sqrt(v), 3)
}
