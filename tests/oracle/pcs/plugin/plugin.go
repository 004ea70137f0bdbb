// SPDX-License-Identifier: BSD-2-Clause

// Plugin is a second Go module in one process, with code of its own.
package main

import (
	"encoding/xml"
	"os"
	"text/template"
)

// Inside is a function of this module.
func Inside() {
	template.Must(template.New("").Parse("{{.}}")).Execute(os.Stdout, 1)
	xml.NewEncoder(os.Stdout).Encode(1)
}

func main() {}
