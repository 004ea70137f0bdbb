/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/cmd/condition.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/file.h"
#include "profiler/kernel/bpfload.h"

#define SYSCTL "/proc/sys/kernel/"

/* CAP_SYS_ADMIN includes the newer capabilities that were split off it */
enum { CAP_ADMIN = 21 };

static const struct {
	int bit;
	bool admin; /* CAP_SYS_ADMIN includes it */
	enum verdict without;
	const char *name, *missing, *fix;
} capabilities[] = {
	{ 39, true, VERDICT_FAIL, "CAP_BPF", "the kernel side cannot be loaded",
	  "run as root (sudo), or give gostrobe the capabilities: "
	  "setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep gostrobe" },
	{ 38, true, VERDICT_FAIL, "CAP_PERFMON", "CPUs cannot be sampled",
	  "run as root (sudo), or give gostrobe the capabilities: "
	  "setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep gostrobe" },
	{ 19, false, VERDICT_DEGRADED, "CAP_SYS_PTRACE",
	  "only your own processes can be inspected",
	  "add cap_sys_ptrace to the capabilities of gostrobe (setcap)" },
	{ 2, false, VERDICT_DEGRADED, "CAP_DAC_READ_SEARCH",
	  "functions in files you may not read will have no names",
	  "add cap_dac_read_search to the capabilities of gostrobe (setcap)" },
	{ 40, true, VERDICT_DEGRADED, "CAP_CHECKPOINT_RESTORE",
	  "functions in deleted libraries will have no names",
	  "add cap_checkpoint_restore to the capabilities of gostrobe (setcap)" },
	{ 34, false, VERDICT_DEGRADED, "CAP_SYSLOG", "kernel functions may have no names",
	  "add cap_syslog to the capabilities of gostrobe (setcap)" },
};

void condition_add(struct conditions *c, const char *name, enum verdict verdict,
		   const char *fix, const char *fmt, ...)
{
	struct condition *row = table_add(c->rows, c->n, c->cap);
	va_list args;

	row->name = name;
	row->verdict = verdict;
	row->fix = verdict == VERDICT_OK ? NULL : fix;
	va_start(args, fmt);
	vsnprintf(row->state, sizeof(row->state), fmt, args);
	va_end(args);
}

void conditions_release(struct conditions *c)
{
	free(c->rows);
}

static void add_kernel(struct conditions *c)
{
	bool btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	struct utsname u = { 0 };
	int major = 0, minor = 0, version;

	uname(&u);
	sscanf(u.release, "%d.%d", &major, &minor);
	version = major * 1000 + minor;
	/* ring buffers came with 5.8; 5.10 is the oldest supported kernel */
	condition_add(c, "kernel", version < 5010 ? VERDICT_FAIL : VERDICT_OK,
		      "this kernel is too old: 5.10 or later is needed", "%s%s", u.release,
		      version < 5015 ? " (uses the sampler for kernels before 5.15)" : "");
	condition_add(c, "BTF of the kernel", btf ? VERDICT_OK : VERDICT_FAIL,
		      "this kernel has no BTF (/sys/kernel/btf/vmlinux): one built with "
		      "CONFIG_DEBUG_INFO_BTF=y is needed",
		      btf ? "present" : "absent");
}

static void add_namespaces(struct conditions *c)
{
	char line[64];
	/* the initial one maps all ids: "0 0 4294967295" */
	bool user = !strstr(file_line(line, "", "/proc/self/uid_map"), "4294967295");
	bool box = !access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK);

	condition_add(
		c, "user namespace", user ? VERDICT_FAIL : VERDICT_OK,
		"this is a user namespace, where the kernel forbids BPF and perf events for "
		"everybody: record from outside the container",
		user ? "not the initial one" : "the initial one");
	condition_add(c, "pid namespace", VERDICT_OK, NULL,
		      bpfload_pidns() ? "not the initial one: its processes can be "
					"recorded, by their ids inside"
				      : "the initial one");
	condition_add(c, "container", VERDICT_OK, NULL,
		      box ? "inside one: start it with --privileged, or --cap-add the "
			    "capabilities, and with --pid=host to see other processes"
			  : "none detected");
}

static void add_capabilities(struct conditions *c)
{
	char line[64];
	unsigned long long caps = strtoull(file_line(line, "CapEff:", "/proc/self/status"),
					   NULL, 16);

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++) {
		bool held = caps >> capabilities[i].bit & 1 ||
			    (capabilities[i].admin && caps >> CAP_ADMIN & 1);

		condition_add(c, capabilities[i].name,
			      held ? VERDICT_OK : capabilities[i].without,
			      capabilities[i].fix, held ? "held" : "missing: %s",
			      capabilities[i].missing);
	}
}

/* Settings that bind only users without the capabilities above; shown for information. */
static void add_settings(struct conditions *c)
{
	char line[64];
	const char *v = file_line(line, "", SYSCTL "perf_event_paranoid");
	bool closed;

	condition_add(c, "perf_event_paranoid", *v ? VERDICT_OK : VERDICT_FAIL,
		      "this kernel was built without perf events (CONFIG_PERF_EVENTS)",
		      *v ? "%s (only matters without CAP_PERFMON)"
			 : "absent: no perf events%s",
		      v);
	v = file_line(line, "", SYSCTL "perf_event_max_sample_rate");
	condition_add(
		c, "perf_event_max_sample_rate",
		!*v || atoi(v) >= 99 ? VERDICT_OK : VERDICT_DEGRADED,
		"sysctl kernel.perf_event_max_sample_rate=100000; until then this is the "
		"highest -F",
		"%s", *v ? v : "absent");
	v = file_line(line, "", SYSCTL "unprivileged_bpf_disabled");
	condition_add(c, "unprivileged_bpf_disabled", *v ? VERDICT_OK : VERDICT_FAIL,
		      "this kernel was built without BPF (CONFIG_BPF_SYSCALL)",
		      *v ? "%s (only matters without CAP_BPF)" : "absent: no BPF%s", v);
	v = file_line(line, "", "/proc/sys/net/core/bpf_jit_enable");
	condition_add(c, "bpf_jit_enable", *v == '0' ? VERDICT_DEGRADED : VERDICT_OK,
		      "sysctl net.core.bpf_jit_enable=1",
		      *v == '0' ? "0: a sample takes several times as long" : "%s",
		      *v ? v : "absent");
	v = file_line(line, "", "/sys/kernel/security/lockdown");
	closed = strstr(v, "[confidentiality]");
	condition_add(c, "lockdown", closed ? VERDICT_FAIL : VERDICT_OK,
		      "kernel lockdown hides memory from BPF: boot with lockdown=integrity",
		      "%s", *v ? v : "absent");
	v = file_line(line, "", SYSCTL "yama/ptrace_scope");
	condition_add(
		c, "ptrace_scope", *v == '3' ? VERDICT_DEGRADED : VERDICT_OK,
		"inspect cannot read thread pointers by ptrace; only a reboot changes 3",
		"%s", *v ? v : "absent");
	v = file_line(line, "", SYSCTL "nmi_watchdog");
	condition_add(c, "nmi_watchdog", VERDICT_OK, NULL,
		      *v == '1' ? "1: uses one counter of each CPU" : "%s",
		      *v ? v : "absent");
	v = file_line(line, "Seccomp:", "/proc/self/status");
	condition_add(c, "seccomp", VERDICT_OK, NULL,
		      *v == '2' ? "a filter is active; it may forbid bpf() and "
				  "perf_event_open()"
				: "no filter");
}

void conditions_read(struct conditions *c)
{
	add_kernel(c);
	add_namespaces(c);
	add_capabilities(c);
	add_settings(c);
}

const char *files_fix(int err)
{
	if (err == -EMFILE)
		return "gostrobe may not open more files: raise the limit (ulimit -n), which has "
		       "to allow for several files per CPU";
	if (err == -ENFILE)
		return "the whole machine may not open more files: raise the limit (sysctl "
		       "fs.file-max)";
	return NULL;
}

const char *unknown_fix(const char *what, int err)
{
	const char *fix = files_fix(err);

	if (fix)
		return fix;
	if (err == -ENOSYS)
		return "this kernel was built without BPF or perf events";
	if (!strncmp(what, "bpf(BPF_PROG_LOAD", 17) &&
	    (err == -EACCES || err == -EINVAL || err == -E2BIG))
		return "this kernel's verifier refuses gostrobe's program, which is a bug in gostrobe: "
		       "please report it with the kernel version and the output of record -v";
	return "denied by something gostrobe cannot see, such as a container's seccomp profile "
	       "or a security module";
}
