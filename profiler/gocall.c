/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/gocall.h"

#include "symbolizer/elf.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

/* Of x86-64: a call with a displacement; one by register, REX.B before it or not. */
enum { CALL_LEN = 5, CALL = 0xe8, CALL_BY = 0xff, CALL_BY_LEN = 2 };

/* The code from addr on. */
static struct cursor code_at(const struct space *space, uint64_t addr)
{
	uint64_t at;
	const struct object *o = space_object(space, addr, &at);

	return o && o->elf ? elf_at(o->elf, at) : (struct cursor){ .bad = true };
}

bool gocall_by_register(struct space *space, uint64_t ra)
{
	struct cursor c = code_at(space, ra - CALL_BY_LEN);

	return cursor_u8(&c) == CALL_BY && (cursor_u8(&c) & 0xf8) == 0xd0 && !c.bad;
}

bool gocall_target(struct space *space, uint64_t ra, uint64_t *target)
{
	struct cursor c = code_at(space, ra - CALL_LEN);

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
