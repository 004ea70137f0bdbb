/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/profile_by_hand.h"

#include <criterion/redirect.h>
#include <stdlib.h>
#include <unistd.h>

#include "profiler/cmd/cmd.h"
#include "profiler/profile/recording.h"

/* A recording of 7 samples of cpu, of 2 waits off the CPU, and of no calls. */
static char path[] = "/tmp/gostrobe-test-XXXXXX";

static void record(void)
{
	struct profile *p = hand_workers();
	uint8_t off_cpu =
		profile_kind(p, &(struct event_kind){ .name = hand_string(p, "off-cpu"),
						      .unit = hand_string(p, UNIT_NS) });
	uint32_t wait = hand_stack(p, "go:main.wait");
	struct recording *r;

	profile_kind(p, &(struct event_kind){ .name = hand_string(p, "calls"),
					      .unit = hand_string(p, UNIT_COUNT) });
	for (int i = 0; i < 2; i++)
		profile_event(p, &(struct event){ .kind = off_cpu,
						  .weight = 1000000000,
						  .call = wait,
						  .thread = 1,
						  .class = CLASS_UNKNOWN });
	cr_assert_eq(recording_create(&r, mkstemp(path), p), 0);
	cr_assert_eq(recording_finish(r, p), 0);
	profile_free(p);
	cr_redirect_stderr();
}

static void forget(void)
{
	unlink(path);
}

TestSuite(input, .init = record, .fini = forget);

/* What input_open() says with this --kind, and the quality line then. */
static void expect_kind(const char *kind, int status, const char *said, const char *quality)
{
	struct input in = { .view.filter.kind = kind };
	char *args[] = { path }, *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(input_open(&in, "report", 1, args), status);
	fflush(stderr);
	cr_expect_stderr_eq_str(said);
	if (!status)
		quality_line(in.profile, in.view.kind, 0, out);
	fclose(out);
	cr_expect(!strncmp(text, quality, strlen(quality)), "%s", text);
	free(text);
	input_close(&in);
}

Test(input, names_the_other_kinds_of_event)
{
	expect_kind(
		NULL, STATUS_OK,
		"showing cpu; --kind shows what else was recorded: off-cpu\n",
		"7 samples, 0 lost \xc2\xb7 85.7% with a goroutine \xc2\xb7 100.0% comp");
}

Test(input, a_kind_that_was_asked_for_is_not_news)
{
	expect_kind("off-cpu", STATUS_OK, "",
		    "2 samples, 0 lost \xc2\xb7 0.0% with a goroutine \xc2\xb7 0.0% comp");
}

Test(input, a_kind_without_events_is_an_error)
{
	char want[128];

	snprintf(want, sizeof(want),
		 "gostrobe: %s: has no events of kind 'calls', only: cpu, off-cpu\n", path);
	expect_kind("calls", STATUS_FAILED, want, "");
}
