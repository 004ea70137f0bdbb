# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the benches share: to be sourced after tests/e2e/lib.sh.

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# A figure for tools/bench/all, which says where in BENCH_ROWS:
#
#	row SECTION WHAT OURS PEER GOAL [PEER'S NAME [SPREAD]]
#
# WHAT says the unit. PEER: "" is none, "missing" is one that is not on this machine. GOAL:
# "<= 0.25" or ">= 20" of ours to PEER, or without a PEER of ours itself; "" is none. SPREAD:
# of the ratio over the runs, "0.21-0.30".
row() {
	local IFS=$'\t'
	[ -z "${BENCH_ROWS:-}" ] || echo "$1	$2	$3	$4	$5	${6:-}	${7:-}" >>"$BENCH_ROWS"
}

# The share of the CPUs' time in which nothing ran during the last N seconds, in percent.
idle_percent() {
	local a b
	a=$(sed -n '1p' /proc/stat)
	sleep "$1"
	b=$(sed -n '1p' /proc/stat)
	echo "$a $b" | awk '{ for (i = 2; i <= 9; i++) { all += $(i + 11) - $i } print int(100 * ($16 - $5 + $17 - $6) / all) }'
}

# Ends the bench if the machine has other work, which ratios would be about.
need_quiet() {
	local idle
	idle=$(idle_percent 3)
	[ "$idle" -ge "${BENCH_IDLE:-90}" ] ||
		{ verdict=1; echo "not quiet: the CPUs are idle for $idle% of the time, not ${BENCH_IDLE:-90}% (BENCH_IDLE=0 goes on)" >&2; exit 3; }
}
