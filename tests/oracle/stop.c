/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stop PID RECORDING SAMPLES: a thousand times a second, stops a running thread of PID,
 * takes a sample of it (stopped.h), and sends it SIGPROF before it continues. So the
 * runtime's own profiler, if it is on, records the same moment. Samples that the signal did
 * not reach in place do not count. Starts at SIGUSR1, and prints "enough" after SAMPLES;
 * before and after that it only keeps the runtime's own clock from PID. Ends at SIGTERM or
 * when PID ends, and writes a recording.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "profiler/live/pipeline.h"
#include "profiler/profile/recording.h"
#include "tests/oracle/stopped.h"

enum { EVERY_US = 1000, MAX_THREADS = 64 };

static struct pipeline *pipeline;
static volatile sig_atomic_t begun, over;
static pid_t threads[MAX_THREADS];
static uint32_t n_threads;

static void die(const char *what)
{
	fprintf(stderr, "stop: %s\n", what);
	exit(2);
}

static void on_signal(int sig)
{
	begun |= sig == SIGUSR1;
	over |= sig == SIGTERM;
}

static void attach(void)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)) && n_threads < MAX_THREADS)
		if (isdigit(*d->d_name) &&
		    !ptrace(PTRACE_SEIZE, atoi(d->d_name), 0, PTRACE_O_TRACECLONE))
			threads[n_threads++] = atoi(d->d_name);
	if (!n_threads)
		die("cannot be traced");
	closedir(dir);
}

static void forget(pid_t t)
{
	for (uint32_t i = 0; i < n_threads; i++)
		if (threads[i] == t)
			threads[i] = threads[--n_threads];
}

/* Lets a thread continue. The runtime's own clock must be silent. */
static void go_on(pid_t t, int status)
{
	int sig = status >> 16 ? 0 : WSTOPSIG(status);

	if (!WIFSTOPPED(status)) {
		forget(t);
		return;
	}
	if (status >> 16 == PTRACE_EVENT_STOP) { /* perhaps a new one */
		forget(t);
		if (n_threads < MAX_THREADS)
			threads[n_threads++] = t;
	}
	ptrace(PTRACE_CONT, t, 0, sig == SIGPROF ? 0 : sig);
}

static bool is_running(pid_t t)
{
	char path[64], line[512] = "", *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, t);
	f = fopen(path, "r");
	if (!f)
		return false;
	p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return p && p[2] == 'R';
}

/* Waits until the thread stops by that signal; 0: as it was told to. False: it ended. */
static bool wait_for(int sig, int *held)
{
	int status;

	for (;;) {
		if (waitpid(tid, &status, __WALL) != tid) {
			if (errno != EINTR)
				return false;
			continue;
		}
		if (!WIFSTOPPED(status))
			return false;
		if (status >> 16 == PTRACE_EVENT_STOP ? !sig : WSTOPSIG(status) == sig)
			return true;
		if (sig &&
		    !(status >> 16)) { /* preemption, which would change where it is */
			*held = WSTOPSIG(status);
			ptrace(PTRACE_CONT, tid, 0, 0);
		} else {
			go_on(tid, status);
		}
	}
}

static void take(void)
{
	struct user_regs_struct r, then;
	int held = 0;
	bool there;

	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		return;
	if (!wait_for(0, &held) || ptrace(PTRACE_GETREGS, tid, 0, &r)) {
		forget(tid);
		return;
	}
	sample(&r);
	pipeline_sample(pipeline, proc, &scratch.sample);
	syscall(SYS_tgkill, pid, tid, SIGPROF);
	ptrace(PTRACE_CONT, tid, 0, 0);
	if (!wait_for(SIGPROF, &held) || ptrace(PTRACE_GETREGS, tid, 0, &then)) {
		profile->n_events--;
		forget(tid);
		return;
	}
	there = r.rip == then.rip && r.rsp == then.rsp;
	if (!there)
		profile->n_events--;
	ptrace(PTRACE_CONT, tid, 0, there ? SIGPROF : 0);
	if (held)
		syscall(SYS_tgkill, pid, tid, held);
}

int main(int argc, char **argv)
{
	struct itimerval every = { { 0, EVERY_US }, { 0, EVERY_US } };
	struct sigaction handled = { .sa_handler = on_signal };
	struct recording *recording;
	int wanted;

	if (argc != 4)
		return 2;
	wanted = atoi(argv[3]);
	pid = atoi(argv[1]);
	look();
	pipeline = pipeline_new(profile, symbolizer, 0);
	profile->kinds[1].freq = 1000000 / EVERY_US;
	profile->kinds[1].period = EVERY_US * 1000;
	attach();
	sigaction(SIGALRM, &handled, NULL);
	sigaction(SIGUSR1, &handled, NULL);
	sigaction(SIGTERM, &handled, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	while (!over && n_threads) {
		int status;
		pid_t t = waitpid(-1, &status, __WALL);

		if (t > 0) {
			go_on(t, status);
			continue;
		}
		tid = threads[(uint32_t)rand() % n_threads];
		if (!begun || !wanted || !is_running(tid))
			continue;
		take();
		if (profile->n_events == (uint32_t)wanted) {
			wanted = 0;
			puts("enough");
			fflush(stdout);
		}
	}
	if (recording_create(&recording, creat(argv[2], 0666), profile) ||
	    recording_finish(recording, profile))
		die("cannot write");
	return 0;
}
