/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/gocall.h"

#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum { CALL_LEN = 5, CALL = 0xe8 }; /* of x86-64, with a displacement */

bool gocall_target(struct space *space, uint64_t ra, uint64_t *target)
{
	uint64_t at;
	const struct object *o = space_object(space, ra - CALL_LEN, &at);
	struct cursor c = o && o->elf ? elf_at(o->elf, at) : (struct cursor){ .bad = true };

	if (!space_is_go(space, ra) || cursor_u8(&c) != CALL)
		return false;
	*target = ra + (uint64_t)(int32_t)cursor_u32(&c);
	return !c.bad;
}

bool gocall_may_be_of(struct space *space, uint64_t ra, uint64_t pc)
{
	uint64_t target, entry;

	if (!space_is_go(space, ra))
		return false;
	/* a call of what is no Go goes through a stub of the linker */
	return !gocall_target(space, ra, &target) || !space_is_go(space, target) ||
	       (space_entry(space, pc, &entry) && target == entry);
}
