// SPDX-License-Identifier: BSD-2-Clause

//go:build !go1.15
// +build !go1.15

package dump

import (
	"runtime"
	"strings"
	"unsafe"
)

// As in runtime/symtab.go and funcdata.go of Go 1.13 and 1.14.
type funcInfo struct{ fn, datap unsafe.Pointer }

type inlinedCall struct {
	parent   int16
	funcID   uint8
	_        byte
	file     int32
	line     int32
	func_    int32
	parentPc int32
}

const (
	inlTreeIndex = 2
	inlTree      = 4
)

func isWrapper(funcID uint8) bool {
	if strings.HasPrefix(runtime.Version(), "go1.13") {
		return funcID == 20
	}
	return funcID == 22
}

//go:linkname findfunc runtime.findfunc
func findfunc(pc uintptr) funcInfo

//go:linkname funcdata runtime.funcdata
func funcdata(f funcInfo, i uint8) unsafe.Pointer

//go:linkname pcdatavalue1 runtime.pcdatavalue1
func pcdatavalue1(f funcInfo, table int32, pc uintptr, cache unsafe.Pointer, strict bool) int32

//go:linkname elideWrapperCalling runtime.elideWrapperCalling
func elideWrapperCalling(id uint8) bool

// frames does for one address what Go 1.15's runtime_expandFinalInlineFrame does. Go 1.13
// has none, and that of 1.14 throws at the padding after a function. The steps from a call
// to its caller are those of its loop and of 1.13's gentraceback; all answers are the
// runtime's.
func frames(pc uintptr) []frame {
	var all []frame
	add := func() {
		f := runtime.FuncForPC(pc) // of the innermost call there
		file, line := f.FileLine(pc)
		all = append(all, frame{f.Name(), file, line, -1})
	}
	info := findfunc(pc)
	callee := uint8(0)
	if tree := (*[1 << 20]inlinedCall)(funcdata(info, inlTree)); tree != nil {
		for {
			ix := pcdatavalue1(info, inlTreeIndex, pc, nil, false)
			if ix < 0 {
				break
			}
			if !isWrapper(tree[ix].funcID) || !elideWrapperCalling(callee) {
				add()
			}
			callee = tree[ix].funcID
			pc = entry(pc) + uintptr(tree[ix].parentPc)
		}
	}
	add()
	return all
}
