/* SPDX-License-Identifier: BSD-2-Clause */
/* The one screen that says why this machine, or this user, cannot record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "profiler/base/file.h"
#include "profiler/cmd/cmd.h"

#include <fcntl.h>

static const struct {
	int bit;
	const char *name, *use;
} capabilities[] = {
	{ 39, "CAP_BPF", "load the kernel side" },
	{ 38, "CAP_PERFMON", "sample the CPUs" },
	{ 19, "CAP_SYS_PTRACE", "read the target's mappings" },
	{ 21, "CAP_SYS_ADMIN", "stands for the first two before Linux 5.8" },
};

/* First line of a small file in /proc or /sys; "" when there is none. */
static const char *first_line(const char *path, char *line, size_t size)
{
	struct buf b = { 0 };
	size_t n = 0;

	if (!file_read(AT_FDCWD, path, 1 << 16, &b))
		for (; n < b.len && n < size - 1 && b.data[n] != '\n'; n++)
			line[n] = (char)b.data[n];
	line[n] = 0;
	buf_release(&b);
	return line;
}

static unsigned long long effective_capabilities(void)
{
	struct buf b = { 0 };
	unsigned long long caps = 0;
	const char *line;

	if (!file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &b)) {
		buf_u8(&b, 0);
		line = strstr((char *)b.data, "CapEff:");
		if (line)
			caps = strtoull(line + 7, NULL, 16);
	}
	buf_release(&b);
	return caps;
}

static void say_setting(const char *name, const char *path, const char *absent)
{
	char line[64];

	first_line(path, line, sizeof(line));
	fprintf(stderr, "  %-28s %s\n", name, *line ? line : absent);
}

static bool in_user_namespace(void)
{
	char line[64];

	/* the initial one maps all ids: "0 0 4294967295" */
	return !strstr(first_line("/proc/self/uid_map", line, sizeof(line)), "4294967295");
}

/* Ring buffers and reading the kernel's own types came with 5.8; 5.10 is what is looked after. */
static bool kernel_too_old(void)
{
	struct utsname u;
	int major, minor;

	return !uname(&u) && sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 10));
}

static const char *mend(int err, bool lacks)
{
	if (kernel_too_old())
		return "this kernel is too old: 5.10 or later is needed";
	if (in_user_namespace())
		return "this is a user namespace, where the kernel forbids BPF and perf events to everybody:\n"
		       "  record from outside of the container";
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "this kernel has no BTF (/sys/kernel/btf/vmlinux): one built with\n"
		       "  CONFIG_DEBUG_INFO_BTF=y is needed";
	if (lacks)
		return "run as root (sudo), or give the program what it needs:\n"
		       "  setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep gostrobe";
	if (err == -ENOSYS)
		return "this kernel was built without BPF or perf events";
	return "the capabilities are there, so something else forbids it: a container's seccomp\n"
	       "  profile, or kernel lockdown";
}

void say_cannot_record(const char *what, int err)
{
	unsigned long long caps = effective_capabilities();
	bool lacks = !(caps >> 21 & 1) && (~caps & (1ull << 39 | 1ull << 38));

	fprintf(stderr, "gostrobe: cannot record: %s: %s (errno %d)\n\n", what,
		strerror(-err), -err);
	say_setting("kernel", "/proc/sys/kernel/osrelease", "unknown");
	say_setting("perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid",
		    "absent: no perf events");
	say_setting("unprivileged_bpf_disabled",
		    "/proc/sys/kernel/unprivileged_bpf_disabled", "absent: no BPF");
	fprintf(stderr, "  %-28s %s\n", "BTF of the kernel",
		access("/sys/kernel/btf/vmlinux", R_OK) ? "absent" : "present");
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
		fprintf(stderr, "  %-28s %s (%s)\n", capabilities[i].name,
			caps >> capabilities[i].bit & 1 ? "held" : "missing",
			capabilities[i].use);
	fprintf(stderr, "\n  %s\n", mend(err, lacks));
	if (!access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK))
		fputs("  (inside a container: it needs --privileged, or --cap-add of the above and\n"
		      "  --pid=host to see other processes)\n",
		      stderr);
}
