/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles for tests; stacks are made from words: "goexit:runtime.goexit go:main.main
 * kernel:read". */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "profiler/profile/profile.h"

static inline uint32_t hand_string(struct profile *p, const char *s)
{
	return strtab_add(p->strings, s);
}

/* Frames, root first. The word before the colon is the kind, inl an inlined Go frame;
 * the name after it may be missing. */
static inline uint32_t hand_stack(struct profile *p, const char *words)
{
	static const char *const kinds[FRAME_KIND_MAX] = {
		[FRAME_UNNAMED] = "unnamed",
		[FRAME_GO] = "go",
		[FRAME_NATIVE] = "c",
		[FRAME_VDSO] = "vdso",
		[FRAME_KERNEL] = "kernel",
		[FRAME_CUT] = "cut",
		[FRAME_WRAPPER] = "wrapper",
		[FRAME_PANIC] = "panic",
		[FRAME_SIGPANIC] = "sigpanic",
		[FRAME_INJECTED] = "injected",
		[FRAME_GOEXIT] = "goexit",
		[FRAME_MSTART] = "mstart",
		[FRAME_MCALL] = "mcall",
		[FRAME_MORESTACK] = "morestack",
		[FRAME_SYSTEMSTACK] = "systemstack",
		[FRAME_ASMCGOCALL] = "asmcgocall",
		[FRAME_CGOCALLBACK] = "cgocallback",
		[FRAME_SIGTRAMP] = "sigtramp",
	};
	uint32_t call = 0;
	char copy[512], *word, *save;

	cr_assert_lt(strlen(words), sizeof(copy));
	strcpy(copy, words);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *name = strchr(word, ':');
		struct frame f = { .addr = 0x1000, .kind = FRAME_GO };

		*name++ = 0;
		f.inlined = !strcmp(word, "inl");
		for (int k = 0; k < FRAME_KIND_MAX; k++)
			if (kinds[k] && !strcmp(word, kinds[k]))
				f.kind = (uint8_t)k;
		f.func = hand_string(p, name);
		call = profile_call(p, call, profile_frame(p, &f));
	}
	return call;
}

static inline uint32_t hand_process(struct profile *p, uint32_t tgid, const char *name)
{
	return profile_process(
		p, &(struct process){ .tgid = tgid, .name = hand_string(p, name) });
}

static inline uint32_t hand_thread(struct profile *p, uint32_t process, uint32_t tid,
				   const char *name)
{
	return profile_thread(p, &(struct thread){ process, tid, hand_string(p, name) });
}

static inline uint32_t hand_goroutine(struct profile *p, uint32_t process, uint64_t goid,
				      const char *start, const char *creator,
				      const char *labels)
{
	/* their ids are in this order in a recording that is kept as a fixture */
	uint32_t start_id = hand_string(p, start), creator_id = hand_string(p, creator),
		 labels_id = hand_string(p, labels);

	return profile_goroutine(p, &(struct goroutine){ .goid = goid,
							 .parent_goid = goid / 2,
							 .process = process,
							 .start = start_id,
							 .creator = creator_id,
							 .labels = labels_id });
}

static inline void hand_event(struct profile *p, uint64_t ms, uint32_t call,
			      uint32_t goroutine, uint32_t thread, uint8_t class)
{
	profile_event(p, &(struct event){ .time_ns = ms * 1000000,
					  .weight = 10000000,
					  .call = call,
					  .goroutine = goroutine,
					  .thread = thread,
					  .cpu = p->n_events % 3, /* ?, 0, 1 */
					  .kind = 1,
					  .class = class,
					  .flags = EVENT_ROOTED });
}

static inline struct profile *hand_profile(void)
{
	struct profile *p = profile_new();

	profile_kind(p, &(struct event_kind){ .name = hand_string(p, "cpu"),
					      .unit = hand_string(p, UNIT_NS),
					      .source = hand_string(p, "cpu-clock"),
					      .freq = 100,
					      .period = 10000000 });
	p->start_ns = 1700000000000000000;
	return p;
}

/* One program, whose main started two workers. */
static inline struct profile *hand_workers(void)
{
	struct profile *p = hand_profile();
	uint32_t pid = hand_process(p, 812, "demo");
	uint32_t t1 = hand_thread(p, pid, 812, "demo"), t2 = hand_thread(p, pid, 815, "");
	uint32_t a = hand_goroutine(p, pid, 18, "main.worker", "main.main demo.go:7", "");
	uint32_t b = hand_goroutine(p, pid, 19, "main.worker", "main.main demo.go:7", "");
	uint32_t b2 = hand_goroutine(p, pid, 19, "main.worker", "main.main demo.go:7",
				     "job=x");
	uint32_t m = hand_goroutine(p, pid, 1, "runtime.main", "", "");
	uint32_t work = hand_stack(p, "goexit:runtime.goexit go:main.worker go:main.work");
	uint32_t idle = hand_stack(p, "go:runtime.mstart go:runtime.schedule");

	p->stats.duration_ns = 10000000000;
	hand_event(p, 100, work, a, t1, CLASS_USER);
	hand_event(p, 50, work, a, t2, CLASS_USER);
	hand_event(p, 300, work, b, t1, CLASS_USER);
	hand_event(p, 400, work, b2, t1, CLASS_USER);
	hand_event(p, 500,
		   hand_stack(p, "goexit:runtime.goexit go:main.worker kernel:read"), b, t1,
		   CLASS_KERNEL);
	hand_event(p, 600,
		   hand_stack(p, "goexit:runtime.goexit go:runtime.main go:main.main"), m,
		   t2, CLASS_USER);
	hand_event(p, 700, idle, 0, t2, CLASS_SCHEDULER);
	return p;
}
