/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that wait for their start. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "profiler/live/launch.h"

/* The lowest free descriptor: the same as before if nothing leaks. */
static int free_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

Test(launch, status_is_that_of_a_shell)
{
	char *exits[] = { "sh", "-c", "exit 7", NULL };
	char *killed[] = { "sh", "-c", "kill -9 $$", NULL };
	int fd = free_fd();
	struct launch l;

	cr_assert_eq(launch_fork(&l, exits), 0);
	cr_expect_not(launch_ended(&l, false), "it waits");
	cr_assert_eq(launch_exec(&l), 0);
	cr_assert(launch_ended(&l, true));
	cr_expect_eq(launch_exit_status(&l), 7);
	launch_abort(&l);
	cr_assert_eq(launch_fork(&l, killed), 0);
	cr_assert_eq(launch_exec(&l), 0);
	cr_assert(launch_ended(&l, true));
	cr_expect_eq(launch_exit_status(&l), 128 + 9);
	cr_expect_eq(free_fd(), fd);
}

Test(launch, failed_exec_tells_why)
{
	char *argv[] = { "/no/such/command", NULL };
	int fd = free_fd();
	struct launch l;

	cr_assert_eq(launch_fork(&l, argv), 0);
	cr_expect_eq(launch_exec(&l), -ENOENT);
	cr_expect(l.ended);
	launch_abort(&l);
	cr_expect_eq(free_fd(), fd);
}

Test(launch, aborted_before_its_start, .timeout = 10)
{
	char *argv[] = { "sh", "-c", "exit 7", NULL };
	struct launch none = { 0 }, l;
	int fd = free_fd();

	launch_abort(&none);
	cr_assert_eq(launch_fork(&l, argv), 0);
	launch_abort(&l);
	cr_expect(l.ended);
	cr_expect_eq(launch_exit_status(&l), 125);
	cr_expect_eq(free_fd(), fd);
}

/* What still runs is left alone, and so are descriptors that are others' by now. */
Test(launch, abort_after_the_start_does_nothing, .timeout = 10)
{
	char *argv[] = { "sleep", "60", NULL };
	struct launch l;
	int fd;

	cr_assert_eq(launch_fork(&l, argv), 0);
	cr_assert_eq(launch_exec(&l), 0);
	fd = dup(0);
	launch_abort(&l);
	cr_expect_neq(fcntl(fd, F_GETFD), -1);
	cr_expect_not(launch_ended(&l, false));
	kill(l.pid, SIGKILL);
	cr_expect(launch_ended(&l, true));
	close(fd);
}
