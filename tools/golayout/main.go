// SPDX-License-Identifier: BSD-2-Clause

// Checks profiler/golayout.c against the truth: builds a program with each of a list of Go
// toolchains (GOTOOLCHAIN fetches what is missing, about 70 MB each), reads the offsets from its
// DWARF and compares them with what golayout_find() says of that version. From the top folder:
//
//	go run tools/golayout/main.go [VERSION…]	such as 1.24.9; none: the list below
//
// Run it when a Go release appears. Exit status 1 when a row is wrong.
package main

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The first and the newest release of every minor version, and those on either side of a move.
const versions = `
	1.13 1.13.15 1.14 1.14.15 1.15 1.15.15 1.16 1.16.15 1.17 1.17.13 1.18 1.18.10 1.19 1.19.13
	1.20 1.20.14 1.21.0 1.21.13 1.22.0 1.22.12 1.23.0 1.23.11 1.23.12 1.24.0 1.24.5
	1.24.6 1.24.13 1.25.0 1.25.14 1.26.0 1.26.11 1.27.0 1.27.4`

const program = "package main\n\nfunc main() { println() }\n"

// Prints the fields of struct layout in the order of the list below, or why there are none.
const probe = `
#include <stdio.h>
#include "bpf/sample.h"
#include "profiler/golayout.h"
int main(int argc, char **argv)
{
	struct layout l;
	const char *why = "not a version";

	(void)argc;
	if (golayout_find(&l, argv[1], &why))
		return puts(why), 1;
	printf("0 48 %u %u %u %u %u %u %u %u %u %u\n", l.g_syscallsp, l.g_goid, l.g_gopc,
	       l.g_startpc, l.g_parent_goid, l.m_procid, l.m_procid + 8, l.m_curg,
	       l.m_extra_in_c, l.m_ncgo);
}`

var fields = []struct{ object, field string }{
	{"runtime.g", "stack"}, {"runtime.g", "m"}, {"runtime.g", "syscallsp"}, {"runtime.g", "goid"},
	{"runtime.g", "gopc"}, {"runtime.g", "startpc"}, {"runtime.g", "parentGoid"},
	{"runtime.m", "procid"}, {"runtime.m", "gsignal"}, {"runtime.m", "curg"},
	{"runtime.m", "isExtraInC"}, {"runtime.m", "ncgo"},
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
	check(os.WriteFile(filepath.Join(tmp, "probe.c"), []byte(probe), 0o666))
	out, err := exec.Command("cc", "-D_GNU_SOURCE", "-I.", "-o", filepath.Join(tmp, "probe"),
		filepath.Join(tmp, "probe.c"), "profiler/golayout.c",
		"profiler/base/cursor.c").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}

	fmt.Printf("%-9s", "")
	for _, f := range fields {
		fmt.Printf(" %s", label(f.object, f.field))
	}
	fmt.Println()
	var right, wrong, skipped int
	for _, v := range list {
		truth, err := measure(tmp, v)
		if err != nil {
			fmt.Printf("%-9s skipped: %v\n", v, err)
			skipped++
			continue
		}
		// With an exit status of 1 it says why not, which compares as different.
		out, _ := exec.Command(filepath.Join(tmp, "probe"), "go"+v).Output()
		said := strings.TrimSpace(string(out))
		open := strings.Join(truth[:len(truth)-1], " ") + " 0" // for a release candidate
		verdict := "ok"
		if said != strings.Join(truth, " ") && said != open {
			verdict = "WRONG, the table says: " + said
			wrong++
		} else {
			right++
		}
		fmt.Printf("%-9s", v)
		for i, f := range fields {
			fmt.Printf(" %*s", len(label(f.object, f.field)), truth[i])
		}
		fmt.Printf("  %s\n", verdict)
	}
	fmt.Printf("%d right, %d wrong, %d skipped\n", right, wrong, skipped)
	if wrong > 0 || right == 0 {
		return 1
	}
	return 0
}

func label(object, field string) string {
	return strings.TrimPrefix(object, "runtime.") + "." + field
}

// The offsets of fields[] in a program built by that version; "0" where there is no such field.
func measure(tmp, version string) ([]string, error) {
	// By file: as a package, Go 1.19 cannot be built when its GOROOT is in the module cache.
	cmd := exec.Command("go", "build", "-o", "hello", "main.go")
	cmd.Dir = tmp
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0",
		"GOTOOLCHAIN=go"+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
		return nil, fmt.Errorf("%v: %s", err, lines[len(lines)-1])
	}
	file, err := elf.Open(filepath.Join(tmp, "hello"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		return nil, err
	}
	offsets := map[string]string{}
	r := data.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			break
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		if e.Tag == dwarf.TagStructType && (name == "runtime.g" || name == "runtime.m") {
			t, err := data.Type(e.Offset)
			if err != nil {
				return nil, err
			}
			for _, f := range t.(*dwarf.StructType).Field {
				offsets[name+"."+f.Name] = fmt.Sprint(f.ByteOffset)
			}
		}
	}
	if len(offsets) == 0 {
		return nil, fmt.Errorf("its DWARF has no runtime.g")
	}
	var ret []string
	for _, f := range fields {
		at := offsets[f.object+"."+f.field]
		if at == "" {
			at = "0"
		}
		ret = append(ret, at)
	}
	return ret, nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
