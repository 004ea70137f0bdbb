/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/base/log.h"
#include "profiler/cmd/cmd.h"
#include "profiler/cmd/run.h"
#include "tests/unit/fake_kernel.h"

static int check(struct run r)
{
	r.verb = "record";
	log_level = LOG_QUIET;
	return run_check(&r);
}

static char *command[] = { "true", NULL };

Test(run, checks_its_options, .init = cr_redirect_stderr)
{
	cr_expect_eq(check((struct run){ .pids = "1" }), STATUS_OK);
	cr_expect_eq(check((struct run){ .command = command, .duration = "1s" }), 0);
	cr_expect_eq(check((struct run){ 0 }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .pids = "1", .all = true }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .all = true, .command = command }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .all = true, .duration = "0" }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .all = true, .event = "x" }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .all = true, .freq = "0" }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .all = true, .freq = "x" }), STATUS_USAGE);
	cr_expect_eq(check((struct run){ .all = true, .freq = "4000000000" }),
		     STATUS_FAILED);
	cr_expect_eq(
		check((struct run){ .all = true, .kernel_only = true, .user_only = true }),
		STATUS_USAGE);
}

Test(run, tells_the_session_what_to_sample)
{
	struct run r = { .command = command, .freq = "7", .event = "cpu-clock" };

	r.user_only = true;
	cr_assert_eq(run_check(&r), STATUS_OK);
	cr_expect_eq(r.so.collector.freq, 7);
	cr_expect_eq(r.so.collector.event, EVENT_CPU_CLOCK);
	cr_expect(r.so.collector.user_stacks && !r.so.collector.kernel_stacks);
	cr_expect(!r.so.collector.follow_all);
	cr_expect_eq(r.so.collector.max_processes, 4096);
}

/* The loop, on a kernel side without samples. */

static struct fake_kernel kernel;
static uint32_t steps, seconds;
static int step_fails, stop_after;

static int step(void *arg, bool second)
{
	(void)arg;
	steps++;
	seconds += second;
	run_stops = stop_after && (int)steps == stop_after;
	usleep(1000);
	return step_fails;
}

static void begin(struct run *r)
{
	struct session_options so = { .collector.freq = 100 };
	struct kernel_side side = fake_kernel_side(&kernel);
	const char *what;

	r->verb = "record";
	cr_assert_eq(run_check(r), STATUS_OK);
	r->session = session_new(&so, &side);
	session_prepare(r->session);
	cr_assert_eq(session_start(r->session, &what), 0);
}

Test(run, ends_in_time, .timeout = 10)
{
	struct run r = { .all = true, .duration = "1050ms" };

	begin(&r);
	cr_expect_eq(run_loop(&r, step, NULL), 0);
	cr_expect_geq(session_elapsed_ns(r.session), 1050000000);
	cr_expect_gt(steps, 1);
	cr_expect_eq(seconds, 1);
	cr_expect_eq(run_status(&r, STATUS_FAILED), STATUS_FAILED);
	run_close(&r);
}

Test(run, ends_by_a_signal_or_a_failure, .timeout = 10)
{
	struct run r = { .all = true };

	begin(&r);
	stop_after = 3;
	cr_expect_eq(run_loop(&r, step, NULL), 0);
	cr_expect_eq(steps, 3);
	stop_after = run_stops = 0;
	step_fails = -EIO;
	cr_expect_eq(run_loop(&r, step, NULL), -EIO);
	cr_expect_eq(steps, 4);
	run_close(&r);
}

/* Before anything that takes time, so also where opening fails. */
Test(run, heeds_signals_while_it_opens, .init = cr_redirect_stderr)
{
	struct rlimit files, none;
	struct run r = { .verb = "record", .pids = "1" };
	struct sigaction sa;

	log_level = LOG_QUIET;
	cr_assert_eq(run_check(&r), STATUS_OK);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	none = (struct rlimit){ 0, files.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_expect_eq(run_open(&r), STATUS_FAILED);
	setrlimit(RLIMIT_NOFILE, &files);
	cr_assert_eq(sigaction(SIGINT, NULL, &sa), 0);
	cr_expect(sa.sa_flags & SA_SIGINFO);
	run_close(&r);
}

static int run_command(char *script, int status)
{
	char *argv[] = { "sh", "-c", script, NULL };
	struct run r = { .command = argv };

	begin(&r);
	cr_assert_eq(launch_fork(&r.launch, argv, NULL, false), 0);
	cr_assert_eq(launch_exec(&r.launch), 0);
	cr_expect_eq(run_loop(&r, step, NULL), 0);
	status = run_status(&r, status);
	run_close(&r);
	return status;
}

/* Our own failure does not look like the command's 1, and does not hide its status. */
Test(run, status_is_that_of_the_command, .timeout = 10)
{
	cr_expect_eq(run_command("exit 0", STATUS_OK), 0);
	cr_expect_eq(run_command("exit 0", STATUS_FAILED), STATUS_LAUNCH_FAILED);
	cr_expect_eq(run_command("exit 3", STATUS_FAILED), 3);
	cr_expect_eq(run_command("kill -9 $$", STATUS_OK), 128 + SIGKILL);
}
