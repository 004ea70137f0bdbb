/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/goruntime/godwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "symbolizer/debugfile.h"
#include "symbolizer/elf.h"

static void structure_read(Dwarf_Die *structure, const char *name,
			   struct godwarf_field *fields, uint32_t n)
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
		for (uint32_t i = 0; i < n; i++)
			if (!strcmp(fields[i].structure, name) &&
			    !strcmp(fields[i].member, s) && offset <= INT32_MAX)
				fields[i].offset = (int32_t)offset;
	} while (!dwarf_siblingof(&member, &member));
}

/* The types of package runtime are in a compilation unit with that name. */
static void unit_read(Dwarf_Die *unit, struct godwarf_field *fields, uint32_t n)
{
	Dwarf_Die die;

	if (dwarf_child(unit, &die))
		return;
	do {
		const char *s = dwarf_diename(&die);

		if (s && dwarf_tag(&die) == DW_TAG_structure_type)
			structure_read(&die, s, fields, n);
	} while (!dwarf_siblingof(&die, &die));
}

int godwarf_fields(const struct elf *elf, struct godwarf_field *fields, uint32_t n)
{
	Dwarf *dw = NULL;
	Dwarf_CU *cu = NULL;
	Dwarf_Half version;
	Dwarf_Die die, sub;
	uint8_t type;
	int err = -ENOENT;

	for (uint32_t i = 0; i < n; i++)
		fields[i].offset = -1;
	/* libelf writes to the mapping when it decompresses sections */
	if (!debugfile_heavy(elf) && elf->map &&
	    !mprotect(elf->map, elf->size, PROT_READ | PROT_WRITE))
		dw = dwarf_begin_elf(elf->lib, DWARF_C_READ, NULL);
	while (dw && !dwarf_get_units(dw, cu, &cu, &version, &type, &die, &sub)) {
		const char *name = dwarf_diename(&die);

		/* its assembly has units with the same name */
		if (name && !strcmp(name, "runtime"))
			unit_read(&die, fields, n);
	}
	for (uint32_t i = 0; i < n; i++)
		if (fields[i].offset >= 0)
			err = 0;
	dwarf_end(dw);
	return err;
}
