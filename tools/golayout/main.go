// SPDX-License-Identifier: BSD-2-Clause

// Checks gostrobe's offsets of the runtime's fields: builds a program with each of a list
// of Go toolchains (GOTOOLCHAIN downloads missing ones, about 70 MB each), reads the
// offsets from its DWARF with Go's own debug/dwarf, and compares them with what `gostrobe
// inspect` says of the program without DWARF.
//
// From the top folder, after make:
//
//	go run tools/golayout/main.go [VERSION…]	such as 1.24.9; none: the list below
//
// Run it when a Go release appears. Exit status 1: an offset is wrong.
package main

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The first and the newest release of every minor version, and those before and after a
// field moved.
const versions = `
	1.13 1.13.15 1.14 1.14.15 1.15 1.15.15 1.16 1.16.15 1.17 1.17.13 1.18 1.18.10 1.19 1.19.13
	1.20 1.20.14 1.21.0 1.21.13 1.22.0 1.22.12 1.23.0 1.23.11 1.23.12 1.24.0 1.24.5
	1.24.6 1.24.13 1.25.0 1.25.14 1.26.0 1.26.11 1.27.0 1.27.4`

const program = "package main\n\nfunc main() { println() }\n"

// Names of the fields in inspect and in the runtime.
var fields = []struct{ name, object, field string }{
	{"g_m", "runtime.g", "m"}, {"g_syscallsp", "runtime.g", "syscallsp"},
	{"g_atomicstatus", "runtime.g", "atomicstatus"}, {"g_goid", "runtime.g", "goid"},
	{"g_parentGoid", "runtime.g", "parentGoid"}, {"g_gopc", "runtime.g", "gopc"},
	{"g_startpc", "runtime.g", "startpc"}, {"g_labels", "runtime.g", "labels"},
	{"g_lockedm", "runtime.g", "lockedm"}, {"g_sched_bp", "runtime.gobuf", "bp"},
	{"m_g0", "runtime.m", "g0"}, {"m_procid", "runtime.m", "procid"},
	{"m_gsignal", "runtime.m", "gsignal"}, {"m_curg", "runtime.m", "curg"},
	{"m_isExtraInC", "runtime.m", "isExtraInC"}, {"m_ncgo", "runtime.m", "ncgo"},
	{"m_vdsoSP", "runtime.m", "vdsoSP"},
}

func main() {
	tmp, err := os.MkdirTemp("", "golayout")
	check(err)
	code := run(tmp, os.Args[1:])
	os.RemoveAll(tmp)
	os.Exit(code)
}

func run(tmp string, list []string) int {
	if len(list) == 0 {
		list = strings.Fields(versions)
	}
	check(os.WriteFile(filepath.Join(tmp, "main.go"), []byte(program), 0o666))
	check(os.WriteFile(filepath.Join(tmp, "go.mod"), []byte("module hello\n\ngo 1.13\n"), 0o666))
	var right, wrong, skipped int
	for _, v := range list {
		path := filepath.Join(tmp, "hello")
		if err := build(tmp, v); err != nil {
			fmt.Printf("%-9s skipped: %v\n", v, err)
			skipped++
			continue
		}
		truth, err := measure(path)
		check(err)
		check(exec.Command("strip", path).Run())
		said, err := inspect(path)
		if err != nil {
			fmt.Printf("%-9s %v\n", v, err)
			wrong++
			continue
		}
		text, bad := "", ""
		for _, f := range fields {
			text += fmt.Sprintf(" %s=%d", f.name, truth[f.name])
			if said[f.name] == -1 && strings.HasPrefix(f.name, "m_") {
				continue // moves in patch releases, so it is not claimed
			}
			if said[f.name] != truth[f.name] {
				bad += fmt.Sprintf(" WRONG, %s is said to be %d", f.name, said[f.name])
			}
		}
		fmt.Printf("%-9s%s%s\n", v, text, bad)
		if bad == "" {
			right++
		} else {
			wrong++
		}
	}
	fmt.Printf("%d right, %d wrong, %d skipped\n", right, wrong, skipped)
	if wrong > 0 || right == 0 {
		return 1
	}
	return 0
}

func build(tmp, version string) error {
	// By file: as a package, Go 1.19 cannot be built if its GOROOT is in the module
	// cache.
	cmd := exec.Command("go", "build", "-o", "hello", "main.go")
	cmd.Dir = tmp
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0",
		"GOTOOLCHAIN=go"+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
		return fmt.Errorf("%v: %s", err, lines[len(lines)-1])
	}
	return nil
}

// The offsets of fields[]; -1 where there is no such field. gobuf's are relative to g.
func measure(path string) (map[string]int64, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		return nil, err
	}
	offsets := map[string]int64{}
	for r := data.Reader(); ; {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			break
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		if e.Tag == dwarf.TagStructType &&
			(name == "runtime.g" || name == "runtime.m" || name == "runtime.gobuf") {
			t, err := data.Type(e.Offset)
			if err != nil {
				return nil, err
			}
			for _, f := range t.(*dwarf.StructType).Field {
				offsets[name+"."+f.Name] = f.ByteOffset
			}
		}
	}
	if len(offsets) == 0 {
		return nil, fmt.Errorf("its DWARF has no runtime.g")
	}
	offsets["runtime.gobuf.bp"] += offsets["runtime.g.sched"]
	ret := map[string]int64{}
	for _, f := range fields {
		at, ok := offsets[f.object+"."+f.field]
		if !ok {
			at = -1
		}
		ret[f.name] = at
	}
	return ret, nil
}

// What gostrobe says.
func inspect(path string) (map[string]int64, error) {
	out, err := exec.Command("./gostrobe", "inspect", "--json", path).Output()
	if err != nil {
		return nil, fmt.Errorf("gostrobe inspect: %v", err)
	}
	var said struct {
		Fields map[string]*struct{ Offset int64 } `json:"fields"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, err
	}
	ret := map[string]int64{}
	for _, f := range fields {
		ret[f.name] = -1
		if v := said.Fields[f.name]; v != nil {
			ret[f.name] = v.Offset
		}
	}
	return ret, nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
