# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the kernel counts of BPF programs: to be sourced.

# The counters cost each run about 30 ns, so they are on only for as long as we look.
bpf_stats_on() {
	bpf_stats_were=$(cat /proc/sys/kernel/bpf_stats_enabled)
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
}

bpf_stats_off() { echo "${bpf_stats_were:-0}" >/proc/sys/kernel/bpf_stats_enabled; }

# bpf_stats PID: "NS RUNS" so far of the perf_event programs (type 7) that the process holds (Linux 5.12).
bpf_stats() {
	awk '
		FNR == 1 { type = 0 }
		/^prog_type:/ { type = $2 }
		/^prog_id:/ { id = $2 }
		/^run_time_ns:/ && type == 7 { ns[id] = $2 }
		/^run_cnt:/ && type == 7 { runs[id] = $2 }
		END { for (i in ns) { t += ns[i]; n += runs[i] } printf "%.0f %.0f\n", t, n }' "/proc/$1/fdinfo/"* 2>/dev/null || true
}
