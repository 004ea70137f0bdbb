// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// field is a field of a protobuf message: a number, or bytes.
type field struct {
	id    uint64
	num   uint64
	bytes []byte
}

func fields(b []byte) (all []field, err error) {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key&7 != 0 && key&7 != 2 {
			return nil, fmt.Errorf("not a profile")
		}
		v, m := binary.Uvarint(b[n:])
		if m <= 0 || key&7 == 2 && v > uint64(len(b)-n-m) {
			return nil, fmt.Errorf("not a profile")
		}
		f := field{id: key >> 3, num: v}
		b = b[n+m:]
		if key&7 == 2 {
			f.bytes, b = b[:v], b[v:]
		}
		all = append(all, f)
	}
	return all, nil
}

// readProfile reads a runtime/pprof profile and its string table.
func readProfile(path string) (profile []field, text []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(zip)
	if err != nil {
		return nil, nil, err
	}
	profile, err = fields(data)
	for _, f := range profile {
		if f.id == 6 { // string_table
			text = append(text, string(f.bytes))
		}
	}
	return profile, text, err
}

// readTag counts the samples of a runtime/pprof profile by the value of a label; "" is
// without.
func readTag(path, key string) (map[string]int, error) {
	profile, text, err := readProfile(path)
	if err != nil {
		return nil, err
	}
	tags := make(map[string]int)
	for _, f := range profile {
		if f.id != 2 { // sample
			continue
		}
		sample, err := fields(f.bytes)
		if err != nil {
			return nil, err
		}
		tag, count := "", -1
		for _, f := range sample {
			switch f.id {
			// value: the first is the count; packed if there are several
			case 2:
				v, n := binary.Uvarint(f.bytes)
				if n <= 0 {
					v = f.num
				}
				if count < 0 {
					count = int(v)
				}
			case 3: // label
				label, err := fields(f.bytes)
				if err != nil {
					return nil, err
				}
				var l [3]uint64
				for _, f := range label {
					if f.id < 3 {
						l[f.id] = f.num
					}
				}
				if l[1] < uint64(len(text)) && l[2] < uint64(len(text)) && text[l[1]] == key {
					tag = text[l[2]]
				}
			}
		}
		tags[tag] += count
	}
	return tags, nil
}
