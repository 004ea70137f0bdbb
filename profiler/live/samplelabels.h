/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes the labels of a goroutine that the kernel side sends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Appends the set of labels, encoded as labels.h describes, that a sample carries in these
 * n bytes. more: the flag SAMPLE_LABELS_CUT. constant() returns the bytes at an address in
 * read-only memory of the program, or NULL. false: some labels are missing or truncated.
 */
bool sample_labels(struct buf *to, const void *bytes, size_t n, bool more,
		   const char *(*constant)(void *arg, uint64_t addr, size_t len),
		   void *arg);
