/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that wait for their start. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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

	cr_assert_eq(launch_fork(&l, exits, NULL, false), 0);
	cr_expect_not(launch_ended(&l, false), "it waits");
	cr_assert_eq(launch_exec(&l), 0);
	cr_assert(launch_ended(&l, true));
	cr_expect_eq(launch_exit_status(&l), 7);
	launch_abort(&l);
	cr_assert_eq(launch_fork(&l, killed, NULL, false), 0);
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

	cr_assert_eq(launch_fork(&l, argv, NULL, false), 0);
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
	cr_assert_eq(launch_fork(&l, argv, NULL, false), 0);
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

	cr_assert_eq(launch_fork(&l, argv, NULL, false), 0);
	cr_assert_eq(launch_exec(&l), 0);
	fd = dup(0);
	launch_abort(&l);
	cr_expect_neq(fcntl(fd, F_GETFD), -1);
	cr_expect_not(launch_ended(&l, false));
	kill(l.pid, SIGKILL);
	cr_expect(launch_ended(&l, true));
	close(fd);
}

/* Has it called exec, and does it stand still? */
static char state_of(pid_t pid, char comm[16])
{
	char path[32], line[256] = "", state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	cr_assert(f && fgets(line, sizeof(line), f));
	fclose(f);
	cr_assert_eq(sscanf(line, "%*d (%15[^)]) %c", comm, &state), 2);
	return state;
}

Test(launch, held_before_its_first_instruction, .timeout = 10)
{
	char *argv[] = { "sleep", "0", NULL }, *none[] = { "/no/such/command", NULL };
	int fd = free_fd();
	char comm[16];
	struct launch l;

	cr_assert_eq(launch_fork(&l, argv, NULL, true), 0);
	cr_assert_eq(launch_exec(&l), 0);
	cr_expect_eq(state_of(l.pid, comm), 't', "a tracing stop");
	cr_expect_str_eq(comm, "sleep");
	cr_expect_not(launch_ended(&l, false));
	launch_continue(&l);
	cr_expect(launch_ended(&l, true));
	cr_expect_eq(launch_exit_status(&l), 0);
	launch_abort(&l);
	cr_assert_eq(launch_fork(&l, argv, NULL, true), 0);
	cr_assert_eq(launch_exec(&l), 0);
	launch_abort(&l);
	cr_expect(l.ended);
	cr_expect_eq(launch_exit_status(&l), 128 + 9, "it never ran");
	cr_assert_eq(launch_fork(&l, none, NULL, true), 0);
	cr_expect_eq(launch_exec(&l), -ENOENT);
	cr_expect(l.ended);
	launch_abort(&l);
	cr_expect_eq(free_fd(), fd);
}
