/* SPDX-License-Identifier: BSD-2-Clause */
/* Input that starts with the magic is a file; other input is the content of a block of
 * rows, because checksums would keep a fuzzer out of those. What loads must make a tree. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "profiler/base/buf.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"
#include "profiler/profile/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_block(struct buf *b, uint32_t kind, const void *raw, size_t len)
{
	struct buf packed = { 0 };

	buf_room(&packed, ZSTD_compressBound(len));
	packed.len = ZSTD_compress(packed.data, packed.cap, raw, len, 1);
	buf_u32(b, kind);
	buf_u32(b, (uint32_t)len);
	buf_u32(b, (uint32_t)packed.len);
	buf_u32(b, kind ^ (uint32_t)len ^ (uint32_t)packed.len ^ 0x6b636f6c);
	buf_add(b, packed.data, packed.len);
	buf_release(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view v = { .by = { .keys = { BY_CREATOR, BY_GOROUTINE, BY_LABEL },
				  .n = 3,
				  .labels[2] = "k" } };
	struct buf file = { 0 };
	struct profile *p;
	const char *why;
	int fd = memfd_create("recording", 0);
	char path[32];

	if (size < 8 || memcmp(data, "gostrobe", 8)) {
		/* of a newer minor version, so that more is read */
		buf_add(&file, "gostrobe\3\0\1\0", 12);
		put_block(&file, 1, "\1\0\0\0\0\5\0\0\0\1\0\0\1\0", 14);
		put_block(&file, 2, data, size);
	}
	buf_add(&file, data, file.len ? 0 : size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, file.data, file.len) == (ssize_t)file.len &&
	    !recording_load(&p, path, 0, &why)) {
		view_select(&v, p);
		view_tree(&v);
		view_release(&v);
		profile_free(p);
	}
	buf_release(&file);
	close(fd);
	return 0;
}
