/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the offsets of the runtime's fields in a program's own DWARF, if it is not
 * stripped. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "profiler/goruntime/golayout.h"
#include "symbolizer/debugfile.h"
#include "symbolizer/elf.h"

static void structure_read(Dwarf_Die *structure, const char *name, int32_t offsets[FIELDS])
{
	Dwarf_Attribute attr;
	Dwarf_Die member;
	Dwarf_Word offset;

	if (dwarf_child(structure, &member))
		return;
	do {
		const char *s = dwarf_diename(&member);

		if (dwarf_tag(&member) != DW_TAG_member || !s ||
		    dwarf_formudata(dwarf_attr(&member, DW_AT_data_member_location, &attr),
				    &offset))
			continue;
		for (uint32_t i = 0; i < FIELDS; i++)
			if (!strcmp(layout_fields[i].structure, name) &&
			    !strcmp(layout_fields[i].member, s) && offset <= INT32_MAX)
				offsets[i] = (int32_t)offset;
	} while (!dwarf_siblingof(&member, &member));
}

/* The types of package runtime are in a compilation unit with that name. */
static void unit_read(Dwarf_Die *unit, int32_t offsets[FIELDS])
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die))
		return;
	do {
		const char *s = dwarf_diename(&die);

		if (s && dwarf_tag(&die) == DW_TAG_structure_type)
			structure_read(&die, s, offsets);
	} while (!dwarf_siblingof(&die, &die));
}

int golayout_of_dwarf(int32_t offsets[FIELDS], const struct elf *elf)
{
	Dwarf *dw = NULL;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	Dwarf_Die die, sub;
	uint8_t type;
	int err = -ENOENT;

	for (uint32_t i = 0; i < FIELDS; i++)
		offsets[i] = -1;
	/* libelf writes to the mapping when it decompresses sections */
	if (!debugfile_heavy(elf, false) && elf->map &&
	    !mprotect(elf->map, elf->size, PROT_READ | PROT_WRITE))
		dw = dwarf_begin_elf(elf->lib, DWARF_C_READ, NULL);
	while (dw && !dwarf_get_units(dw, cu, &cu, &version, &type, &die, &sub)) {
		const char *name = dwarf_diename(&die);

		/* its assembly has units with the same name */
		if (name && !strcmp(name, "runtime"))
			unit_read(&die, offsets);
	}
	for (uint32_t i = 0; i < FIELDS; i++)
		if (offsets[i] >= 0)
			err = 0;
	dwarf_end(dw);
	return err;
}
