/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/gocall.h"

#include "profiler/unwind/arch.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum { CODE_MAX = 256 /* bytes of assembly that jumps elsewhere */ };

struct cursor code_in(const struct object *o, uint64_t addr)
{
	return o && o->elf ? elf_at(o->elf, addr) : (struct cursor){ .bad = true };
}

struct cursor code_at(const struct space *space, uint64_t addr)
{
	const struct object *o = space_object(space, addr, &addr);

	return code_in(o, addr);
}

bool gocall_by_register(struct space *space, uint64_t ra)
{
	struct cursor c = code_at(space, ra - CALL_REGISTER_LEN);
	const uint8_t *code = cursor_bytes(&c, CALL_REGISTER_LEN);

	return code && insn_is_call_register(code);
}

bool gocall_is_assembly(struct space *space, uint64_t pc)
{
	struct go_pc f;

	return space_go_pc(space, pc, &f) && f.entry == pc && f.assembly;
}

bool gocall_target(struct space *space, uint64_t ra, uint64_t *target)
{
	struct cursor c = code_at(space, ra - CALL_LEN);
	const uint8_t *code = cursor_bytes(&c, CALL_LEN);

	if (!code || !space_is_go(space, ra) || !insn_is_call(code))
		return false;
	*target = insn_target(code, CALL_LEN, ra - CALL_LEN);
	return true;
}

bool gocall_follow(struct space *space, uint64_t pc, uint64_t end, int jumps, uint64_t to,
		   void (*each)(void *arg, uint64_t addr), void *arg)
{
	struct cursor c = code_at(space, pc);
	bool found = pc == to;
	uint64_t entry;
	struct go_pc f;

	if (end - pc > CODE_MAX)
		end = pc + CODE_MAX;
	for (uint64_t at = pc; at < end && cursor_left(&c) >= ADDRESS_LEN; at++, c.pos++) {
		const uint8_t *code = c.data + c.pos;

		if (at > pc && at % FUNCTION_ALIGN == 0) {
			space_go_pc(space, at, &f);
			if (f.entry == at)
				break;
		}
		if (insn_is_jump(code) && !found && jumps) {
			entry = insn_target(code, JUMP_LEN, at);
			found = entry == to ||
				(entry != pc && gocall_is_assembly(space, entry) &&
				 gocall_follow(space, entry, UINT64_MAX, jumps - 1, to,
					       each, arg));
		} else if (each && insn_loads_address(code)) {
			each(arg, insn_target(code, ADDRESS_LEN, at));
		}
	}
	return found;
}

bool gocall_may_be_of(struct space *space, uint64_t ra, uint64_t pc)
{
	struct go_pc callee, f;
	uint64_t target;

	if (!space_is_go(space, ra))
		return false;
	/* a call of what is not Go goes through a stub of the linker */
	if (!gocall_target(space, ra, &target) || !space_go_pc(space, target, &callee))
		return true;
	space_go_pc(space, pc, &f);
	return f.entry &&
	       (target == f.entry ||
		(callee.assembly && gocall_follow(space, target, UINT64_MAX, GOCALL_JUMPS,
						  f.entry, NULL, NULL)));
}
