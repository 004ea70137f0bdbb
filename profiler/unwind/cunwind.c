/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A step looks up the row of an address, which is cached, and reads the caller's registers
 * where the row says. Nothing is read but the copy of the stack and the process's files. SP
 * only rises, so unwinding ends whatever the stack holds.
 */
#include "profiler/unwind/cunwind.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/base/index.h"
#include "profiler/unwind/arch.h"
#include "profiler/unwind/callsite.h"
#include "profiler/unwind/cfi.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	ROWS_MAX = 1 << 16,        /* of 170 bytes; programs have some thousand */
	STACK_BYTES_MAX = 1 << 30, /* what is farther from SP is not on the stack */
	EXPR_DEPTH = 16,
	SEARCH_MAX = 4096, /* words in all that are searched for calls */
	MAYBE_MAX = 2048,  /* bytes from an indirect call in which a direct one is better */
	CALL_COST = 32,    /* a word that is behind a call counts as so many */
};

struct module {
	const struct object *object;
	struct cfi cfi;
	struct callees callees; /* once something has no table */
};

struct row_key {
	const struct object *object;
	uint64_t addr; /* of the file */
};

struct row {
	struct row_key key;
	bool found; /* a table has it */
	struct cfi_row cfi;
};

struct cunwind {
	struct module *modules;
	uint32_t n_modules, cap_modules;
	struct row *rows;
	uint32_t n_rows, cap_rows;
	struct index index; /* of the rows */
};

/* The state of unwinding one stack. */
struct walk {
	struct cunwind *u;
	struct space *space;
	struct cstack *c;
	uint64_t cfa;   /* of the current frame, once known */
	int32_t budget; /* words that may still be searched */
	bool beyond;    /* something was to be read that is above the copy */
};

struct cunwind *cunwind_new(void)
{
	return mem_zalloc(sizeof(struct cunwind));
}

static void forget_rows(struct cunwind *u)
{
	index_release(&u->index);
	u->n_rows = 0;
}

void cunwind_free(struct cunwind *u)
{
	if (!u)
		return;
	for (uint32_t i = 0; i < u->n_modules; i++) {
		cfi_release(&u->modules[i].cfi);
		callees_release(&u->modules[i].callees);
	}
	forget_rows(u);
	free(u->modules);
	free(u->rows);
	free(u);
}

void cunwind_forget(struct cunwind *u, const struct object *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < u->n_modules; i++) {
		struct module *m = &u->modules[i];

		if (m->object == o) {
			cfi_release(&m->cfi);
			callees_release(&m->callees);
			forget_rows(u);
			continue;
		}
		callees_forget(&m->callees, o);
		u->modules[n++] = *m;
	}
	u->n_modules = n;
}

static struct module *module_get(struct cunwind *u, const struct object *o)
{
	struct module *m;

	for (uint32_t i = 0; i < u->n_modules; i++)
		if (u->modules[i].object == o)
			return &u->modules[i];
	m = table_add(u->modules, u->n_modules, u->cap_modules);
	m->object = o;
	if (o->elf)
		cfi_init(&m->cfi, o->elf);
	return m;
}

static struct callee find_callee(struct cunwind *u, const struct object *o, uint64_t addr)
{
	struct module *m = module_get(u, o);

	if (o->elf && !m->callees.elf)
		callees_init(&m->callees, o->elf);
	return callee_at(&m->callees, o, addr);
}

/* NULL: no table has one. */
static const struct cfi_row *find_row(struct cunwind *u, struct object *o, uint64_t addr)
{
	struct row_key key = { o, addr };
	struct row *r;
	uint32_t id;

	if (u->n_rows == ROWS_MAX)
		forget_rows(u);
	id = index_row(&u->index, u->rows, sizeof(*r), &key, sizeof(key), u->n_rows);
	if (id == u->n_rows) {
		r = table_add(u->rows, u->n_rows, u->cap_rows);
		r->key = key;
		r->found = cfi_find(&module_get(u, o)->cfi, addr, &r->cfi) &&
			   object_check(o);
	}
	r = &u->rows[id];
	return r->found ? &r->cfi : NULL;
}

static bool read_stack(struct walk *w, uint64_t addr, uint64_t *ret)
{
	if (copy_read(&w->c->copy, addr, ret, sizeof(*ret)))
		return true;
	w->beyond |= addr - w->c->copy.addr < STACK_BYTES_MAX;
	return false;
}

static bool read_reg(const struct walk *w, uint64_t reg, uint64_t *ret)
{
	if (reg >= REGS || w->c->lost >> reg & 1)
		return false;
	*ret = w->c->regs[reg];
	return true;
}

/*
 * Evaluates a DWARF expression, of the operations that compilers and assemblers put into
 * tables. None of these jumps, so each expression ends. One for a register begins with the
 * CFA on its stack.
 */
static bool evaluate(struct walk *w, struct cursor c, bool cfa, uint64_t *ret)
{
	uint64_t stack[EXPR_DEPTH + 2] = { 0, 0, w->cfa }, *top, v;
	uint32_t bottom = 1, n = cfa ? bottom : bottom + 1;

	while (cursor_left(&c)) {
		uint8_t op = cursor_u8(&c);

		top = &stack[n];
		switch (op) {
		case DW_OP_lit0 ... DW_OP_lit31: stack[++n] = op - DW_OP_lit0; break;
		case DW_OP_breg0 ... DW_OP_breg31:
			if (!read_reg(w, op - DW_OP_breg0, &v))
				return false;
			stack[++n] = v + (uint64_t)cfi_sleb(&c);
			break;
		case DW_OP_const4s: stack[++n] = (uint64_t)(int32_t)cursor_u32(&c); break;
		case DW_OP_drop: n--; break;
		case DW_OP_plus_uconst: *top += cursor_uvarint(&c); break;
		case DW_OP_plus: n--, top[-1] += *top; break;
		case DW_OP_minus: n--, top[-1] -= *top; break;
		case DW_OP_mul: n--, top[-1] *= *top; break;
		case DW_OP_and: n--, top[-1] &= *top; break;
		case DW_OP_shl: n--, top[-1] <<= *top & 63; break;
		case DW_OP_ge: n--, top[-1] = (int64_t)top[-1] >= (int64_t)*top; break;
		case DW_OP_deref:
			if (!read_stack(w, *top, top))
				return false;
			break;
		default: return false;
		}
		if (n < bottom || n > EXPR_DEPTH)
			return false;
	}
	*ret = stack[n];
	return n > bottom && !c.bad;
}

/* The value that a register, or the CFA, has in the caller. */
static bool apply(struct walk *w, const struct cfi_row *row, uint32_t reg, uint64_t *ret)
{
	const struct cfi_rule *rule = &row->rules[reg];
	uint64_t at = w->cfa + (uint64_t)(int64_t)rule->value;
	bool cfa = reg == CFI_CFA;

	switch (rule->how) {
	case CFI_KEPT: return read_reg(w, reg, ret);
	case CFI_IN: return read_reg(w, rule->reg, ret);
	case CFI_IS:
		if (cfa && !read_reg(w, rule->reg, &at))
			return false;
		*ret = cfa ? at + (uint64_t)(int64_t)rule->value : at;
		return true;
	case CFI_AT:
		/* epilogues pop registers before tables say so: the place is below SP
		 * then */
		if (at < w->c->regs[REG_SP] && reg != REG_PC)
			return read_reg(w, reg, ret);
		return read_stack(w, at, ret);
	case CFI_AT_EXPR:
	case CFI_IS_EXPR:
		return evaluate(w, cursor_over(row->exprs + rule->value, rule->len), cfa,
				ret) &&
		       (rule->how == CFI_IS_EXPR || read_stack(w, *ret, ret));
	default: return false;
	}
}

static enum cunwind_end failed(const struct walk *w)
{
	return w->beyond ? CUNWIND_SHORT : CUNWIND_BROKEN;
}

/* CUNWIND_GO: the registers are the caller's. */
static enum cunwind_end step_by_row(struct walk *w, const struct cfi_row *row)
{
	uint64_t next[REGS] = { 0 };
	uint32_t lost = 0;

	if (row->rules[REG_PC].how == CFI_LOST)
		return CUNWIND_ROOT;
	if (row->rules[REG_PC].how == CFI_KEPT)
		return CUNWIND_BROKEN;
	if (w->cfa <= w->c->regs[REG_SP])
		return CUNWIND_BROKEN;
	for (uint32_t i = 0; i < REGS; i++)
		if (i == REG_SP && row->rules[i].how == CFI_KEPT)
			next[i] = w->cfa;
		else if (!apply(w, row, i, &next[i]))
			lost |= 1u << i;
	if (lost >> REG_PC & 1)
		return failed(w);
	if (next[REG_SP] <= w->c->regs[REG_SP])
		return CUNWIND_BROKEN;
	memcpy(w->c->regs, next, sizeof(next));
	w->c->lost = lost;
	return next[REG_PC] ? CUNWIND_GO : CUNWIND_ROOT;
}

/* Continues at what a signal has interrupted, with the registers that the kernel has
 * saved. */
static enum cunwind_end step_by_signal(struct walk *w)
{
	uint64_t next[REGS], sp = w->c->regs[REG_SP];

	if (!ucontext_read(&w->c->copy, sp, next))
		return CUNWIND_SHORT;
	if (next[REG_SP] <= sp)
		return CUNWIND_BROKEN;
	memcpy(w->c->regs, next, sizeof(next));
	w->c->lost = 0;
	return CUNWIND_GO;
}

/* Continues at the caller whose return address is at `at`. What else the frame saved is not
 * known. */
static enum cunwind_end leave_frame(struct walk *w, uint64_t at, uint64_t ra)
{
	uint64_t *regs = w->c->regs;

	if (at != regs[REG_SP]) /* otherwise there is no frame, so nothing was saved */
		w->c->lost = UINT32_MAX;
	regs[REG_SP] = at + CALL_PUSHES;
	regs[REG_PC] = ra;
	w->c->lost &= ~(1u << REG_SP | 1u << REG_PC);
	return CUNWIND_GO;
}

/* Is the caller known to be at the end of the stack (struct cstack, calls)? */
static bool is_called_last(struct walk *w, struct callee *to)
{
	for (uint32_t i = 0; i < w->c->n_calls; i++)
		if (callee_is(w->space, w->c->calls[i], to))
			return true;
	return false;
}

/*
 * For code without a table: assembly, generated code, some C libraries; and for what such
 * code has called, if a table needs a register that was saved there. Searches the stack for
 * a word behind a call of the function.
 *
 * An indirect call matches any callee, so it is only accepted if it is the first call site
 * found and no direct call follows within MAYBE_MAX bytes (parts of a frame that were not
 * written yet hold return addresses of earlier calls), or if the frame pointer agrees,
 * which is all that generated code offers.
 */
static enum cunwind_end step_by_call(struct walk *w, struct callee to, bool leaf)
{
	uint64_t sp = w->c->regs[REG_SP], end = w->c->copy.addr + w->c->copy.size;
	uint64_t fp = 0, caller_fp = 0, ra, maybe = 0, maybe_ra = 0;
	bool known = read_reg(w, REG_FP, &fp), first = true;
	bool last = is_called_last(w, &to);
	bool call, framed, stub;
	enum callsite site;

	for (uint64_t at = sp; w->budget > 0; at += WORD) {
		if (!read_stack(w, at, &ra)) {
			if (w->c->cut) /* a better one may be above the copy */
				return CUNWIND_SHORT;
			break;
		}
		site = callsite_find(w->space, ra, &to);
		call = site > CALLSITE_BLIND;
		framed = first && site && known && at == fp + WORD && at > sp &&
			 read_stack(w, fp, &caller_fp);
		stub = leaf && to.stub && at == sp && call;

		if (site == CALLSITE_OF || stub || (framed && site != CALLSITE_OTHER)) {
			leave_frame(w, at, ra);
			if (framed) {
				w->c->regs[REG_FP] = caller_fp;
				w->c->lost &= ~(1u << REG_FP);
			}
			return CUNWIND_GO;
		}
		if (site == CALLSITE_MAYBE && first && !last) {
			maybe = at;
			maybe_ra = ra;
		}
		if (maybe && at - maybe > MAYBE_MAX)
			break;
		first = first && !call;
		w->budget -= call ? CALL_COST : 1;
	}
	if (last && read_stack(w, end - WORD, &ra))
		return leave_frame(w, end - WORD, ra);
	return maybe ? leave_frame(w, maybe, maybe_ra) : CUNWIND_BROKEN;
}

/* Is the leaf in the system call that returns from a signal handler? The PC behind that
 * instruction may be the next function's. */
static bool is_returning(const struct walk *w, const struct object *o, uint64_t addr)
{
	return is_trampoline(o, addr - SYSCALL_LEN) &&
	       ucontext_is(&w->c->copy, w->c->regs[REG_SP]);
}

enum cunwind_end cunwind(struct cunwind *u, struct space *space, struct cstack *c,
			 uint64_t *pcs, uint32_t max, uint32_t *n)
{
	struct walk w = { .u = u, .space = space, .c = c, .budget = SEARCH_MAX };
	enum cunwind_end end = CUNWIND_GO;
	uint64_t before = 0; /* 1: the PC is a return address, so the call is before it */

	c->lost = 0;
	for (*n = 0; end == CUNWIND_GO && *n < max;) {
		uint64_t pc = c->regs[REG_PC], at;
		struct object *o = space_object(space, pc - before, &at);
		const struct cfi_row *row;
		bool signal, first = !*n;

		pcs[(*n)++] = first || before ? pc : pc + 1;
		if (!o)
			return CUNWIND_BROKEN;
		if (space_is_go(space, pc - before))
			return CUNWIND_GO;
		signal = first && is_returning(&w, o, at);
		row = signal ? NULL : find_row(u, o, at);
		if (!signal)
			signal = row ? row->signal : is_trampoline(o, at + before);
		if (row && apply(&w, row, CFI_CFA, &w.cfa))
			end = step_by_row(&w, row);
		else if (signal)
			end = step_by_signal(&w);
		else if (is_first_function(o, at + before, !before))
			end = CUNWIND_ROOT;
		else if (!row || c->lost)
			end = step_by_call(&w, find_callee(u, o, at), !before);
		else
			end = failed(&w);
		if (object_changed(o)) /* its tables may have been read wrong */
			return CUNWIND_BROKEN;
		if (signal && !first) /* nothing has called the trampoline */
			--*n;
		before = signal ? 0 : 1;
	}
	return end == CUNWIND_GO ? CUNWIND_SHORT : end;
}
