/* SPDX-License-Identifier: BSD-2-Clause */
/* The collector on the real kernel: this process and its children. Needs the rights to
 * load. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/kernel/collect.h"

enum { BURN_NS = 100000000 };

static struct kernel_side k;
static struct seen {
	uint32_t samples, images, exits, others, without_image, backwards;
	image_id image; /* of the last image record */
	uint64_t last_ns, before_settled;
	uint32_t cpu;
	char comm[16];
} seen;
static uint32_t target;

static void on_sample(void *arg, const struct sample *s)
{
	seen.samples += s->tgid == target;
	seen.others += s->tgid != target;
	seen.without_image += !seen.images || s->image != seen.image;
	seen.before_settled += s->time_ns < k.settled_ns(k.self);
	seen.backwards += s->cpu == seen.cpu && s->time_ns < seen.last_ns;
	seen.cpu = s->cpu;
	seen.last_ns = s->time_ns;
	(void)arg;
}

static void on_image(void *arg, const struct image_record *r)
{
	(void)arg;
	seen.images += r->tgid == target;
	seen.others += r->tgid != target;
	seen.image = r->image;
	memcpy(seen.comm, r->comm, sizeof(r->comm));
}

static void on_exit_record(void *arg, const struct exit_record *r)
{
	(void)arg;
	seen.exits += r->tgid == target && r->image == seen.image;
}

static const struct record_handler handler = { on_sample, on_image, on_exit_record, NULL,
					       NULL };

static void open_or_skip(const struct collector_options *o)
{
	const char *what = "";
	int err = collector_open(&k, o, &what);

	if (err == -EPERM || err == -EACCES)
		cr_skip("no rights for %s", what);
	cr_assert_eq(err, 0, "%s: %s", what, strerror(-err));
	seen = (struct seen){ 0 };
}

static void start(void)
{
	const char *what = "";

	cr_assert_eq(k.start(k.self, &what), 0, "%s", what);
}

static void burn(void)
{
	uint64_t from = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < from + BURN_NS)
		;
}

static void drain(void)
{
	int err;

	do
		err = k.poll(k.self, 0, &handler);
	while (err == 1);
	cr_expect_eq(err, 0);
}

static void ignore(void *arg, uint32_t tgid, image_id image, uint64_t samples)
{
	(void)image;
	if (tgid == target)
		*(uint64_t *)arg += samples;
}

Test(collect, samples_of_one_process)
{
	struct collector_options o = { .freq = 999,
				       .event = EVENT_CPU_CLOCK,
				       .max_processes = 2,
				       .user_stacks = true,
				       .kernel_stacks = true };
	struct executable unknown = { .state = EXE_UNKNOWN },
			  not_go = { .state = EXE_NOT_GO };
	uint64_t counts[COUNT_MAX], unsent = 0;
	struct exe_key key;
	image_id image = 1;

	open_or_skip(&o);
	target = (uint32_t)getpid();
	cr_expect_str_eq(k.event_name, "cpu-clock");
	cr_expect(!k.image(k.self, target, &image));
	cr_assert_eq(k.follow(k.self, target, &unknown, 0), 0);
	cr_expect(k.image(k.self, target, &image));
	cr_expect_eq(image, 0, "not sampled yet");
	cr_assert_eq(k.follow(k.self, 1, &not_go, 0), 0);
	cr_expect_eq(k.follow(k.self, 2, &not_go, 0), -E2BIG);
	cr_expect_eq(k.settled_ns(k.self), 0);
	start();
	burn();
	drain();
	cr_expect_gt(seen.samples, BURN_NS / 1000000 / 2);
	cr_expect_geq(seen.images, 1);
	cr_expect_eq(seen.others, 0);
	cr_expect_eq(seen.without_image, 0, "their image is told of before them");
	cr_expect_eq(seen.before_settled + seen.backwards, 0);
	cr_expect_gt(k.settled_ns(k.self), 0);
	cr_expect(k.image(k.self, target, &image));
	cr_expect_eq(image, seen.image);

	/* what it learns about this image holds from the next sample on */
	key = exe_key_image(target, image);
	cr_assert_eq(k.executable(k.self, &key, &not_go), 0);
	burn();
	drain();
	seen.samples = 0;
	burn();
	cr_expect_eq(k.control(k.self), 0);
	drain();
	cr_expect_eq(seen.samples, 0);
	k.stop(k.self);
	k.totals(k.self, counts, ignore, &unsent);
	cr_expect_gt(unsent, BURN_NS / 1000000 / 2);
	cr_expect_eq(counts[COUNT_TABLE_FULL], 0);
	cr_expect_eq(counts[COUNT_RING_FULL], 0);
	k.drop(k.self, target);
	cr_expect(!k.image(k.self, target, &image));
	k.close(k.self);
}

/* A child of a launched process, from its exec to its end. */
Test(collect, children_of_a_launched_process)
{
	struct collector_options o = { .freq = 999, .max_processes = 16 };
	struct executable unknown = { .state = EXE_UNKNOWN };
	image_id image;
	int status;

	open_or_skip(&o);
	cr_assert_eq(k.follow(k.self, (uint32_t)getpid(), &unknown, PROCESS_CHILDREN), 0);
	start();
	target = (uint32_t)fork();
	if (!target) {
		execl("/bin/sh", "sh", "-c",
		      "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done", NULL);
		_exit(1);
	}
	waitpid((pid_t)target, &status, 0);
	k.stop(k.self);
	/* this process was sampled, too */
	drain();
	cr_expect_eq(status, 0);
	cr_expect_geq(seen.images, 1);
	cr_expect_eq(seen.exits, 1);
	cr_expect_gt(seen.samples, 0);
	cr_expect(!k.image(k.self, target, &image), "the kernel side forgets it");
	k.close(k.self);
}

Test(collect, says_which_call_has_failed)
{
	struct collector_options o = { .freq = 0xffffffff, .event = EVENT_CPU_CLOCK };
	const char *what = "";
	int err = collector_open(&k, &o, &what);

	if (err == -EPERM || err == -EACCES)
		cr_skip("no rights for %s", what);
	cr_expect_lt(err, 0);
	cr_expect_str_eq(what, "perf_event_open(cpu-clock)");
}
