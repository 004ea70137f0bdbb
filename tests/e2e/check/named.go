// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"fmt"
	"regexp"
	"strings"
)

var unnamed = regexp.MustCompile(`^(.+)\+0x[0-9a-f]+$`)

// checkNamed: a Go frame without a name may only be one of the program's own module, or of
// no module, above a Go frame or at the leaf. Below all Go frames is the C code that
// started the thread, which a stripped program does not name. [cut] marks a stack without a
// root; one in a hundred may have it.
func checkNamed(name, path string) (string, error) {
	stacks, err := readFolded(path)
	if err != nil {
		return "", err
	}
	samples, frames, other, owned, cut := 0, 0, 0, 0, 0
	bad := make(map[string]int)
	for _, s := range stacks {
		samples += s.n
		if id, _ := s.owner(); id != 0 || classes[s.frames[0]] {
			owned += s.n
		} else {
			problem("neither goroutine nor class: %q", s.frames[0])
		}
		inGo := false
		for _, f := range s.frames[1:] {
			frames += s.n
			m := unnamed.FindStringSubmatch(f)
			switch {
			case strings.HasSuffix(f, "_[k]"), f == "[vdso]":
			case f == "[cut]":
				cut += s.n
			case m == nil && !strings.HasPrefix(f, "0x") && f[0] != '[':
				inGo = inGo || strings.Contains(f, ".") // clone3, start_thread: C
			case m != nil && m[1] != name || !inGo && m != nil:
				other += s.n
			default:
				bad[f] += s.n
			}
		}
	}
	for f, n := range bad {
		problem("no name: %s, %d samples", f, n)
	}
	if cut*100 > samples {
		problem("%d of %d samples are cut", cut, samples)
	}
	if samples == 0 {
		problem("no samples")
	}
	return fmt.Sprintf("%d samples, all with goroutine or class, %d cut; %d frames, %d of them of other files by address",
		owned, cut, frames, other), nil
}
