// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"regexp"
)

var data = regexp.MustCompile(`(?s)<script id="data"[^>]*>([^<]*)</script>`)

func checkPage(path, fn string) (string, error) {
	page, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	m := data.FindSubmatch(page)
	if m == nil {
		return "", fmt.Errorf("%s: no data", path)
	}
	packed := make([]byte, base64.StdEncoding.DecodedLen(len(m[1])))
	n, err := base64.StdEncoding.Decode(packed, bytes.TrimSpace(m[1]))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed[:n])))
	if err != nil {
		return "", err
	}
	if !bytes.Contains(text, []byte(fn)) {
		problem("%s does not name %s", path, fn)
	}
	return fmt.Sprintf("%d bytes of page, %d of data", len(page), len(text)), nil
}
