/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/guard.h"

enum { SIZE = 3 * 4096 };

/* A mapping whose file is empty by now. */
static volatile char *cut_file(void)
{
	char path[] = "/tmp/test-guard-XXXXXX";
	int fd = mkstemp(path);
	void *map;

	if (fd < 0 || ftruncate(fd, SIZE))
		abort();
	map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	unlink(path);
	if (map == MAP_FAILED || ftruncate(fd, 0))
		abort();
	close(fd);
	return map;
}

/* The signal that ends a process that does so; 0: none. */
static int ended_by(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGBUS, SIG_DFL); /* not a sanitizer's */
		fn();
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) || !WEXITSTATUS(status), "status %#x", status);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void read_guarded(void)
{
	volatile char *map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				  0);
	struct guard g = { .start = (const void *)map, .size = SIZE };

	guard_add(&g);
	guard_remove(&g);
	map = cut_file();
	g = (struct guard){ .start = (const void *)map, .size = SIZE };
	guard_add(&g);
	if (map[4096] || !guard_changed(&g) || !guard_faults())
		_exit(1);
}

static void read_in_library(void)
{
	volatile char *map = cut_file();

	guard_enter();
	if (*map || guard_faults() != 1)
		_exit(1);
	guard_leave();
}

static void read_elsewhere(void)
{
	volatile char *map = cut_file();

	guard_enter();
	guard_leave();
	(void)map[0];
}

static void on_bus(int sig)
{
	_exit(sig == SIGBUS ? 0 : 1);
}

/* Of what it does not answer for, the handler that was there before gets to know. */
static void read_elsewhere_handled(void)
{
	signal(SIGBUS, on_bus);
	read_elsewhere();
	_exit(1);
}

static void be_sent_one(void)
{
	guard_enter();
	raise(SIGBUS);
}

Test(guard, answers_for_its_mappings_only)
{
	cr_expect_eq(ended_by(read_elsewhere_handled), 0);
	cr_expect_eq(ended_by(be_sent_one), SIGBUS);
	cr_expect_eq(ended_by(read_guarded), 0);
	cr_expect_eq(ended_by(read_in_library), 0);
	cr_expect_eq(ended_by(read_elsewhere), SIGBUS);
}
