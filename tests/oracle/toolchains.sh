# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# The common part of check-pcs, check-ids, check-steps and check-pairs, which do the same with
# each of several versions of Go.
#
#	. "$(dirname "$0")/toolchains.sh"
#	each_go try "$@"
#
# A Go is the path of a go command, or a version for GOTOOLCHAIN. If it is available, try is
# called in $src with go, version ("go1.22.3") and minor (22) set and GOTOOLCHAIN exported. It
# counts with equal(), failed() and skip(). At the end a line of those counts is printed, and
# the exit status is 1 if something failed.
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

newest=$(command -v go || ls /usr/local/go/bin/go /usr/lib/go-1.*/bin/go 2>/dev/null | head -n 1)
# Go 1.19's index of packages does not find those of our modules.
export GOENV=off GOFLAGS='' GO111MODULE=on GODEBUG=goindex=0
equal=0 skipped=0 failed=0

equal() { equal=$((equal + 1)); }
failed() { failed=$((failed + 1)); }

# skip WHAT WHY
skip() {
	echo "$1: skipped: $2"
	skipped=$((skipped + 1))
}

# does_not_build WHAT: the reason is in $tmp/why.
does_not_build() {
	echo "$1: does not build: $(grep -v '^#' "$tmp/why" | tail -n 3 | cut -c 1-300)"
	failed
}

each_go() {
	try=$1
	shift
	for go in "$@"; do
		case $go in
		/*)	GOTOOLCHAIN=local ;;
		*)	GOTOOLCHAIN=go${go#go} go=$newest ;;
		esac
		export GOTOOLCHAIN
		cd "$src" || exit 2
		version=$(timeout 300 "$go" version 2>"$tmp/why" | cut -d ' ' -f 3)
		case $GOTOOLCHAIN in
		local|"$version")	;;
		*)	version= ;;
		esac
		if [ -z "$version" ]; then
			skip "$go ($GOTOOLCHAIN)" "$(tail -n 1 "$tmp/why" | grep . || echo "this Go fetches no others")"
			continue
		fi
		minor=${version#go1.} minor=${minor%%[!0-9]*}
		"$try"
	done
	echo "$equal equal, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
