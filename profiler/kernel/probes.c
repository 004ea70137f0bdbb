/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/probes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "profiler/base/arena.h"
#include "profiler/base/file.h"
#include "profiler/base/apart.h"

enum { KERNEL_ENOTSUPP = 524 };

/* The part of union bpf_attr for BPF_LINK_CREATE, which older headers and libbpf before 1.3
 * do not know. */
struct multi_attr {
	uint32_t prog, target, type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t n, multi_flags, pid, pad;
};

/* Attaches those of [first, first + n) that are not off. */
static int attach(int prog, const struct probes *p, uint8_t tag, uint32_t first, uint32_t n)
{
	uint64_t *words = mem_zalloc((size_t)n * 2 * sizeof(*words)), *cookies = words + n;
	struct multi_attr attr = {
		.prog = (uint32_t)prog,
		.type = PROBES_ATTACH_TYPE,
		.path = (uintptr_t)p->path,
		.offsets = (uintptr_t)words,
		.cookies = (uintptr_t)cookies,
		.pid = (uint32_t)p->pid,
	};
	int fd;

	for (uint32_t i = first; i < first + n; i++) {
		if (p->rows[i].off)
			continue;
		words[attr.n] = p->rows[i].offset;
		cookies[attr.n++] = p->rows[i].cookie | (uint64_t)tag << CALL_TAG_SHIFT;
	}
	fd = attr.n ? (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) : -1;
	if (fd < 0)
		fd = attr.n ? -errno : -ENOENT;
	free(words);
	return fd;
}

static bool is_refusal(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP || err == -KERNEL_ENOTSUPP ||
	       err == -ENOEXEC || err == -EIO;
}

/* Finds the probes that the kernel refuses, by halves. */
static void find_refused(int prog, const struct probes *p, uint32_t first, uint32_t n)
{
	int fd = attach(prog, p, 0, first, n);

	if (fd >= 0)
		close(fd);
	if (!is_refusal(fd))
		return;
	if (n == 1) {
		p->rows[first].off = p->rows[first].refused = true;
		return;
	}
	find_refused(prog, p, first, n / 2);
	find_refused(prog, p, first + n / 2, n - n / 2);
}

static int attach_all(int prog, const struct probes *p, uint8_t tag)
{
	int fd = attach(prog, p, tag, 0, p->n);

	for (uint32_t i = 0; i < p->n && is_refusal(fd); i++)
		if (p->rows[i].doubtful && !p->rows[i].off)
			find_refused(prog, p, i, 1);
	if (is_refusal(fd))
		fd = attach(prog, p, tag, 0, p->n);
	if (!is_refusal(fd))
		return fd;
	find_refused(prog, p, 0, p->n);
	return attach(prog, p, tag, 0, p->n);
}

bool probes_multi(void)
{
	const struct bpf_insn end[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
					{ .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)PROBES_ATTACH_TYPE);
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", end, 2, &opts), err = 0;
	uint64_t offset = 0;
	/* a kernel that knows this sees that the path is no file */
	struct multi_attr attr = {
		.prog = (uint32_t)prog,
		.type = PROBES_ATTACH_TYPE,
		.path = (uintptr_t) "/",
		.offsets = (uintptr_t)&offset,
		.n = 1,
	};

	if (prog < 0)
		return false;
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0)
		err = errno;
	close(prog);
	return err == EBADF;
}

/* The link of a probe, or a negative errno. It keeps the event. */
static int attach_one(int prog, const struct probes *p, const struct probe *row, int type,
		      uint8_t tag)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = (uint32_t)type,
		.uprobe_path = (uintptr_t)p->path,
		.probe_offset = row->offset,
	};
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .perf_event.bpf_cookie = row->cookie | (uint64_t)tag << CALL_TAG_SHIFT);
	/* the program runs for all threads that share the memory of this one */
	int event = (int)syscall(SYS_perf_event_open, &attr, p->pid, -1, -1,
				 PERF_FLAG_FD_CLOEXEC);
	int link = event < 0 ? -errno : bpf_link_create(prog, event, BPF_PERF_EVENT, &opts);

	if (event >= 0)
		close(event);
	return link;
}

static int attach_each(int prog, const struct probes *p, uint8_t tag)
{
	bool any = false;
	char line[64];
	int type;

	if (!*file_line(line, "", "/sys/bus/event_source/devices/uprobe/type"))
		return -ENOTSUP;
	type = atoi(line);
	for (uint32_t i = 0; i < p->n; i++) {
		struct probe *row = &p->rows[i];
		int link = row->off || row->link ? 0 : attach_one(prog, p, row, type, tag);

		if (is_refusal(link))
			row->off = row->refused = true;
		else if (link < 0)
			return link;
		else if (link)
			row->link = link + 1;
		if (row->off && row->link) {
			close(row->link - 1);
			row->link = 0;
		}
		any |= row->link;
	}
	return any ? 0 : -ENOENT;
}

static int detach_each(void *arg)
{
	const struct probes *p = arg;

	for (uint32_t i = 0; i < p->n; i++) {
		if (p->rows[i].link)
			close(p->rows[i].link - 1);
		p->rows[i].link = 0;
	}
	return 0;
}

static int detach(void *arg)
{
	return close(*(int *)arg);
}

/* The kernel cannot finish setting or removing probes for a process that has been killed:
 * some stay for ever, and the target dies of them. So another process does this work. */

struct attaching {
	int (*how)(int prog, const struct probes *p, uint8_t tag);
	int prog;
	const struct probes *p;
	uint8_t tag;
};

static int attach_apart(void *arg)
{
	const struct attaching *a = arg;

	return a->how(a->prog, a->p, a->tag);
}

int probes_attach(int prog, const struct probes *p, uint8_t tag)
{
	struct attaching a = { attach_all, prog, p, tag };

	return apart_run(attach_apart, &a);
}

int probes_attach_each(int prog, const struct probes *p, uint8_t tag)
{
	struct attaching a = { attach_each, prog, p, tag };

	return apart_run(attach_apart, &a);
}

void probes_detach(int link)
{
	apart_run(detach, &link);
}

void probes_detach_each(const struct probes *p)
{
	apart_run(detach_each, (void *)p);
}
