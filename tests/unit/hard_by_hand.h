/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile that formats for viewers may stumble over. */
#pragma once

#include "tests/unit/profile_by_hand.h"

static inline uint32_t stack_in(struct profile *p, uint32_t module,
				const char *const *names)
{
	uint32_t call = 0, line = 10;

	for (; *names; names++, line++) {
		struct frame f = { .addr = 0x401000 + line * 16,
				   .func = hand_string(p, *names),
				   .file = hand_string(p, "/src/ev\"il.go"),
				   .module = module,
				   .line = line,
				   .start_line = 9,
				   .kind = FRAME_GO,
				   .inlined = line == 12 };

		call = profile_call(p, call, profile_frame(p, &f));
	}
	return call;
}

/* Two processes; names and events that readers may stumble over. */
static inline struct profile *hard_workers(void)
{
	static const char *const names[] = { "main.worker", "example.com/x.(*T).F[a; b]",
					     "strings.Index", NULL };
	struct profile *p = hand_workers();
	uint32_t pid = hand_process(p, 900, "ev\033il");
	uint32_t module =
		profile_module(p, &(struct module){ .path = hand_string(p, "/srv/my shop"),
						    .build_id = hand_string(p, "00ff12") });
	uint32_t t = hand_thread(p, pid, 901, "12"), t2 = hand_thread(p, pid, 902, "a b");
	uint32_t g = hand_goroutine(p, pid, 19, "main.F[go.shape.int]", "", "");
	struct frame f = { .addr = 0x2f0, .kind = FRAME_UNNAMED, .module = module };
	uint32_t child = hand_goroutine(p, 1, 38, "main.child", "", "");

	hand_goroutine(p, 1, 9, "main.parent", "",
		       ""); /* without samples; 18 is its child */
	p->processes[1].go_version = hand_string(p, "go1.22.3");
	hand_event(p, 800, stack_in(p, module, names), g, t, CLASS_USER);
	hand_event(p, 900, profile_call(p, 0, profile_frame(p, &f)), g, t2, CLASS_CGO);
	hand_event(p, 950, hand_stack(p, "cut: go:main.work vdso: kernel:read"), 0, t2,
		   CLASS_UNKNOWN);
	hand_event(p, 960, 0, 0, t, CLASS_C);
	hand_event(p, 970, hand_stack(p, "go:main.child"), child, 1, CLASS_USER);
	p->events[p->n_events - 1].flags = 0;
	return p;
}
