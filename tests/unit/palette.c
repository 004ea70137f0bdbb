/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "output/palette.h"
#include "profiler/profile/sigprof.h"
#include "profiler/profile/view.h"
#include "tests/unit/profile_by_hand.h"

static uint32_t frame(struct profile *p, const char *func, uint8_t kind)
{
	return profile_frame(p, &(struct frame){ .func = hand_string(p, func),
						 .module = 1,
						 .addr = 0x1000,
						 .kind = kind });
}

Test(palette, every_category)
{
	static const struct {
		const char *func;
		uint8_t kind, want;
	} rows[] = {
		{ "main.main", FRAME_GO, PALETTE_OWN },
		{ "example.com/shop/cart.Add", FRAME_GO, PALETTE_OWN },
		{ "github.com/lib/pq.(*conn).query", FRAME_GO, PALETTE_LIBRARY },
		{ "net/http.(*conn).serve", FRAME_GO, PALETTE_STANDARD },
		{ "runtime/pprof.Do", FRAME_GO, PALETTE_STANDARD },
		{ "runtime.mallocgc", FRAME_GO, PALETTE_RUNTIME },
		{ "internal/runtime/maps.(*Map).Get", FRAME_GO, PALETTE_RUNTIME },
		{ "memeqbody", FRAME_GO, PALETTE_RUNTIME },
		{ "runtime.systemstack", FRAME_SYSTEMSTACK, PALETTE_RUNTIME },
		{ "runtime.gcBgMarkWorker", FRAME_GO, PALETTE_GC },
		{ "runtime.scanobject", FRAME_GO, PALETTE_GC },
		{ "vfs_write", FRAME_KERNEL, PALETTE_KERNEL },
		{ "", FRAME_KERNEL, PALETTE_KERNEL },
		{ "main.main", FRAME_NATIVE, PALETTE_NATIVE },
		{ "", FRAME_VDSO, PALETTE_VDSO },
		{ "", FRAME_UNNAMED, PALETTE_UNNAMED },
		{ "", FRAME_CUT, PALETTE_UNNAMED },
		{ "", FRAME_GO, PALETTE_UNNAMED },
	};
	struct profile *p = hand_profile();
	struct view v = { .profile = p };

	profile_module(p, &(struct module){ .path = hand_string(p, "/srv/shop"),
					    .go_module = hand_string(p, "example.com/shop"),
					    .go_minor = 22 });
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(palette_of(&v, frame(p, rows[i].func, rows[i].kind)),
			     rows[i].want, "'%s'", rows[i].func);
	cr_expect_eq(palette_of(&v, p->n_frames + SIGPROF_VDSO), PALETTE_VDSO);
	cr_expect_eq(palette_of(&v, p->n_frames + SIGPROF_SYSTEM), PALETTE_RUNTIME);
	for (int i = 0; i < PALETTE_MAX; i++)
		cr_expect(palette_names[i] && *palette_names[i]);
	profile_free(p);
}
