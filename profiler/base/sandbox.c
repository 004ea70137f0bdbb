/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "profiler/base/sandbox_calls.h"

/* Capabilities. */

static const struct {
	const char *name;
	uint8_t number;
} names[] = {
	{ "cap_sys_ptrace",
	  CAP_SYS_PTRACE }, /* memory and files of other users' programs */
	{ "cap_dac_read_search", CAP_DAC_READ_SEARCH },       /* their files */
	{ "cap_checkpoint_restore", CAP_CHECKPOINT_RESTORE }, /* files that are deleted */
	{ "cap_bpf", CAP_BPF }, /* rings that grow, and, before Linux 5.19, all maps */
	{ "cap_perfmon", CAP_PERFMON },           /* probes */
	{ "cap_dac_override", CAP_DAC_OVERRIDE }, /* files in other users' folders */
	{ "cap_kill", CAP_KILL },                 /* a command of another user than ours */
};

#define BIT(capability) (1ull << (capability))

static uint64_t kept(const struct sandbox_options *o)
{
	uint64_t set = BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH) |
		       BIT(CAP_CHECKPOINT_RESTORE) | BIT(CAP_BPF);

	if (o->probes)
		set |= BIT(CAP_PERFMON);
	if (o->writes && !o->user)
		set |= BIT(CAP_DAC_OVERRIDE);
	if (o->child && o->user)
		set |= BIT(CAP_KILL);
	return set;
}

void sandbox_kept(const struct sandbox_options *o, struct buf *to)
{
	uint64_t set = kept(o);
	bool any = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (set & BIT(names[i].number)) {
			buf_printf(to, "%s%s", any ? ", " : "", names[i].name);
			any = true;
		}
}

/* Of the calling thread: keeps those of set that it has. */
static int keep_capabilities(uint64_t set)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2];

	if (syscall(SYS_capget, &head, now))
		return -errno;
	for (int i = 0; i < 2; i++) {
		now[i].permitted &= (uint32_t)(set >> 32 * i);
		now[i].effective = now[i].permitted;
		now[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, now) ? -errno : 0;
}

void sandbox_thread(void)
{
	keep_capabilities(BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_DAC_OVERRIDE));
}

/* Who to become. */

bool sandbox_user(const char *name)
{
	return getpwnam(name);
}

/* Capabilities outlive this only until they are given up. */
static int become(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw)
		return -ENOENT;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || initgroups(name, pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -errno;
	return 0;
}

/* All together. */

int sandbox_enter(const struct sandbox_options *o, const char **what)
{
	int err = 0;

	*what = "setresuid";
	if (o->user)
		err = become(o->user);
	if (err)
		return err;
	*what = "capset";
	err = keep_capabilities(kept(o));
	if (err)
		return err;
	*what = "prctl(PR_SET_NO_NEW_PRIVS)";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
#ifdef __SANITIZE_ADDRESS__ /* it looks for leaks in a process of its own */
	return 0;
#else
	*what = "prctl(PR_SET_DUMPABLE)";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	*what = "seccomp";
	return sandbox_calls(o);
#endif
}
