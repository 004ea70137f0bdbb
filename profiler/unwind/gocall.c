/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/gocall.h"

#include <string.h>

#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

/* Of x86-64: a call with a displacement; one by register, REX.B before it or not; such a jump; lea of a place
 * that is counted from there. */
enum {
	CALL_LEN = 5,
	CALL = 0xe8,
	CALL_BY = 0xff,
	CALL_BY_LEN = 2,
	JUMP_LEN = 5,
	JUMP = 0xe9,
	LEA_LEN = 7,
	ALIGNED = 16,   /* where functions begin */
	CODE_MAX = 256, /* bytes of assembly that jumps elsewhere */
};

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

bool gocall_is_assembly(struct space *space, uint64_t pc)
{
	uint64_t entry;
	struct go_pc f;

	return space_entry(space, pc, &entry) && entry == pc &&
	       space_go_pc(space, pc, &f) && f.assembly;
}

bool gocall_target(struct space *space, uint64_t ra, uint64_t *target)
{
	struct cursor c = code_at(space, ra - CALL_LEN);

	if (!space_is_go(space, ra) || cursor_u8(&c) != CALL)
		return false;
	*target = ra + (uint64_t)(int32_t)cursor_u32(&c);
	return !c.bad;
}

bool gocall_follow(struct space *space, uint64_t pc, uint64_t end, int jumps, uint64_t to,
		   void (*each)(void *arg, uint64_t addr), void *arg)
{
	struct cursor c = code_at(space, pc);
	bool found = pc == to;
	uint64_t entry;
	int32_t rel;

	if (end - pc > CODE_MAX)
		end = pc + CODE_MAX;
	for (uint64_t at = pc; at < end && cursor_left(&c) >= LEA_LEN; at++, c.pos++) {
		const uint8_t *code = c.data + c.pos;

		if (at > pc && at % ALIGNED == 0 && space_entry(space, at, &entry) &&
		    entry == at)
			break;
		if (code[0] == JUMP && !found && jumps) {
			memcpy(&rel, code + 1, sizeof(rel));
			entry = at + JUMP_LEN + (uint64_t)rel;
			found = entry == to ||
				(entry != pc && gocall_is_assembly(space, entry) &&
				 gocall_follow(space, entry, UINT64_MAX, jumps - 1, to,
					       each, arg));
		} else if (each && code[0] == 0x48 && code[1] == 0x8d &&
			   (code[2] & 0xc7) == 5) {
			memcpy(&rel, code + 3, sizeof(rel));
			each(arg, at + LEA_LEN + (uint64_t)rel);
		}
	}
	return found;
}

bool gocall_may_be_of(struct space *space, uint64_t ra, uint64_t pc)
{
	uint64_t target, entry;
	struct go_pc f;

	if (!space_is_go(space, ra))
		return false;
	/* a call of what is no Go goes through a stub of the linker */
	return !gocall_target(space, ra, &target) || !space_go_pc(space, target, &f) ||
	       (space_entry(space, pc, &entry) &&
		(target == entry ||
		 (f.assembly && gocall_follow(space, target, UINT64_MAX, GOCALL_JUMPS,
					      entry, NULL, NULL))));
}
