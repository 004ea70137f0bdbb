// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

type inspected struct {
	Pid       *int
	Path      string
	GoVersion string  `json:"go_version"`
	BuildID   *string `json:"build_id"`
	GSlot     struct {
		Offset *int64
		How    string
	} `json:"g_slot"`
	Fields map[string]struct {
		Offset *int64
		How    string
	}
	Checks []struct {
		Name string
		OK   *bool
	}
	Threads []inspectedThread
}

type inspectedThread struct {
	Tid           int
	FSBase        string  `json:"fs_base"`
	FSBaseUser    *string `json:"fs_base_user"`
	GSlot         string  `json:"g_slot"`
	G, M          string
	Curg          *string
	Goid          *uint64
	Status, Class string
}

func hex(s string) uint64 {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 64)
	if err != nil || !strings.HasPrefix(s, "0x") {
		problem("no address: %q", s)
	}
	return v
}

type pin struct {
	goid   uint64
	status string
	seen   int
}

// readPins parses the output of tests/workloads/pinned, by thread.
func readPins(path string) (map[int]*pin, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pins := make(map[int]*pin)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var p pin
		var tid int
		if n, _ := fmt.Sscan(lines.Text(), &p.goid, &tid, &p.status); n == 3 {
			pins[tid] = &p
		}
	}
	return pins, nil
}

// checkInspect compares `inspect --json` of a pinned program, one object per line, with
// what the program says. how: "free", or "held" by a debugger.
func checkInspect(rowsPath, jsonPath, how string) (string, error) {
	pins, err := readPins(rowsPath)
	if err != nil {
		return "", err
	}
	f, err := os.Open(jsonPath)
	if err != nil {
		return "", err
	}
	times, threads := 0, 0
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 1<<20); lines.Scan(); times++ {
		var in inspected
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			return "", fmt.Errorf("%v: %.80q", err, lines.Text())
		}
		in.judgeProgram()
		for _, t := range in.Threads {
			t.judge(*in.GSlot.Offset, how)
			t.judgePin(pins[t.Tid])
			threads++
		}
	}
	for tid, p := range pins {
		if p.seen == 0 {
			problem("goroutine %d is never seen on its thread %d", p.goid, tid)
		}
	}
	if len(pins) < 2 || threads < times*len(pins) || times == 0 {
		problem("%d goroutines, %d times %d threads", len(pins), times, threads)
	}
	return fmt.Sprintf("%d goroutines on their threads, %d readings of threads", len(pins), threads), nil
}

func (in *inspected) judgeProgram() {
	if in.Pid == nil || !strings.HasSuffix(in.Path, "/pinned") || in.BuildID == nil ||
		!strings.HasPrefix(in.GoVersion, "go1.") {
		problem("pid, path, build_id or go_version: %v %q %q", in.Pid, in.Path, in.GoVersion)
	}
	if in.GSlot.Offset == nil || *in.GSlot.Offset != -8 || in.GSlot.How == "" {
		problem("g_slot: %v", in.GSlot)
		in.GSlot.Offset = new(int64)
	}
	for _, name := range []string{"g_m", "g_goid", "g_startpc", "m_g0", "m_procid", "m_curg"} {
		if f := in.Fields[name]; f.Offset == nil || f.How == "" {
			problem("no field %s", name)
		}
	}
	ran := 0
	for _, c := range in.Checks {
		if c.OK != nil && !*c.OK {
			problem("check %s failed", c.Name)
		} else if c.OK != nil {
			ran++
		}
	}
	if ran < 5 {
		problem("only %d checks ran", ran)
	}
}

func (t *inspectedThread) judge(offset int64, how string) {
	switch {
	case how == "held" && t.FSBaseUser != nil:
		problem("thread %d: fs_base_user under a debugger", t.Tid)
	case how == "free" && t.FSBaseUser == nil:
		problem("thread %d: no fs_base_user", t.Tid)
	case how == "free" && *t.FSBaseUser != t.FSBase:
		problem("thread %d: fs_base %s, fs_base_user %s", t.Tid, t.FSBase, *t.FSBaseUser)
	}
	if hex(t.GSlot) != hex(t.FSBase)+uint64(offset) || hex(t.G) == 0 || hex(t.M) == 0 {
		problem("thread %d: fs_base %s, slot %s, g %s, m %s", t.Tid, t.FSBase, t.GSlot, t.G, t.M)
	}
	if !classes["["+t.Class+"]"] || t.Status == "" || (t.Goid != nil) != (t.Curg != nil) {
		problem("thread %d: class %q, status %q, goid %v, curg %v", t.Tid, t.Class, t.Status, t.Goid, t.Curg)
	}
}

// A preempted goroutine leaves its thread, but the thread works for no other.
func (t *inspectedThread) judgePin(p *pin) {
	if p == nil || t.Goid == nil {
		return
	}
	p.seen++
	if *t.Goid != p.goid {
		problem("thread %d: goid %d, not %d", t.Tid, *t.Goid, p.goid)
	}
	if t.Status != p.status && t.Status != "runnable" && t.Status != "waiting" {
		problem("goroutine %d: status %q, not %q", p.goid, t.Status, p.status)
	}
	if p.status == "syscall" && t.Class != "kernel" {
		problem("goroutine %d in a system call: class %q", p.goid, t.Class)
	}
}
