// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define F __attribute__((noinline))

static volatile uint64_t sink;
static struct timespec now;

F static void burn(void)
{
	for (int i = 0; i < 100000; i++)
		sink = sink * 31 + i;
}

F static void handler(int sig)
{
	burn();
	sink += sig;
}

void handle(int on_stack)
{
	struct sigaction a = { .sa_handler = handler,
			       .sa_flags = SA_RESTART | (on_stack ? SA_ONSTACK : 0) };

	sigaction(SIGUSR2, &a, NULL);
}

/* For the calling thread. */
void arm(void)
{
	struct itimerspec every = { { 0, 2000000 }, { 0, 2000000 } };
	struct sigevent e;
	timer_t timer;

	memset(&e, 0, sizeof(e));
	e.sigev_notify = SIGEV_THREAD_ID;
	e.sigev_signo = SIGUSR2;
	e._sigev_un._tid = (int)syscall(SYS_gettid);
	if (!timer_create(CLOCK_MONOTONIC, &e, &timer))
		timer_settime(timer, 0, &every, NULL);
}

F static void c_leaf(int i)
{
	sink += i;
}

void c_spin(void)
{
	for (int i = 0; i < 1000000; i++)
		c_leaf(i);
}

void c_clock(void)
{
	for (int i = 0; i < 100000; i++)
		clock_gettime(CLOCK_MONOTONIC, &now);
}

static void *own_thread(void *on_stack)
{
	stack_t s = { .ss_sp = malloc(64 << 10), .ss_size = 64 << 10 };

	if (on_stack)
		sigaltstack(&s, NULL);
	arm();
	for (;;)
		c_spin();
}

/* A thread that never was in Go. */
void c_thread(int on_stack)
{
	pthread_t thread;

	pthread_create(&thread, NULL, own_thread, on_stack ? &now : NULL);
}
