// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// job is a row of tests/workloads/labels.
type job struct {
	Name     string `json:"job"`
	Func     string `json:"func"`
	CPUNs    int64  `json:"cpu_ns"`
	Switches int64  `json:"switches"`
	Lost     bool   `json:"lost"`

	ours, theirs int // samples under its function
}

func readJobs(path string) ([]*job, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var jobs []*job
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue
		}
		j := new(job)
		if err := json.Unmarshal(lines.Bytes(), j); err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// shown is a value as folded output and the workload's JSON both write it.
func shown(value string) string {
	return strings.NewReplacer(";", ":", "\x00", "\ufffd").Replace(strings.ToValidUTF8(value, "\ufffd"))
}

// checkLabels: each sample under a job's function has its label, and no other sample has
// it. The number of a job's samples agrees with its CPU time, and the labels' shares with
// the runtime's own profile of the same time.
func checkLabels(rowsPath, foldedPath, hz, profilePath string) (string, error) {
	freq, err := strconv.ParseFloat(hz, 64)
	if err != nil {
		return "", err
	}
	jobs, err := readJobs(rowsPath)
	if err != nil {
		return "", err
	}
	stacks, err := readFolded(foldedPath)
	if err != nil {
		return "", err
	}
	tags, err := readTag(profilePath, "job")
	if err != nil {
		return "", err
	}
	theirs := make(map[string]int)
	for tag, n := range tags {
		theirs[shown(tag)] += n
	}
	total, right, labelled, unknown, ours := 0, 0, 0, 0, make(map[string]int)
	for _, s := range stacks {
		total += s.n
		root := s.frames[0]
		if strings.HasPrefix(root, "job=") {
			ours[root[len("job="):]] += s.n
		} else if root == "[unknown]" {
			unknown += s.n
		} else if !classes[root] {
			problem("neither a label nor a class: %.80q", root)
		}
		if root != "job=" && root[0] == 'j' {
			labelled += s.n
		}
		for _, j := range jobs {
			if s.count(j.Func) == 0 {
				continue
			}
			j.ours += s.n
			if root == "job="+shown(j.Name) || j.Lost && root == "job=…" {
				right += s.n
			} else {
				problem("%d samples of %s have %.80q", s.n, j.Func, root)
			}
		}
	}
	chi2, chi2Theirs, limit := checkJobs(jobs, ours, theirs, freq)
	// a thread may be sampled between the two words that say what it runs
	if unknown*500 > total {
		problem("%d of %d samples are of an unknown goroutine", unknown, total)
	}
	return fmt.Sprintf("%d samples, %d labelled, %d of %d under a function with its label; chi² %.1f from CPU "+
		"time, %.1f from the runtime's profile (limit %.1f)", total, labelled, right, right, chi2, chi2Theirs, limit), nil
}

// checkJobs compares with CPU time as checkShares does, and with the runtime's samples as
// two counts of the same thing: z = (a - b r) / sqrt(a + d b r²), where r is our number of
// samples per one of theirs. The runtime's timers expire with the kernel's tick, so on a
// busy machine its samples come in runs; d is how much wider that makes their distribution.
func checkJobs(jobs []*job, ours, theirs map[string]int, freq float64) (chi2, chi2Theirs, limit float64) {
	a, b := 0, 0
	for _, j := range jobs {
		if j.Lost {
			continue
		}
		a += ours[shown(j.Name)]
		b += theirs[shown(j.Name)]
	}
	const dispersion = 4
	r := float64(a) / float64(b)
	for _, j := range jobs {
		z := sigmas(j.ours, j.CPUNs, j.Switches, freq)
		chi2 += z * z
		if math.Abs(z) > mostSigma {
			problem("%s: %d samples, %.0f expected", j.Func, j.ours, float64(j.CPUNs)/1e9*freq)
		}
		if j.Lost {
			continue
		}
		x, y := float64(ours[shown(j.Name)]), float64(theirs[shown(j.Name)])
		z = (x - y*r) / math.Sqrt(x+dispersion*y*r*r)
		chi2Theirs += z * z
		if math.Abs(z) > mostSigma || math.IsNaN(z) {
			problem("job=%q: %.0f samples, the runtime's profile has %.0f, times %.2f", j.Name, x, y, r)
		}
	}
	limit = chi2Limit(len(jobs))
	if chi2 > limit || chi2Theirs > limit {
		problem("chi² %.1f from CPU time, %.1f from the runtime's profile, limit %.1f", chi2, chi2Theirs, limit)
	}
	return chi2, chi2Theirs, limit
}
