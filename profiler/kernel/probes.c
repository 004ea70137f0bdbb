/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/probes.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "profiler/base/arena.h"

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

int probes_attach(int prog, const struct probes *p, uint8_t tag)
{
	int fd = attach(prog, p, tag, 0, p->n);

	if (!is_refusal(fd))
		return fd;
	find_refused(prog, p, 0, p->n);
	return attach(prog, p, tag, 0, p->n);
}
