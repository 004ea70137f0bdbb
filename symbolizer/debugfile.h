/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the separate debug file of a stripped file, for libdwfl. Its own search would ask
 * debuginfod servers in the middle of a recording, and open whatever the target put in
 * place of a file.
 */
#pragma once

#include <elfutils/libdwfl.h>
#include <stdbool.h>

#include "symbolizer/resolver.h"

struct debugfile {
	struct binary b; /* the stripped file */
	bool only_lines; /* its symbols are not needed */
	/* about the file that was found: */
	bool heavy; /* too much to unpack */
	bool ours;  /* in our own /usr/lib/debug */
};

/* Would unpacking its DWARF delay a recording? libdw unpacks compressed DWARF as a whole.
 * for_symbols: only what those need, symbol tables, their names, .gnu_debugdata. */
bool debugfile_heavy(const struct elf *e, bool for_symbols);
/* The callback; *arg is the struct debugfile. Returns an fd, or -1. */
int debugfile_find(Dwfl_Module *m, void **arg, const char *module, Dwarf_Addr base,
		   const char *file, const char *link, GElf_Word crc, char **ret);
