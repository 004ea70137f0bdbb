// SPDX-License-Identifier: BSD-2-Clause

// Ladder-check GOSTROBE BINARY compares what "gostrobe symbolize" says about the functions
// of a Go program with what debug/gosym reads from the same table: the list of all
// functions, and function, file and line at the entry of each. Prints one line; fails at a
// difference, and at a function without a name. If this Go's gosym cannot read a table, the
// line says so, and only names are required.
package main

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"debug/gosym"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const (
	textStart      = 24  // in the table's header since Go 1.18; 0 since 1.26
	moduledataText = 176 // in .go.module, which Go 1.26 brought
)

type function struct {
	entry uint64
	name  string
}

type answer struct{ name, at string }

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ladder-check GOSTROBE BINARY")
		os.Exit(2)
	}
	said, err := check(os.Args[1], os.Args[2])
	if err != nil {
		said = "FAILED: " + err.Error()
	}
	fmt.Println(said)
	if err != nil {
		os.Exit(1)
	}
}

func check(gostrobe, binary string) (string, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", err
	}
	listed, err := list(gostrobe, binary)
	if err != nil {
		return "", err
	}
	answers, err := entries(gostrobe, binary, listed)
	if err != nil {
		return "", err
	}
	nameless := 0
	for i, f := range listed {
		if f.name == "" || answers[i].name == "??" {
			fmt.Fprintf(os.Stderr, "%#x: no name (%q in the list)\n", f.entry, f.name)
			nameless++
		}
	}
	if nameless > 0 {
		return "", fmt.Errorf("%s: %d of %d functions without a name", info.GoVersion, nameless, len(listed))
	}
	named := fmt.Sprintf("%s: %d functions, all with names", info.GoVersion, len(listed))
	table, err := gosymTable(binary)
	if err != nil {
		return named + " (not compared: " + err.Error() + ")", nil
	}
	different := compare(listed, answers, table)
	if different > 0 {
		return "", fmt.Errorf("%s; %d different from gosym's", named, different)
	}
	return fmt.Sprintf("%s; %d compared with gosym, 0 different", named, len(table.Funcs)), nil
}

// list parses lines "address size name\tfile:line".
func list(gostrobe, binary string) ([]function, error) {
	out, err := exec.Command(gostrobe, "symbolize", "--list", binary).Output()
	if err != nil {
		return nil, fmt.Errorf("symbolize --list: %v", err)
	}
	var all []function
	for _, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		var f function
		var size uint64
		what, _, _ := strings.Cut(line, "\t")
		if n, err := fmt.Sscanf(what, "%x %x", &f.entry, &size); n != 2 {
			return nil, fmt.Errorf("%q: %v", line, err)
		}
		if words := strings.SplitN(what, " ", 3); len(words) == 3 {
			f.name = words[2]
		}
		all = append(all, f)
	}
	return all, nil
}

// entries queries each function's entry: the name is that of the outermost frame, file and
// line are those of the innermost.
func entries(gostrobe, binary string, funcs []function) ([]answer, error) {
	var in bytes.Buffer
	for _, f := range funcs {
		fmt.Fprintf(&in, "%x\n", f.entry)
	}
	cmd := exec.Command(gostrobe, "symbolize", binary)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("symbolize: %v", err)
	}
	var all []answer
	var a answer
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), " (inlined)")
		if line == "" {
			all = append(all, a)
			a = answer{}
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		if space < 0 {
			return nil, fmt.Errorf("symbolize says %q", line)
		}
		a.name = line[:space]
		if a.at == "" {
			a.at = line[space+1:]
		}
	}
	if len(all) != len(funcs) {
		return nil, fmt.Errorf("%d answers to %d addresses", len(all), len(funcs))
	}
	return all, nil
}

func gosymTable(path string) (table *gosym.Table, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("gosym: %v", p)
		}
	}()
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := func(names ...string) []byte {
		for _, name := range names {
			if s := f.Section(name); s != nil {
				data, _ := s.Data()
				return data
			}
		}
		return nil
	}
	pclntab := section(".gopclntab", ".data.rel.ro.gopclntab")
	if len(pclntab) < textStart+8 {
		return nil, fmt.Errorf("no section .gopclntab")
	}
	text := binary.LittleEndian.Uint64(pclntab[textStart:])
	if module := section(".go.module"); text == 0 && len(module) >= moduledataText+8 {
		text = binary.LittleEndian.Uint64(module[moduledataText:])
	}
	table, err = gosym.NewTable(nil, gosym.NewLineTable(pclntab, text))
	if err == nil && len(table.Funcs) == 0 {
		err = fmt.Errorf("this Go's gosym does not know the table")
	}
	return table, err
}

// shown is the name as the runtime prints it since Go 1.21 (funcNameForPrint).
func shown(name string) string {
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if i < 0 || j < i {
		return name
	}
	return name[:i] + "[...]" + name[j+1:]
}

// compare counts the functions that differ, and shows the first few.
func compare(listed []function, answers []answer, table *gosym.Table) int {
	ours := map[uint64]int{}
	for i, f := range listed {
		ours[f.entry] = i
	}
	different := 0
	differ := func(entry uint64, we, gosym string) {
		if different++; different <= 10 {
			fmt.Fprintf(os.Stderr, "%#x: we %q, gosym %q\n", entry, we, gosym)
		}
	}
	for _, f := range table.Funcs {
		file, line, _ := table.PCToLine(f.Entry)
		at := fmt.Sprintf("%s:%d", file, line)
		if file == "" {
			at = "?:0" // what the runtime says then
		}
		i, ok := ours[f.Entry]
		switch {
		case !ok:
			differ(f.Entry, "", f.Name)
		case listed[i].name != f.Name:
			differ(f.Entry, listed[i].name, f.Name)
		case answers[i].name != f.Name && answers[i].name != shown(f.Name):
			differ(f.Entry, answers[i].name, shown(f.Name))
		case answers[i].at != at:
			differ(f.Entry, answers[i].at, at)
		}
	}
	return different
}
