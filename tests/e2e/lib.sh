# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2119,SC2120
#
# The start of every end-to-end test:
#
#	. "$(dirname "$0")/lib.sh"
#
# A test reports each problem with problem(), and finish() prints its one line:
# "ok NAME: figures", "not ok NAME: what; what" or "skip NAME: why". Exit status 0 or 1; 77
# for a skip, 78 for a skip that leaves the main job unproven. Whatever happens, the line is
# printed, and no process that was started here stays.
set -Eeuo pipefail
export LC_ALL=C

name=${0##*/}
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
gostrobe=${GOSTROBE:-$top/gostrobe}
bin=$top/.build/e2e # workloads and the checker, put there by build()
tmp=$(mktemp -d "${TMPDIR:-/tmp}/gostrobe-$name.XXXXXX")
problems=()
started=() # pids
verdict=
where=

problem() { problems+=("$*"); }

not_ok() {
	local all
	[ ${#problems[@]} -lt 9 ] || problems=("${problems[@]:0:8}" "and $((${#problems[@]} - 8)) more")
	all=$(printf '; %s' "${problems[@]}" | tr '\n' '|')
	echo "not ok $name: ${all:2}"
}

finish() {
	verdict=1
	[ ${#problems[@]} = 0 ] || { not_ok; exit 1; }
	echo "ok $name${1:+: $1}"
	exit 0
}

skip() {
	verdict=1
	echo "skip $name: $1"
	exit "${2:-77}"
}

cleanup() {
	local status=$?
	[ -z "${E2E_KEEP:-}" ] || echo "kept: $tmp" >&2
	exec 2>/dev/null # the shell's own "Killed"
	for pid in "${started[@]}"; do
		kill -CONT "$pid" 2>/dev/null || true
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait || true
	[ -n "${E2E_KEEP:-}" ] || rm -rf "$tmp"
	if [ -z "$verdict" ]; then
		problem "the test itself stopped, status $status, $where"
		not_ok
		status=1
	fi
	exit "$status"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP
trap 'where="at line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR

# Sets go to the installed Go.
find_go() {
	for go in "${GO:-}" "$(command -v go)" /usr/local/go/bin/go /usr/lib/go-1.*/bin/go; do
		[ -x "$go" ] && break
	done
	[ -x "$go" ] || skip "no Go toolchain" 78
}

# Builds Go programs, in each run, since Go itself knows what has changed.
build() {
	local go
	find_go
	mkdir -p "$bin"
	for dir in tests/workloads tests/e2e/check; do
		(cd "$top/$dir" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
			"$go" build -o "$bin/" ./...)
	done
	(cd "$top/tests/workloads" && CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false \
		"$go" build -buildmode=pie -o "$bin/shortpie" ./short)
}

# Tests that record call this first.
need_recording() {
	[ -x "$gostrobe" ] || { problem "$gostrobe is not there: make"; finish; }
	[ -x "$bin/check" ] || build
	[ "$(id -u)" = 0 ] || skip "recording needs root" 78
	[ -e /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF" 78
	[ -e /proc/sys/kernel/perf_event_paranoid ] || skip "this kernel has no perf events" 78
}

# until_true SECONDS COMMAND…: repeats it; false if the time is over, which is four times as long,
# because a busy machine is slower.
until_true() {
	local end=$((SECONDS + 4 * $1 + 1))
	shift
	until "$@" 2>/dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# start FILE COMMAND…: in the background, stdout to FILE, our stdin; sets pid.
start() {
	local file=$1
	shift
	: >"$file" # so that nobody reads what an earlier command left
	"$@" <&0 >"$file" 2>"$file.err" &
	pid=$!
	started+=("$pid")
}

# start_workload NAME ARGS…: waits for its first line; its stdout is in $tmp/NAME.
start_workload() {
	start "$tmp/$1" "$bin/$1" "${@:2}"
	until_true 60 test -s "$tmp/$1" || problem "workload $1 does not start"
}

# Has the process ended, reaped or not?
ended() {
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	'' | Z*) ;;
	*) return 1 ;;
	esac
}

sampling() {
	local events
	events=$(find "/proc/$1/fd" -lname '*perf_event*' 2>/dev/null | wc -l)
	[ "$events" -ge "$(getconf _NPROCESSORS_ONLN)" ]
}

# record ARGS…: runs "gostrobe record ARGS" in the background until it samples; sets
# recorder. Its stdout and stderr are in $tmp/rec and $tmp/rec.err. Ends the test if that
# fails.
record() {
	start "$tmp/rec" "$gostrobe" record "$@"
	recorder=$pid
	sampling_or_ended() { sampling "$recorder" || ended "$recorder"; }
	until_true 120 sampling_or_ended || { problem "record $*: does not sample after 120 s"; finish; }
	sleep 0.2
	! ended "$recorder" || { problem "record $*: ended at once: $(first_line "$tmp/rec.err")"; finish; }
}

# record_end [SIGNAL]: waits until it has ended; sets status. Its last message must be the
# summary line.
record_end() {
	[ -z "${1:-}" ] || kill -"$1" "$recorder" 2>/dev/null || true
	if ! until_true 60 ended "$recorder"; then
		problem "record does not end"
		kill -KILL "$recorder"
	fi
	status=0
	wait "$recorder" || status=$?
}

# The recorder ended with status 0, lost nothing and said so.
record_fine() {
	[ "$status" = 0 ] || problem "record exits with $status: $(first_line "$tmp/rec.err")"
	grep -Eq '[0-9]+ (samples|calls?).* 0 lost' "$tmp/rec.err" ||
		problem "no truth line with 0 lost: $(tail -n 1 "$tmp/rec.err")"
}

# code_of PID: a sum of the code of its program, as it is in memory.
code_of() {
	local range
	range=$(awk -v path="$(readlink "/proc/$1/exe")" '$2 ~ /x/ && $6 == path { print $1; exit }' "/proc/$1/maps")
	dd if="/proc/$1/mem" bs=4096 iflag=skip_bytes,count_bytes status=none skip=$((16#${range%-*})) count=$((16#${range#*-} - 16#${range%-*})) | md5sum
}

first_line() { sed -n 1p "$1"; }

# run COMMAND…: in the foreground, at most 60 s; sets status; $tmp/out and $tmp/err.
run() {
	status=0
	timeout -k 2 60 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	[ $status -ne 124 ] || problem "does not end in 60 s: $*"
	! grep -aq '(null)' "$tmp/out" "$tmp/err" || problem "says (null): $*"
}

# expect STATUS PATTERN COMMAND…: runs it and expects that exit status, and stderr to match
# the extended regular expression, or to be empty if PATTERN is.
expect() {
	local want=$1 pattern=$2
	shift 2
	run "$@"
	local what="${*##*/}" # without directories
	if [ "$status" != "$want" ]; then
		problem "$what: exit status $status, not $want: $(first_line "$tmp/err")"
	elif [ -z "$pattern" ] && [ -s "$tmp/err" ]; then
		problem "$what: says $(first_line "$tmp/err")"
	elif [ -n "$pattern" ] && ! grep -Eq -- "$pattern" "$tmp/err"; then
		problem "$what: nothing like '$pattern' in: $(first_line "$tmp/err")"
	fi
}

# one_line: what run() left on stderr is one line that starts with our name.
one_line() {
	[ "$(wc -l <"$tmp/err")" = 1 ] && grep -q '^gostrobe: ' "$tmp/err" ||
		problem "$1: not one clear line: $(head -c 200 "$tmp/err" | tr '\n' '|')"
}

# samples FILE [REGEX]: counts samples of folded lines, all or those that match; 0 without a
# file.
samples() { { grep -sE -- "${2:-.}" "$1" || true; } | awk '{ n += $NF } END { print n + 0 }'; }

# taken N FILE [REGEX [EXPORT-ARGS…]]: does the recording, which may still grow, have that
# many samples of such stacks? For until_true, because a busy machine takes longer for them.
taken() {
	"$gostrobe" export -q -f folded "${@:4}" "$2" >"$tmp/taken" 2>/dev/null || return 1
	[ "$(samples "$tmp/taken" "${3:-.}")" -ge "$1" ]
}

# judged check-ARGS…: sets figures, or adds the checker's problems.
judged() {
	if ! figures=$("$bin/check" "$@" 2>&1); then
		while read -r line; do problem "$line"; done <<<"$figures"
	fi
}

# The CPU time of a process so far, in ms.
cpu_ms() {
	local f
	read -r -a f <<<"$(sed 's/.*) //' "/proc/$1/stat")"
	echo $(((f[11] + f[12]) * 1000 / $(getconf CLK_TCK)))
}
