/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/threads.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "profiler/kernel/bpfload.h"
#include "threads.skel.h"

enum { CHUNK = 16 << 10 }; /* bytes */

int threads_open(struct threads_bpf **ret, const char **what)
{
	struct threads_bpf *t;
	int err;

	bpfload_log();
	*what = "bpf object";
	t = threads_bpf__open();
	if (!t)
		return -errno;
	t->rodata->our_pidns = bpfload_pidns();
	*what = "bpf(BPF_PROG_LOAD, iter/task)";
	err = threads_bpf__load(t);
	if (err)
		threads_close(t);
	else
		*ret = t;
	return err;
}

void threads_close(struct threads_bpf *t)
{
	threads_bpf__destroy(t);
}

/* An iterator over the threads of one process, which needs Linux 6.1, or over all: the
 * program skips other processes in either case. */
static struct bpf_link *attach(struct threads_bpf *t, pid_t pid)
{
	union bpf_iter_link_info info = { .task.pid = (uint32_t)pid };
	LIBBPF_OPTS(bpf_iter_attach_opts, o, .link_info = &info,
		    .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(t->progs.thread, &o);

	return link ? link : bpf_program__attach_iter(t->progs.thread, NULL);
}

int threads_read(struct threads_bpf *t, pid_t pid, struct thread_state **rows, uint32_t *n)
{
	struct bpf_link *link;
	struct buf b = { 0 };
	ssize_t len = 0;
	int fd = -1, err = 0;

	t->bss->wanted = (uint32_t)pid;
	link = attach(t, pid);
	if (link)
		fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	do {
		len = read(fd, buf_room(&b, CHUNK), CHUNK);
		b.len += len > 0 ? (size_t)len : 0;
	} while (len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR)));
	if (len < 0)
		err = -errno;
	else if (b.len < sizeof(**rows))
		err = -ESRCH;
out:
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	if (err) {
		buf_release(&b);
		return err;
	}
	*rows = (struct thread_state *)b.data;
	*n = (uint32_t)(b.len / sizeof(**rows));
	return 0;
}
