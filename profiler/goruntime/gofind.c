/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a runtime has its goroutines, and what a g looks like. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "profiler/goruntime/gocode.h"
#include "profiler/goruntime/goroutines_private.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

enum {
	ADDRESSES = 8,
	CHECKED = 128, /* goroutines that are compared with the layout */
	CHECK_TRIES = 5,
	STACK_MIN = 1 << 10,
	STACK_LARGEST = 1 << 30, /* debug.SetMaxStack() on 64 bits */
	IO_WAIT = 2,             /* in every version */
};

static uint64_t word_of(const uint8_t *head, uint16_t offset)
{
	uint64_t v;

	memcpy(&v, head + offset, sizeof(v));
	return offset ? v : 0;
}

void goroutine_parse(const struct goroutine_fields *f, const uint8_t *head,
		     struct goroutine_header *ret)
{
	uint32_t status;

	memset(ret, 0, sizeof(*ret)); /* compared as bytes */
	memcpy(&ret->lo, head, 8);
	memcpy(&ret->hi, head + 8, 8);
	memcpy(&status, head + f->status, sizeof(status));
	memcpy(&ret->m, head + 48, 8);
	ret->sp = word_of(head, f->sp);
	ret->pc = word_of(head, f->pc);
	ret->bp = word_of(head, f->bp);
	ret->syscallsp = word_of(head, f->syscallsp);
	ret->syscallpc = word_of(head, f->syscallpc);
	ret->goid = word_of(head, f->goid);
	ret->parent_goid = word_of(head, f->parent_goid);
	ret->startpc = word_of(head, f->startpc);
	ret->gopc = word_of(head, f->gopc);
	ret->lockedm = word_of(head, f->lockedm);
	ret->waiting = word_of(head, f->waiting);
	ret->labels = word_of(head, f->labels);
	ret->since_ns = word_of(head, f->since);
	ret->wake = word_of(head, f->wake);
	ret->status = status & ~(uint32_t)STATUS_SCAN;
	ret->scan = status & STATUS_SCAN;
	ret->reason = head[f->reason];
	ret->seq = f->seq ? head[f->seq] : 0;
}

/*
 * Fields that are at a constant distance from another one, in every version that has them.
 * The version decides what is not: m's neighbours moved in 1.25, sudog in 1.15 and 1.26,
 * pollDesc in 1.14, 1.17 and 1.21.
 */
void goroutine_fields_fill(struct goroutine_fields *f, const struct layout *l, int minor)
{
	*f = (struct goroutine_fields){
		.sp = 56,
		.pc = 64,
		.bp = (uint16_t)l->g_schedbp,
		.syscallsp = (uint16_t)l->g_syscallsp,
		.syscallpc = (uint16_t)(l->g_syscallsp + 8),
		.status = (uint16_t)(l->g_goid - 8),
		.goid = (uint16_t)l->g_goid,
		.parent_goid = (uint16_t)l->g_parent_goid,
		.since = (uint16_t)(l->g_goid + 16),
		.reason = (uint16_t)(l->g_goid + 24),
		.lockedm = (uint16_t)l->g_lockedm,
		.gopc = (uint16_t)l->g_gopc,
		.startpc = (uint16_t)l->g_startpc,
		.waiting = (uint16_t)(l->g_startpc + 16),
		.labels = (uint16_t)l->g_labels,
		.wake = (uint16_t)(l->g_startpc + (minor < 23 ? 56u : 64u)),
		.m_procid = (uint16_t)l->m_procid,
		.labels_list = l->labels_list,
		.sudog_next = minor < 15 ? 16 : 8,
		.sudog_elem = minor < 15 ? 32 : 24,
		.sudog_waitlink = minor < 15 || minor > 25 ? 72 : 64,
		.sudog_c = minor < 15 || minor > 25 ? 88 : 80,
		.poll_fd = minor < 17 ? 16 : 8,
		.poll_rg = minor < 17   ? 40
			   : minor < 21 ? 24
					: 32,
		.poll_wg = minor < 14   ? 128
			   : minor < 17 ? 136
			   : minor < 21 ? 32
					: 40,
		.timer_when = minor < 14   ? 16
			      : minor < 23 ? 8
					   : 0,
	};
	if (minor > 16)
		f->seq = (uint16_t)(l->g_goid + (minor < 21   ? 37u
						 : minor < 22 ? 36u
							      : 39u));
	f->head = (uint16_t)((f->wake > f->labels ? f->wake : f->labels) + 8);
}

static int allgs_find(struct goroutines *r, const char **why)
{
	const struct object *o = r->runtime.object;
	uint64_t entry = 0, allgs;
	struct cursor code;

	if (o->elf->machine != EM_X86_64) {
		*why = "only of amd64 programs can they be found so far";
		return -ENOTSUP;
	}
	code = golayout_code(o, "runtime.allgadd", &entry);
	allgs = gocode_allgs(code, entry);
	if (!allgs) {
		*why = "the list of goroutines was not found in runtime.allgadd";
		return -ENOTSUP;
	}
	r->allgs = allgs + r->runtime.bias;
	return 0;
}

/* Reads the string whose header is at addr. False: there is none that can be a reason. */
static bool reason_read(struct goroutines *r, uint64_t addr, char *to)
{
	struct {
		uint64_t addr, len;
	} s;

	*to = 0;
	if (!memory_copy(r->m, addr, &s, sizeof(s)) || s.len >= REASON_LEN ||
	    (s.len && !memory_copy(r->m, s.addr, to, (uint32_t)s.len)))
		return false;
	to[s.len] = 0;
	for (uint64_t i = 0; i < s.len; i++)
		if (to[i] < ' ' || to[i] > '~')
			return false;
	return true;
}

static enum wait_kind waits_for(const char *reason)
{
	static const struct {
		const char *prefix;
		enum wait_kind kind;
	} rows[] = {
		{ "IO wait", WAIT_POLL },        { "chan ", WAIT_CHAN },
		{ "select", WAIT_SELECT },       { "semacquire", WAIT_SEMA },
		{ "sync.Cond.Wait", WAIT_COND }, { "sync.Mutex.", WAIT_SEMA },
		{ "sync.RWMutex.", WAIT_SEMA },  { "sync.WaitGroup.", WAIT_SEMA },
		{ "sleep", WAIT_SLEEP },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strncmp(reason, rows[i].prefix, strlen(rows[i].prefix)))
			return rows[i].kind;
	return WAIT_NONE;
}

/* The names of reasons are an array of strings, which waitReason.String() indexes. What
 * follows it may look like more of them, but no goroutine has such a reason. */
static int reasons_read(struct goroutines *r, const char **why)
{
	uint64_t entry = 0, at[ADDRESSES];
	struct cursor code = golayout_code(r->runtime.object, "runtime.waitReason.String",
					   &entry);
	uint32_t n = gocode_addresses(code, entry, at, ADDRESSES);
	char name[REASON_LEN];

	for (uint32_t i = 0; i < n && !r->n_reasons; i++) {
		uint64_t table = at[i] + r->runtime.bias;

		if (!reason_read(r, table + IO_WAIT * 16, name) || strcmp(name, "IO wait"))
			continue;
		for (; r->n_reasons < REASONS; r->n_reasons++) {
			char *to = r->reasons[r->n_reasons];

			if (!reason_read(r, table + r->n_reasons * 16ull, to) ||
			    (r->n_reasons && !*to))
				break;
			r->reason_waits[r->n_reasons] = (uint8_t)waits_for(to);
		}
	}
	*why = "the reasons of waiting were not found in runtime.waitReason.String";
	return r->n_reasons ? 0 : -ENOTSUP;
}

/* Why this is no g; NULL: it may be one. */
static const char *contradiction(struct goroutines *r, uint64_t g,
				 const struct goroutine_header *h)
{
	struct go_pc f;

	if (h->status > STATUS_DEADEXTRA)
		return layout_checks[CHECK_STATUS].why;
	if (h->status == STATUS_IDLE || h->status == STATUS_DEAD ||
	    h->status == STATUS_DEADEXTRA)
		return NULL;
	if (h->hi <= h->lo || h->hi - h->lo < STACK_MIN || h->hi - h->lo > STACK_LARGEST)
		return layout_checks[CHECK_STACK].why;
	if (!h->goid || h->goid >> 48)
		return layout_checks[CHECK_GOID].why;
	/* one that the runtime makes for a thread of C has none */
	space_go_pc(r->space, h->startpc, &f);
	if (h->startpc ? f.entry != h->startpc : h->gopc || !h->lockedm)
		return layout_checks[CHECK_START].why;
	if (h->status != STATUS_WAITING)
		return NULL;
	if (h->sp <= h->lo || h->sp > h->hi || !space_is_go(r->space, h->pc))
		return "self-check: g.sched is not in its stack and code";
	if (h->reason >= r->n_reasons)
		return "self-check: g.waitreason is not a reason";
	if (r->reason_waits[h->reason] == WAIT_CHAN && h->waiting &&
	    memory_word(r->m, h->waiting) != g)
		return "self-check: g.waiting is not of this g";
	return NULL;
}

int goroutines_check(struct goroutines *r, const char **why)
{
	uint32_t every = r->n / CHECKED + 1, alive = 0;
	struct goroutine_header h;

	for (uint32_t i = 0; i < r->n; i += every) {
		const char *wrong = "self-check: a goroutine cannot be read";

		/* it changes while it is read: what is wrong stays wrong */
		for (int t = 0; t < CHECK_TRIES && wrong; t++) {
			if (!memory_copy(r->m, r->gs[i], r->heads[0], r->f.head))
				continue;
			goroutine_parse(&r->f, r->heads[0], &h);
			wrong = contradiction(r, r->gs[i], &h);
		}
		if (wrong) {
			*why = wrong;
			return r->m->err ? r->m->err : -ENOTSUP;
		}
		alive += h.goid && h.status != STATUS_DEAD;
	}
	*why = "it has no goroutine yet";
	return r->m->err ? r->m->err : alive ? 0 : -EAGAIN;
}

/* With these offsets, from the file or from DWARF. */
static int try_layout(struct goroutines *r, bool dwarf, const char **why)
{
	int err = golayout_find(&r->layout, r->runtime.object, dwarf);
	uint32_t n;

	*why = r->layout.why;
	if (err)
		return err;
	goroutine_fields_fill(&r->f, &r->layout.layout, r->runtime.object->go->minor);
	if (r->f.head > HEAD_MAX)
		return -ENOTSUP;
	goroutines_list(r, &n);
	return goroutines_check(r, why);
}

int goroutines_find(struct goroutines *r, const char **why)
{
	const char *first = NULL;
	int err = allgs_find(r, why);

	if (!err)
		err = reasons_read(r, why);
	if (err)
		return r->m->err ? r->m->err : err;
	for (int dwarf = 0; dwarf < 2; dwarf++) {
		err = try_layout(r, dwarf, why);
		if (err != -ENOTSUP)
			return err;
		first = first ? first : *why;
	}
	*why = first;
	return err;
}
