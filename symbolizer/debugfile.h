/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks for the file that holds what was stripped from another, for libdwfl: whose own search
 * would ask debuginfod's servers in the middle of a recording, and open whatever the target
 * has put where a file should be.
 */
#ifndef SYMBOLIZER_DEBUGFILE_H
#define SYMBOLIZER_DEBUGFILE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

#include "symbolizer/resolver.h"

struct elf;

struct debugfile {
	struct binary b; /* whose it is */
	bool only_lines; /* nobody needs it for its symbols */
	/* of what was found: */
	bool heavy; /* too much to unpack */
	bool ours;  /* it is in our own /usr/lib/debug */
};

/* Would libdw, which unpacks compressed DWARF as a whole, stop a recording for that? */
bool debugfile_heavy(const struct elf *e);
/* The same of what it would unpack for symbols alone: symbol tables, their names, .gnu_debugdata. */
bool debugfile_heavy_symbols(const struct elf *e);
/* The callback; *arg is the struct debugfile. An fd, or -1. */
int debugfile_find(Dwfl_Module *m, void **arg, const char *module, Dwarf_Addr base,
		   const char *file, const char *link, GElf_Word crc, char **ret);

#endif
