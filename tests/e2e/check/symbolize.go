// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// checkSymbolize: `symbolize --json`, written as text, equals the output of `symbolize`.
func checkSymbolize(addrsPath, textPath, jsonPath string) (string, error) {
	var want bytes.Buffer
	addrs, err := os.Open(addrsPath)
	if err != nil {
		return "", err
	}
	objects, err := os.Open(jsonPath)
	if err != nil {
		return "", err
	}
	frames := 0
	asked, lines := bufio.NewScanner(addrs), bufio.NewScanner(objects)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var answer struct {
			Addr   string
			Frames []struct {
				Func, File string
				Line       int
				StartLine  *int `json:"start_line"`
				Inlined    *bool
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			return "", fmt.Errorf("%v: %.80q", err, lines.Text())
		}
		if !asked.Scan() || asked.Text() != answer.Addr {
			problem("answer to %s, not to %s", answer.Addr, asked.Text())
		}
		if answer.Frames == nil {
			problem("no frames: %.80q", lines.Text())
		}
		if len(answer.Frames) == 0 {
			fmt.Fprintln(&want, "?? ??:0")
		}
		for _, f := range answer.Frames {
			frames++
			if f.StartLine == nil || f.Inlined == nil {
				problem("a frame without start_line or inlined: %.80q", lines.Text())
				continue
			}
			mark := ""
			if *f.Inlined {
				mark = " (inlined)"
			}
			fmt.Fprintf(&want, "%s %s:%d%s\n", f.Func, f.File, f.Line, mark)
		}
		fmt.Fprintln(&want)
	}
	text, err := os.ReadFile(textPath)
	if err == nil && !bytes.Equal(text, want.Bytes()) {
		problem("JSON and text differ")
	}
	return fmt.Sprintf("%d frames", frames), err
}
