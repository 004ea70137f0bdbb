/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads as the runtime leaves them in memory, at each of the moments that
 * bpf/goruntime.bpf.h distinguishes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "bpf/sample.h"
#include "profiler/goruntime/golayout.h"

static long read_user(void *dst, __u32 size, __u64 addr);

#include "bpf/goruntime.bpf.h"

enum { TP = 0x7000, G = 0x10000, G0 = 0x20000, GSIGNAL = 0x30000, M = 0x40008, TID = 4321 };

/* Readable memory: no object is larger than the runtime's may be. */
static struct region {
	__u64 addr, size;
	__u8 data[512];
} regions[8];

static struct layout layout;
static struct goroutine_state state;
static int reads;

static struct region *region_at(__u64 addr, __u64 size)
{
	for (size_t i = 0; i < sizeof(regions) / sizeof(*regions); i++)
		if (addr >= regions[i].addr &&
		    addr + size <= regions[i].addr + regions[i].size)
			return &regions[i];
	return NULL;
}

static long read_user(void *dst, __u32 size, __u64 addr)
{
	struct region *r = region_at(addr, size);

	reads++;
	if (!r) {
		memset(dst, 0, size); /* as bpf_probe_read_user() does */
		return -EFAULT;
	}
	memcpy(dst, r->data + (addr - r->addr), size);
	return 0;
}

/* Writes the low bytes of v. */
static void put(__u64 addr, __u64 v, __u64 size)
{
	struct region *r = region_at(addr, size);

	cr_assert(r, "%llx", addr);
	memcpy(r->data + (addr - r->addr), &v, size);
}

static void g_put(__u64 g, __u64 lo, __u64 hi, __u64 goid)
{
	put(g, lo, 8);
	put(g + 8, hi, 8);
	put(g + 48, M, 8);
	put(g + layout.g_goid, goid, 8);
	if (!goid)
		return;
	put(g + layout.g_startpc, 0x401000 + goid, 8);
	put(g + layout.g_gopc, 0x402000 + goid, 8);
	if (layout.g_parent_goid)
		put(g + layout.g_parent_goid, 1, 8);
	put(g + layout.g_labels, 0x403000 + goid, 8);
}

/* A thread of that version that runs goroutine 18. */
static void thread_make(const char *version)
{
	const __u64 gs[] = { G, G0, GSIGNAL };
	const char *why;

	cr_assert_eq(golayout_of_version(&layout, version, &why), 0);
	layout.tls_g = -8;
	memset(regions, 0, sizeof(regions));
	for (int i = 0; i < 3; i++)
		regions[i] = (struct region){ .addr = gs[i], .size = layout.g_labels + 8 };
	/* The fields before procid change from version to version, and so do those after
	 * ncgo. */
	regions[3] = (struct region){ .addr = M + layout.m_procid,
				      .size = layout.m_ncgo + 4 - layout.m_procid };
	regions[4] = (struct region){ .addr = TP - 8, .size = 8 };
	g_put(G, 0xc000100000, 0xc000108000, 18);
	g_put(G0, 0x7ffe0000, 0x7fff0000, 0);
	g_put(GSIGNAL, 0xc000200000, 0xc000208000, 0);
	put(TP - 8, G, 8);
	put(M + layout.m_procid, TID, 8);
	put(M + layout.m_procid + 8, GSIGNAL, 8);
	put(M + layout.m_curg, G, 8);
}

/* Reads the state again, over garbage; returns its flags. */
static __u32 look(void)
{
	static struct goroutine_scratch tmp;

	memset(&tmp, 0xa5, sizeof(tmp));
	memset(&state, 0xa5, sizeof(state));
	goroutine_read(&layout, TP, 0, &tmp, &state);
	return state.flags;
}

static void expect_goroutine(void)
{
	cr_expect_eq(state.goid, 18);
	cr_expect_eq(state.parent_goid, layout.g_parent_goid ? 1 : 0);
	cr_expect_eq(state.startpc, 0x401000 + 18);
	cr_expect_eq(state.gopc, 0x402000 + 18);
	cr_expect_eq(state.labels, 0x403000 + 18);
	cr_expect_eq(state.procid, TID);
}

static void expect_none(void)
{
	cr_expect_eq(state.goid, 0);
	cr_expect_eq(state.parent_goid, 0);
	cr_expect_eq(state.startpc, 0);
	cr_expect_eq(state.gopc, 0);
	cr_expect_eq(state.labels, 0);
	cr_expect_eq(state.alt_lo, 0);
	cr_expect_eq(state.alt_hi, 0);
}

static void expect_stack(__u64 lo, __u64 hi, __u64 alt_lo, __u64 alt_hi)
{
	cr_expect_eq(state.lo, lo);
	cr_expect_eq(state.hi, hi);
	cr_expect_eq(state.alt_lo, alt_lo);
	cr_expect_eq(state.alt_hi, alt_hi);
}

/* One version of each layout. */
static const char *const versions[] = { "go1.16",    "go1.19.8",  "go1.21.0",
					"go1.22.3",  "go1.23.12", "go1.24.1",
					"go1.24.13", "go1.25.0",  "go1.27.4" };

#define each_version(v) for (size_t v = 0; v < sizeof(versions) / sizeof(*versions); v++)

Test(goruntime, user_code)
{
	each_version(v)
	{
		thread_make(versions[v]);
		cr_expect_eq(look(), 0, "%s", versions[v]);
		expect_goroutine();
		expect_stack(0xc000100000, 0xc000108000, 0, 0);
	}
}

/* A program without C has the slot in m.tls: m's fields come with it. */
Test(goruntime, slot_in_m)
{
	each_version(v)
	{
		thread_make(versions[v]);
		layout.tls_g = (__s64)(M + layout.m_curg - 56 - TP);
		put(TP + layout.tls_g, G, 8);
		reads = 0;
		cr_expect_eq(look(), 0, "%s", versions[v]);
		expect_goroutine();
		cr_expect_eq(reads, 2, "%s: %d", versions[v], reads);

		put(TP + layout.tls_g, G0, 8);
		cr_expect_eq(look(), SAMPLE_G0, "%s", versions[v]);
		expect_goroutine();
		put(TP + layout.tls_g, 0, 8);
		cr_expect_eq(look(), SAMPLE_NO_G, "%s", versions[v]);
	}
}

/* In other programs there is something else around the slot, which must not be taken for
 * m. */
Test(goruntime, slot_in_tls_of_c)
{
	each_version(v)
	{
		thread_make(versions[v]);
		regions[4] = (struct region){ .addr = TP - 144, .size = 512 };
		memset(regions[4].data, 0x5a, 512);
		put(TP - 8, G, 8);
		cr_expect_eq(look(), 0, "%s", versions[v]);
		expect_goroutine();
	}
}

Test(goruntime, g0_with_curg)
{
	each_version(v)
	{
		thread_make(versions[v]);
		put(TP - 8, G0, 8);
		cr_expect_eq(look(), SAMPLE_G0, "%s", versions[v]);
		expect_goroutine();
		expect_stack(0x7ffe0000, 0x7fff0000, 0xc000100000, 0xc000108000);
	}
}

Test(goruntime, g0_without_curg)
{
	thread_make("go1.22.3");
	put(TP - 8, G0, 8);
	put(M + layout.m_curg, 0, 8);
	cr_expect_eq(look(), SAMPLE_G0);
	expect_none();
	expect_stack(0x7ffe0000, 0x7fff0000, 0, 0);
	cr_expect_eq(state.procid, TID);
}

Test(goruntime, g0_without_bounds_yet)
{
	thread_make("go1.24.13");
	g_put(G0, 0, 0, 0);
	put(TP - 8, G0, 8);
	cr_expect_eq(look(), SAMPLE_G0);
	expect_goroutine();
	expect_stack(0, 0, 0xc000100000, 0xc000108000);
}

Test(goruntime, signal_handler)
{
	thread_make("go1.22.3");
	put(TP - 8, GSIGNAL, 8);
	put(M + layout.m_ncgo, 1, 4);
	put(G + layout.g_syscallsp, 0xc000107f00, 8);
	cr_expect_eq(look(), SAMPLE_GSIGNAL);
	expect_goroutine();
	expect_stack(0xc000200000, 0xc000208000, 0xc000100000, 0xc000108000);

	put(M + layout.m_curg, 0, 8);
	cr_expect_eq(look(), SAMPLE_GSIGNAL);
	expect_none();
}

Test(goruntime, cgo)
{
	each_version(v)
	{
		thread_make(versions[v]);
		put(TP - 8, G0, 8);
		put(M + layout.m_ncgo, 1, 4);
		cr_expect_eq(look(), SAMPLE_G0, "called back from C");
		put(G + layout.g_syscallsp, 0xc000107f00, 8);
		cr_expect_eq(look(), SAMPLE_G0 | SAMPLE_CGO, "%s", versions[v]);
		expect_goroutine();
		put(M + layout.m_ncgo, 0, 4);
		cr_expect_eq(look(), SAMPLE_G0, "a plain system call");
		put(M + layout.m_ncgo, -1, 4);
		cr_expect_eq(look(), SAMPLE_G0);
		layout.m_ncgo = 0;
		cr_expect_eq(look(), SAMPLE_G0, "where ncgo is was not known");
		expect_goroutine();
	}
}

Test(goruntime, extra_thread_back_in_c)
{
	static const char *const since[] = { "go1.21.0", "go1.24.13", "go1.25.0",
					     "go1.27.4" };

	for (int i = 0; i < 4; i++) {
		thread_make(since[i]);
		put(M + layout.m_extra_in_c, 1, 1);
		put(TP - 8, G0, 8);
		cr_expect_eq(look(), SAMPLE_NO_G, "%s", since[i]);
		expect_none();
		expect_stack(0, 0, 0, 0);

		put(TP - 8, GSIGNAL, 8);
		cr_expect_eq(look(), SAMPLE_GSIGNAL);
		expect_none();

		/* cgocallbackg() clears the mark when it already runs on curg */
		put(TP - 8, G, 8);
		cr_expect_eq(look(), 0);
		expect_goroutine();

		/* the bytes around it are other flags */
		put(M + layout.m_extra_in_c, 0, 1);
		put(M + layout.m_extra_in_c - 1, 1, 1);
		put(M + layout.m_extra_in_c + 1, 1, 1);
		put(TP - 8, G0, 8);
		cr_expect_eq(look(), SAMPLE_G0);
		expect_goroutine();
	}
}

/* What runs on g0 for a goroutine determines where that continues. */
Test(goruntime, resumes_where_the_goroutine_left)
{
	each_version(v)
	{
		thread_make(versions[v]);
		put(G + 56, 0xc000107e00, 8);
		put(G + 64, 0x401234, 8);
		put(G + layout.g_schedbp, 0xc000107e10, 8);
		cr_expect_eq(look(), 0);
		cr_expect_eq(state.resume, RESUME_NONE, "it runs itself");
		put(TP - 8, G0, 8);
		cr_expect_eq(look(), SAMPLE_G0);
		cr_expect_eq(state.resume, RESUME_SCHED, "%s", versions[v]);
		cr_expect_eq(state.resume_sp, 0xc000107e00);
		cr_expect_eq(state.resume_pc, 0x401234);
		cr_expect_eq(state.resume_fp, 0xc000107e10);
		put(G + 56, 0, 8);
		look();
		cr_expect_eq(state.resume, RESUME_NONE, "left nowhere");
	}
}

Test(goruntime, resumes_at_the_call_of_c)
{
	each_version(v)
	{
		thread_make(versions[v]);
		put(G + 56, 0xc000107e00, 8);
		put(M + layout.m_ncgo, 1, 4);
		put(G + layout.g_schedbp, 0xc000107e50, 8);
		put(G + layout.g_syscallsp, 0xc000107f00, 8);
		put(TP - 8, G0, 8);
		cr_expect_eq(look(), SAMPLE_G0 | SAMPLE_CGO);
		cr_expect_eq(state.resume, RESUME_SCHED, "%s", versions[v]);
		cr_expect_eq(state.resume_fp, 0xc000107e00, "asmcgocall's frame");
		layout.cgocall_frame = 48;
		look();
		cr_expect_eq(state.resume_fp, 0xc000107e50);
		put(G + layout.g_schedbp, 0xc000107d00, 8);
		look();
		cr_expect_eq(state.resume_fp, 0xc000107e30, "left by a call back");
	}
}

Test(goruntime, resumes_at_the_call_of_the_vdso)
{
	struct goroutine_scratch tmp;

	each_version(v)
	{
		thread_make(versions[v]);
		if (!layout.m_vdsosp)
			continue;
		regions[5] = (struct region){ .addr = M + layout.m_vdsosp, .size = 16 };
		regions[6] = (struct region){ .addr = 0xc000107df0, .size = 8 };
		put(M + layout.m_vdsosp, 0xc000107e00, 8);
		put(M + layout.m_vdsosp + 8, 0x401234, 8);
		put(0xc000107df0, 0xc000107e20, 8);
		goroutine_read(&layout, TP, 0, &tmp, &state);
		vdso_find(&layout, &tmp, 1, &state);
		cr_expect_eq(state.resume, RESUME_VDSO, "%s", versions[v]);
		cr_expect_eq(state.resume_pc, 0x401234);
		cr_expect_eq(state.resume_fp, 0xc000107e20);
		put(M + layout.m_vdsosp, 0, 8);
		goroutine_read(&layout, TP, 0, &tmp, &state);
		vdso_find(&layout, &tmp, 1, &state);
		cr_expect_eq(state.resume, RESUME_NONE, "in no such call");
	}
}

/* The stack that the handler interrupted determines what was in the slot. */
Test(goruntime, interrupted_by_a_signal)
{
	struct goroutine_scratch tmp;

	each_version(v)
	{
		thread_make(versions[v]);
		regions[5] = (struct region){ .addr = M, .size = 8 };
		if (layout.m_vdsosp)
			regions[6] = (struct region){ .addr = M + layout.m_vdsosp,
						      .size = 16 };
		put(M, G0, 8);
		put(TP - 8, GSIGNAL, 8);
		interrupted_read(&layout, TP, 0xc000107e00, &tmp, &state);
		cr_expect_eq(state.flags, 0, "%s", versions[v]);
		expect_goroutine();
		expect_stack(0xc000100000, 0xc000108000, 0, 0);
		interrupted_read(&layout, TP, 0x7ffe8000, &tmp, &state);
		cr_expect_eq(state.flags, SAMPLE_G0, "%s", versions[v]);
		expect_goroutine();
		expect_stack(0x7ffe0000, 0x7fff0000, 0xc000100000, 0xc000108000);
		if (layout.m_vdsosp) { /* the goroutine itself calls it there */
			put(M + layout.m_vdsosp, 0xc000107e00, 8);
			interrupted_read(&layout, TP, 0x7ffe8000, &tmp, &state);
			cr_expect_eq(state.flags, 0, "%s", versions[v]);
			put(M + layout.m_vdsosp, 0, 8);
		}
		put(M + layout.m_curg, 0, 8);
		interrupted_read(&layout, TP, 0xc000107e00, &tmp, &state);
		cr_expect_eq(state.flags, SAMPLE_G0, "the scheduler");
		expect_none();
		put(TP - 8, 0x123, 8);
		interrupted_read(&layout, TP, 0xc000107e00, &tmp, &state);
		cr_expect_eq(state.flags, SAMPLE_G_FAULT);
		expect_none();
	}
}

Test(goruntime, locked_to_its_thread)
{
	each_version(v)
	{
		thread_make(versions[v]);
		look();
		cr_expect_not(state.locked, "%s", versions[v]);
		put(G + layout.g_lockedm, M, 8);
		look();
		cr_expect(state.locked, "%s", versions[v]);
		put(TP - 8, G0, 8);
		look();
		cr_expect(state.locked, "%s, also while the runtime works for it",
			  versions[v]);
	}
}

Test(goruntime, g_in_a_register)
{
	struct goroutine_scratch tmp;

	thread_make("go1.22.3");
	layout.g_in_register = 1;
	regions[4].size = 0;
	goroutine_read(&layout, 0, G, &tmp, &state);
	cr_expect_eq(state.flags, 0);
	expect_goroutine();
	goroutine_read(&layout, TP, 0, &tmp, &state);
	cr_expect_eq(state.flags, SAMPLE_NO_G);
}

Test(goruntime, no_g_no_layout_no_tls)
{
	struct goroutine_scratch tmp;

	thread_make("go1.22.3");
	put(TP - 8, 0, 8);
	cr_expect_eq(look(), SAMPLE_NO_G);
	expect_none();
	goroutine_read(&layout, 0, 0, &tmp, &state);
	cr_expect_eq(state.flags, SAMPLE_STARTING);
	regions[4].size = 0;
	cr_expect_eq(look(), SAMPLE_G_FAULT);
	expect_none();
	layout.ok = 0;
	cr_expect_eq(look(), SAMPLE_NO_LAYOUT);
	expect_none();
	cr_expect_eq(state.procid, 0);
}

Test(goruntime, what_cannot_be_read)
{
	thread_make("go1.24.13");
	regions[3].size--; /* m */
	cr_expect_eq(look(), SAMPLE_G_FAULT);
	expect_none();
	expect_stack(0, 0, 0, 0);
	cr_expect_eq(state.procid, 0);

	thread_make("go1.24.13");
	regions[0].size--; /* g */
	cr_expect_eq(look(), SAMPLE_G_FAULT);
	expect_none();
	/* the same as curg: what is known about the thread stays known */
	put(TP - 8, G0, 8);
	cr_expect_eq(look(), SAMPLE_G0 | SAMPLE_G_FAULT);
	expect_none();
	expect_stack(0x7ffe0000, 0x7fff0000, 0, 0);
}

/* The object from that field on is on a page that was never written to. */
static void page_end(int region, __u64 field)
{
	__u64 from = regions[region].addr;

	regions[region].addr = (from & ~0xfffULL) + 0x1000 - field;
	regions[region].size = field;
}

Test(goruntime, g0_ends_on_a_page_never_written_to)
{
	each_version(v)
	{
		thread_make(versions[v]);
		put(TP - 8, G0, 8);
		page_end(1, layout.g_goid + 8);
		put(TP - 8, regions[1].addr, 8);
		cr_expect_eq(look(), SAMPLE_G0, "%s", versions[v]);
		expect_goroutine();
		expect_stack(0x7ffe0000, 0x7fff0000, 0xc000100000, 0xc000108000);
		page_end(1, layout.g_goid);
		put(TP - 8, regions[1].addr, 8);
		cr_expect_eq(look(), SAMPLE_G_FAULT, "whether it is g0 is not known");
	}
}

/* Runs the goroutine with everything from that field on missing; returns flags. */
static __u32 run_g_cut_at(__u64 field)
{
	page_end(0, field);
	put(TP - 8, regions[0].addr, 8);
	put(M + layout.m_curg, regions[0].addr, 8);
	return look();
}

Test(goruntime, goroutine_ends_on_a_page_never_written_to)
{
	each_version(v)
	{
		thread_make(versions[v]);
		cr_expect_eq(run_g_cut_at(layout.g_labels), 0, "%s", versions[v]);
		cr_expect_eq(state.goid, 18);
		cr_expect_eq(state.startpc, 0x401000 + 18);
		cr_expect_eq(state.labels, 0, "it was never given any");

		thread_make(versions[v]);
		cr_expect_eq(run_g_cut_at(layout.g_gopc), SAMPLE_G_FAULT,
			     "it was started, so gopc was written");
		expect_none();

		thread_make(versions[v]);
		put(G + layout.g_lockedm, M, 8);
		cr_expect_eq(run_g_cut_at(layout.g_gopc), 0, "it was not: C's thread");
		cr_expect_eq(state.goid, 18);
		cr_expect_eq(state.startpc, 0);
	}
}

Test(goruntime, m_ends_on_a_page_never_written_to)
{
	__u64 m;

	each_version(v)
	{
		thread_make(versions[v]);
		regions[3].size = layout.m_curg + 8 - layout.m_procid;
		regions[3].addr = 0x50000 - regions[3].size;
		m = regions[3].addr - layout.m_procid;
		put(G + 48, m, 8);
		cr_expect_eq(look(), 0, "%s", versions[v]);
		expect_goroutine();
		regions[3].size -= 8;
		regions[3].addr += 8;
		put(G + 48, m + 8, 8);
		cr_expect_eq(look(), SAMPLE_G_FAULT, "what it runs is not known");
		expect_none();
	}
}

Test(goruntime, contradictions)
{
	thread_make("go1.22.3");
	put(M + layout.m_curg, GSIGNAL, 8);
	cr_expect_eq(look(), SAMPLE_G_FAULT, "goroutine 18 runs, but not on its m");
	expect_none();
	expect_stack(0, 0, 0, 0);

	thread_make("go1.22.3");
	put(G + layout.g_goid, 0, 8);
	cr_expect_eq(look(), SAMPLE_G_FAULT, "curg has no id");
	expect_none();

	thread_make("go1.22.3");
	put(G + 8, 0xc000100000, 8);
	cr_expect_eq(look(), SAMPLE_G_FAULT, "an empty stack");
	expect_none();
	put(G, 0, 8);
	put(G + 8, 0, 8);
	cr_expect_eq(look(), SAMPLE_G_FAULT, "goroutines always have bounds");
	expect_none();
	put(TP - 8, G0, 8);
	cr_expect_eq(look(), SAMPLE_G0 | SAMPLE_G_FAULT);
	expect_none();

	thread_make("go1.22.3");
	put(TP - 8, G0, 8);
	put(G + 48, M + 8, 8);
	cr_expect_eq(look(), SAMPLE_G0 | SAMPLE_G_FAULT, "curg belongs to another m");
	expect_none();
	put(G + 48, 0, 8);
	cr_expect_eq(look(), SAMPLE_G0, "execute() and dropg() set one after the other");
	expect_none();

	thread_make("go1.22.3");
	put(TP - 8, G0, 8);
	put(G0, 0x7fff0001, 8);
	cr_expect_eq(look(), SAMPLE_G_FAULT, "g0's stack ends before it starts");
	expect_none();
	expect_stack(0, 0, 0, 0);
}

/* Offsets come from a map that user space fills: none may lead outside the scratch
 * memory. */
Test(goruntime, any_layout_is_safe)
{
	__u32 *field = &layout.g_syscallsp;
	static const __u32 values[] = { 0,   4,          500,        504,       505,
					512, 0x7fffffff, 0xfffffff8, 0xffffffff };

	for (int i = 0; &field[i] < (__u32 *)(&layout + 1); i++)
		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
			thread_make("go1.22.3");
			put(TP - 8, G0, 8);
			field[i] = values[v];
			look();
		}
}
