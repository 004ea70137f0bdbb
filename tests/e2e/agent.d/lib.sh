# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# What tests of the agent share; they read lib.sh of e2e before it, and set helpers.

# receiver DIR [ADDRESS [PORT]]: starts it; sets port.
receiver() {
	mkdir -p "$1"
	rm -f "$1/port"
	start "$1/log" python3 "$helpers/receiver.py" "$@"
	receiver_pid=$pid
	until_true 20 test -s "$1/port" || { problem "the receiver does not start"; finish; }
	port=$(cat "$1/port")
}

mode() { printf '%s\n' "$2" >"$1/mode.new" && mv "$1/mode.new" "$1/mode"; }

# agent ARGS…: in the background, until it samples; sets agent.
agent() {
	start "$tmp/agent" "$gostrobe" agent "$@"
	agent=$pid
	until_true 60 sampling "$agent" || { problem "agent $*: does not sample: $(first_line "$tmp/agent.err")"; finish; }
}

# agent_end: SIGTERM; sets status and took, in ms.
agent_end() {
	local begin
	begin=$(date +%s%N)
	kill -TERM "$agent"
	until_true 20 ended "$agent" || { problem "agent does not end"; kill -KILL "$agent"; }
	took=$((($(date +%s%N) - begin) / 1000000))
	status=0
	wait "$agent" || status=$?
	[ $status = 0 ] || problem "agent: exit status $status: $(tail -n 2 "$tmp/agent.err" | tr '\n' '|')"
}

# of DIR WHAT: a figure of the agent's last line on the receiver.
of() { sed -n "s|.* msg=stopped receiver=[^ ]*$1 .*$2=\([0-9]*\).*|\1|p" "$tmp/agent.err"; }

requests() { { cat "$1/requests" 2>/dev/null || true; } | wc -l; }
kept() { find "$1" -maxdepth 1 -name '????????-????-4???-*' | wc -l; }
has_kept() { [ "$(kept "$1")" -ge "$2" ]; }
