/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of processes, with a kernel side that the tests simulate. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <malloc.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/buf.h"
#include "profiler/base/strtab.h"
#include "profiler/live/calls.h"
#include "profiler/live/session.h"
#include "profiler/profile/profile.h"
#include "symbolizer/elf.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/fake_kernel.h"
#include "tests/unit/go_binary.h"

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(
	void); /* gcc has no header that declares it */
#endif

enum { FILE_GO = 7, FILE_OTHER = 8 /* keys of executables */ };

static struct fake_kernel k;
static struct session *s;
static struct profile *p;
static char notes[4096];
static int input;
static pid_t go;    /* a Go process that waits */
static uint64_t in; /* an address in its main.main */
static uint64_t start_code;

static void on_note(void *arg, const char *line)
{
	(void)arg;
	snprintf(notes + strlen(notes), sizeof(notes) - strlen(notes), "%s\n", line);
}

static void open_session(void)
{
	struct session_options o = { .collector.freq = 100, .note = on_note };
	struct kernel_side kernel;

	k = (struct fake_kernel){ 0 };
	kernel = fake_kernel_side(&k);
	s = session_new(&o, &kernel);
	p = session_profile(s);
}

static void begin(void)
{
	const char *what;

	session_prepare(s);
	cr_assert_eq(session_start(s, &what), 0);
}

/* Where main.main is in the process, and what the kernel side would report about it. */
static void locate(void)
{
	struct strtab *strs = strtab_new();
	uint64_t bias, entry = 0;
	struct symbolizer *sy;
	const struct object *o;
	struct space *space;
	uint32_t len, i = 0;

	sy = symbolizer_new(strs);
	for (int tries = 0; tries < 200 && !in; tries++) { /* until it has called exec */
		cr_assert_eq(space_open(&space, sy, go), 0);
		o = space_go(space, &bias);
		if (o && gopclntab_function(o->go, "main.main", &entry, &len)) {
			while (!o->elf->segments[i].executable)
				i++;
			start_code = bias + o->elf->segments[i].vaddr;
			in = bias + entry + 1;
		} else {
			usleep(5000);
		}
		space_close(space);
	}
	cr_assert(in);
	symbolizer_close(sy);
	strtab_free(strs);
}

static void begin_with_go(void)
{
	go = start_go(go_binary(), &input);
	locate();
	open_session();
}

/* A session that samples, with go as its target. */
static void begin_following(void)
{
	const char *why;

	begin_with_go();
	cr_assert_eq(session_follow(s, go, &why), TARGET_GO);
	begin();
}

static void end(void)
{
	session_close(s);
	if (go)
		stop_go(go, input);
}

/* A pid that no process has. */
static uint32_t dead_pid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return (uint32_t)pid;
}

/* The row of processes that the n-th event is of. */
static uint32_t process_of(uint32_t n)
{
	cr_assert_lt(n, p->n_events);
	return p->threads[p->events[n].thread].process;
}

/* The leaf function of the n-th event. */
static const char *function_of(uint32_t n)
{
	return profile_string(p, p->frames[p->calls[p->events[n].call].frame].func);
}

static void step(void)
{
	cr_assert_eq(session_step(s, 0), 0);
}

/* What the kernel side was told about an image of a process; NULL: nothing. */
static const struct executable *told_of(uint32_t tgid, image_id image)
{
	struct exe_key key = exe_key_image(tgid, image);

	return fake_known(&k, &key);
}

static const struct executable *told_of_file(uint64_t file)
{
	return fake_known(&k, &(struct exe_key){ .ino = file });
}

Test(session, follows_a_process_to_its_end)
{
	begin_following();
	cr_expect_eq(session_running(s), 1);
	cr_expect_eq(fake_find(&k, (uint32_t)go)->flags, PROCESS_WANTED | PROCESS_GIVEN);
	cr_expect_eq(fake_find(&k, (uint32_t)go)->executable.state, EXE_GO);
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	fake_sample(&k, (uint32_t)go, 100, in);
	step();
	cr_expect_eq(session_samples(s), 1);
	cr_expect_eq(process_of(0), 1, "the row that it got when it was followed");
	cr_expect_str_eq(function_of(0), "main.main");
	cr_expect_eq(p->n_processes, 2);
	fake_exit(&k, (uint32_t)go);
	step();
	cr_expect_eq(session_running(s), 0);
	session_stop(s);
	cr_expect_eq(p->stats.not_go_samples, 0);
	end();
}

Test(session, exec_makes_another_row_of_the_same_target)
{
	begin_following();
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	step();
	fake_sample(&k, (uint32_t)go, 100, in); /* was on its way at the exec */
	fake_exec(&k, (uint32_t)go, 101, FILE_GO);
	fake_sample(&k, (uint32_t)go, 101, in);
	step();
	cr_expect_eq(p->n_processes, 3);
	cr_expect_eq(process_of(0), 1);
	cr_expect_eq(process_of(1), 2);
	cr_expect_str_eq(function_of(1), "main.main");
	cr_expect_eq(session_running(s), 1);
	fake_exit(&k, (uint32_t)go);
	step();
	cr_expect_eq(session_running(s), 0, "still the one that was wanted");
	end();
}

/* A function that is called too often is no longer probed, and the user is told once. */
Test(session, a_hot_function_is_left_alone)
{
	const char *patterns[] = { "main.main", "main.usage" }, *why;
	struct calls found = { 0 };

	begin_with_go();
	cr_assert_eq(session_follow(s, go, &why), TARGET_GO);
	cr_assert_eq(session_probe(s, go, patterns, 2, &found), 0);
	cr_assert_eq(found.functions, 2);
	begin();
	fake_hot(&k, in - 1);
	fake_hot(&k, in - 1);
	fake_hot(&k, 1);
	step();
	cr_expect_eq(k.attached, 1);
	cr_expect(calls_at(&found, in - 1)->off);
	for (uint32_t i = 0; i < k.probes->n; i++)
		cr_expect_eq(k.probes->rows[i].off,
			     !strcmp(k.probes->rows[i].name, "main.main"));
	cr_expect(strstr(notes, "main.main is no longer probed: a thread calls it 10009 "));
	cr_expect_null(strstr(strstr(notes, "\n") + 1, "probed"), "only once");
	session_stop(s);
	end();
	calls_release(&found);
}

/* A session of the Go program, of which the kernel side adds up the calls of main.main. */
static void begin_added_up(const struct session_options *o)
{
	struct kernel_side kernel;
	const char *why;

	begin_with_go();
	session_close(s);
	k = (struct fake_kernel){ .counted = in - 1 };
	kernel = fake_kernel_side(&k);
	s = session_new(o, &kernel);
	cr_assert_eq(session_follow(s, go, &why), TARGET_GO);
	begin();
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	step();
}

/* Calls that were added up become events at the end of each interval. */
Test(session, calls_added_up)
{
	struct session_options o = { .collector = { .event = EVENT_CALLS, .add_up = true },
				     .calls = "call:main.main" };
	struct profile *first;

	begin_added_up(&o);
	k.counts[COUNT_SUMS_FULL] = 3;
	first = session_next(s);
	p = session_profile(s);
	k.counts[COUNT_SUMS_FULL] = 4;
	session_stop(s);
	cr_expect_eq(first->n_events, 2);
	cr_expect_eq(first->stats.lost_table_full, 3);
	cr_expect_eq(p->stats.lost_table_full, 1);
	cr_assert_eq(p->n_events, 2);
	cr_expect_eq(p->events[1].weight, 5);
	cr_expect_eq(p->events[1].cpu, 0, "not known");
	cr_expect_eq(p->goroutines[p->events[1].goroutine].goid, 7);
	cr_expect_str_eq(function_of(1), "main.main");
	cr_expect_eq(p->calls[p->events[1].call].parent, 0, "no stack");
	cr_expect_str_eq(profile_string(p, p->kinds[p->events[1].kind].name), "calls");
	cr_expect_eq(session_settled_ns(s), UINT64_MAX);
	profile_free(first);
	end();
}

/* The probes are in the program from before. */
Test(session, calls_end_with_an_exec)
{
	const char *patterns[] = { "main.main" }, *why;
	struct calls found = { 0 };

	begin_with_go();
	cr_assert_eq(session_follow(s, go, &why), TARGET_GO);
	cr_assert_eq(session_probe(s, go, patterns, 1, &found), 0);
	begin();
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	step();
	cr_expect_eq(session_running(s), 1, "the program that is probed");
	fake_exec(&k, (uint32_t)go, 101, FILE_GO);
	step();
	cr_expect_eq(session_running(s), 0);
	cr_expect(strstr(notes, "runs another program now"), "%s", notes);
	fake_exit(&k, (uint32_t)go);
	step();
	cr_expect_eq(session_running(s), 0);
	session_stop(s);
	end();
	calls_release(&found);
}

/* They show what goroutines run, in all intervals, and are no calls. */
Test(session, first_calls_of_goroutines)
{
	struct session_options o = {
		.collector = { .event = EVENT_CALLS, .add_up = true, .firsts = true },
		.calls = "call:main.main"
	};
	struct profile *profiles[2];

	begin_added_up(&o);
	/* it is still on its way when the interval ends */
	fake_first(&k, (uint32_t)go, 100, in - 1);
	profiles[0] = session_next(s);
	session_stop(s);
	p = profiles[1] = session_profile(s);
	cr_expect_eq(session_samples(s), 4, "the sums");
	for (int i = 0; i < 2; i++) {
		const struct profile *q = profiles[i];
		uint32_t firsts = 0;

		cr_expect_eq(q->n_events, 3);
		cr_expect_eq(q->kinds[1].quality.samples, 2);
		cr_expect_eq(profile_find_kind(q, NULL), 1);
		for (uint32_t e = 0; e < q->n_events; e++) {
			const struct event *ev = &q->events[e];

			if (q->kinds[ev->kind].name)
				continue;
			firsts++;
			cr_expect_eq(ev->weight, 0);
			cr_expect_eq(q->goroutines[ev->goroutine].goid, 7);
			cr_expect_str_eq(
				profile_string(q, q->frames[q->calls[ev->call].frame].func),
				"main.main");
		}
		cr_expect_eq(firsts, 1);
	}
	profile_free(profiles[0]);
	end();
}

/* A target is still one after it runs a program that is not Go, or ends too soon. */
Test(session, target_is_recorded_whatever_it_becomes)
{
	uint32_t tgid;
	const char *why;

	begin_with_go();
	tgid = (uint32_t)go;
	cr_assert_eq(session_follow(s, go, &why), TARGET_GO);
	begin();
	fake_exec(&k, tgid, 100, FILE_GO);
	step();
	stop_go(go, input);
	go = 0;
	fake_exec(&k, tgid, 101, FILE_OTHER);
	fake_sample(&k, tgid, 101, in);
	step();
	cr_expect_eq(p->n_processes, 3);
	cr_expect_eq(process_of(0), 2);
	cr_expect_str_eq(function_of(0), "", "nothing is known of its code");
	cr_expect_eq(session_running(s), 1);
	fake_exit(&k, tgid);
	step();
	cr_expect_eq(session_running(s), 0);
	end();
}

/* The records of all execs arrive before the first sample: only the last program can still
 * be read, and the others have the names of the file that was seen before. */
Test(session, exec_chain)
{
	enum { EXECS = 50 };
	uint32_t tgid;

	begin_with_go();
	begin();
	tgid = (uint32_t)go;
	fake_exec(&k, tgid, 100, FILE_GO);
	step();
	fake_find(&k, tgid)->start_code = start_code;
	for (uint32_t i = 1; i < EXECS; i++) {
		fake_exec(&k, tgid, 100 + i, i % 10 ? FILE_GO : FILE_OTHER);
		fake_sample(&k, tgid, 100 + i, in);
	}
	step();
	cr_assert_eq(p->n_events, EXECS - 1 - EXECS / 10 + 1);
	for (uint32_t i = 0; i < p->n_events; i++) {
		cr_expect_eq(process_of(i), 2 + i);
		cr_expect_str_eq(function_of(i), "main.main");
	}
	cr_expect_eq(session_running(s), 0, "nobody has asked for it by its pid");
	session_stop(s);
	cr_expect_eq(p->stats.not_go_samples, EXECS / 10 - 1);
	end();
}

Test(session, pid_that_is_used_again_is_another_process)
{
	begin_following();
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	step();
	fake_exit(&k, (uint32_t)go);
	fake_exec(&k, (uint32_t)go, 2000, FILE_GO);
	fake_sample(&k, (uint32_t)go, 100, in);
	fake_sample(&k, (uint32_t)go, 2000, in);
	step();
	cr_expect_eq(session_running(s), 0);
	cr_expect_eq(process_of(0), 1);
	cr_expect_eq(process_of(1), 2);
	fake_exit(&k, (uint32_t)go);
	step();
	cr_expect_eq(session_running(s), 0, "the second one was not wanted");
	end();
}

/* The record of an image arrives while its sample is handled, after that of the next image,
 * or never. */
Test(session, records_that_come_late)
{
	struct image_record late = {
		.type = RECORD_IMAGE, .image = 100, .unsent = 3, .comm = "late"
	};

	begin_with_go();
	begin();
	fake_sample(&k, (uint32_t)go, 100, in);
	step(); /* never: its sample tells enough */
	cr_assert_eq(p->n_events, 1);
	cr_expect_str_eq(function_of(0), "main.main");
	fake_exec(&k, (uint32_t)go, 102, FILE_GO);
	step();
	/* of an image between the two: nothing that can be read now belongs to it */
	late.tgid = (uint32_t)go;
	late.image = 101;
	*table_add(k.urgent, k.n_urgent, k.cap_urgent) = fake_copy(&late, sizeof(late));
	fake_sample(&k, (uint32_t)go, 102, in);
	fake_sample(&k, (uint32_t)go, 101, in);
	step();
	cr_expect_eq(p->n_events, 2, "that of the missed image is left out");
	cr_expect_str_eq(function_of(1), "main.main");
	session_stop(s);
	cr_expect_eq(p->stats.not_go_samples, 1 + 3);
	end();
}

/* The row of such an image is not mistaken for what the process runs, and is freed. */
Test(session, late_record_of_an_earlier_program)
{
	struct image_record late = { .type = RECORD_IMAGE,
				     .image = 101,
				     .exe.ino = FILE_GO,
				     .executable = EXE_GO,
				     .comm = "late" };

	begin_with_go();
	begin();
	fake_exec(&k, (uint32_t)go, 102, FILE_GO);
	step();
	late.tgid = (uint32_t)go;
	late.start_code = start_code;
	*table_add(k.urgent, k.n_urgent, k.cap_urgent) = fake_copy(&late, sizeof(late));
	fake_sample(&k, (uint32_t)go, 101, in);
	step();
	cr_expect_eq(p->n_events, 1);
	k.settled_ns = clock_now_ns() + 1;
	step();
	fake_sample(&k, (uint32_t)go, 101, in);
	fake_sample(&k, (uint32_t)go, 102, in);
	step();
	cr_expect_eq(p->n_events, 2, "nothing is known of it any more");
	cr_expect_eq(process_of(1), 1);
	end();
}

Test(session, exit_before_the_first_look)
{
	uint32_t dead = dead_pid();

	open_session();
	begin();
	fake_exec(&k, dead, 100, FILE_OTHER);
	fake_sample(&k, dead, 100, 0x1234);
	fake_find(&k, dead)->unsent = 2;
	fake_exit(&k, dead);
	step();
	session_stop(s);
	cr_expect_eq(p->n_events, 0);
	cr_expect_eq(p->stats.not_go_samples, 3);
	cr_expect_str_eq(profile_string(p, p->not_go_names),
			 "(ended before that was known) 3");
	end();
}

/* Its file is known from another process. */
Test(session, exit_before_the_first_look_at_a_known_program)
{
	uint32_t dead = dead_pid();

	begin_with_go();
	begin();
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	step();
	fake_row(&k, dead)->start_code = start_code;
	fake_exec(&k, dead, 200, FILE_GO);
	fake_sample(&k, dead, 200, in);
	fake_exit(&k, dead);
	step();
	cr_assert_eq(p->n_events, 1);
	cr_expect_str_eq(function_of(0), "main.main");
	cr_expect_eq(p->processes[process_of(0)].tgid, dead);
	cr_expect_str_eq(profile_string(p, p->processes[process_of(0)].name), "gofmt");
	cr_expect_neq(p->processes[process_of(0)].go_version, 0);
	end();
}

/* Many processes that end at once: none is confused with another, and all are dropped. */
Test(session, fork_storm)
{
	enum { STORM = 2000 };
	uint32_t dead = dead_pid(), rows;

	begin_with_go();
	begin();
	fake_exec(&k, (uint32_t)go, 1, FILE_GO);
	step();
	fake_row(&k, dead)->start_code = start_code;
	for (uint32_t i = 0; i < STORM; i++) { /* the same pid again and again */
		fake_row(&k, dead)->start_code = start_code;
		fake_exec(&k, dead, 100 + i, i % 2 ? FILE_GO : FILE_OTHER);
		fake_sample(&k, dead, 100 + i, in);
		fake_exit(&k, dead);
	}
	step();
	cr_expect_eq(p->n_events, STORM / 2);
	for (uint32_t i = 0; i < p->n_events; i++)
		cr_expect_eq(process_of(i), 2 + i);
	rows = p->n_processes;
	k.settled_ns = clock_now_ns();
	step();
	/* a sample that comes too late is not taken for one of theirs */
	fake_sample(&k, dead, 101, in);
	step();
	cr_expect_eq(p->n_processes, rows);
	session_stop(s);
	cr_expect_eq(p->stats.not_go_samples, STORM / 2 + 1);
	end();
}

/* Maps code of a file into this process. */
static uint64_t map_code(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *code = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	cr_assert_neq(code, MAP_FAILED);
	close(fd);
	return (uint64_t)(uintptr_t)code;
}

/* A program that is not Go, until it maps Go: here this process. */
Test(session, library_loaded_late)
{
	uint32_t self = (uint32_t)getpid();
	uint64_t text;

	begin_with_go();
	cr_assert_eq(session_follow_tree(s, getpid()), 0);
	begin();
	fake_exec(&k, self, 100, FILE_OTHER);
	step();
	cr_assert(told_of_file(FILE_OTHER));
	cr_expect_eq(told_of_file(FILE_OTHER)->state, EXE_NOT_GO);
	fake_find(&k, self)->unsent = 5;
	fake_tell(&k, self);
	step();
	cr_expect_eq(p->n_processes, 1, "new code, but no Go");
	text = map_code(go_binary(), 4 << 20);
	fake_tell(&k, self);
	fake_sample(&k, self, 100, text + 0x2000);
	step();
	cr_assert_eq(p->n_processes, 2);
	cr_expect_eq(p->n_events, 1);
	cr_expect_neq(*profile_string(p, p->processes[1].go_version), 0);
	cr_assert(told_of(self, 100), "of this process alone");
	cr_expect_eq(told_of(self, 100)->state, EXE_GO);
	cr_expect_eq(told_of_file(FILE_OTHER)->state, EXE_NOT_GO);
	session_stop(s);
	cr_expect_eq(p->stats.not_go_samples, 5);
	end();
}

Test(session, targets_that_are_none)
{
	const char *why = NULL;

	open_session();
	cr_expect_eq(session_follow(s, (pid_t)dead_pid(), &why), TARGET_GONE);
	cr_expect_eq(session_follow(s, getpid(), &why), TARGET_NOT_GO);
	cr_expect_eq(k.n, 0);
	cr_expect_eq(session_running(s), 0);
	cr_expect_eq(p->n_processes, 1);
	end();
}

Test(session, the_same_target_twice)
{
	const char *why;

	begin_with_go();
	cr_assert_eq(session_follow(s, go, &why), TARGET_GO);
	cr_expect_eq(session_follow(s, go, &why), TARGET_GO);
	cr_expect_eq(session_running(s), 1);
	cr_expect_eq(p->n_processes, 2);
	end();
}

Test(session, targets_that_are_too_many)
{
	const char *why;

	begin_with_go();
	k.max = 1;
	fake_row(&k, 1);
	cr_expect_eq(session_follow(s, go, &why), TARGET_TOO_MANY);
	end();
}

Test(session, follows_all_go_processes)
{
	begin_with_go();
	session_follow_all(s);
	cr_expect(fake_find(&k, (uint32_t)go));
	cr_expect(!fake_find(&k, (uint32_t)getpid()));
	cr_expect(!fake_find(&k, (uint32_t)getppid()), "a shell, or the like");
	cr_expect_eq(session_running(s), 0);
	end();
}

/* The record of an end is lost: we ask for the process. */
/* Of the two programs that run one executable, the one with a wanted pid. */
static bool choose(void *arg, uint32_t tgid, const char *path, struct buf *resource)
{
	(void)arg;
	cr_expect_str_eq(path, go_binary());
	buf_printf(resource, "service.name=web");
	strcat(notes, tgid == (uint32_t)go ? "wanted\n" : "not wanted\n");
	return tgid == (uint32_t)go;
}

Test(session, only_chosen_processes_are_recorded)
{
	struct session_options o = { .collector.freq = 100, .choose = choose };
	struct kernel_side kernel;
	struct profile *first;
	int other_input;
	pid_t other = start_go(go_binary(), &other_input);

	go = start_go(go_binary(), &input);
	locate();
	k = (struct fake_kernel){ 0 };
	kernel = fake_kernel_side(&k);
	s = session_new(&o, &kernel);
	p = session_profile(s);
	begin();
	for (int i = 0; i < 2; i++) {
		fake_exec(&k, (uint32_t)(i ? go : other), (image_id)(100 + i), FILE_GO);
		fake_sample(&k, (uint32_t)(i ? go : other), (image_id)(100 + i), in);
	}
	step();
	cr_expect_str_eq(notes, "not wanted\nwanted\n");
	cr_expect_eq(p->n_events, 1);
	cr_expect_eq(p->processes[process_of(0)].tgid, (uint32_t)go);
	cr_expect_eq(told_of((uint32_t)other, 100)->state, EXE_NOT_GO);
	cr_expect_neq(told_of_file(FILE_GO)->state, EXE_NOT_GO);
	first = session_next(s);
	cr_expect_eq(first->stats.not_go_samples, 0, "it is Go, and somebody else's");
	profile_free(first);
	p = session_profile(s);
	fake_sample(&k, (uint32_t)go, 101, in);
	step();
	cr_expect_eq(p->n_events, 1);
	cr_expect_str_eq(profile_string(p, p->processes[process_of(0)].resource),
			 "service.name=web");
	cr_expect_str_eq(notes, "not wanted\nwanted\n", "asked once");
	session_stop(s);
	p = session_take(s);
	cr_expect_eq(p->n_events, 1);
	stop_go(other, other_input);
	end();
	profile_free(p);
}

Test(session, ends_are_found_out)
{
	begin_following();
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	step();
	usleep(60000);
	step();
	cr_expect_eq(session_running(s), 1);
	stop_go(go, input);
	usleep(60000);
	step();
	cr_expect_eq(session_running(s), 0);
	cr_expect(!fake_find(&k, (uint32_t)go), "and the kernel side lets it go");
	go = 0;
	end();
}

/* What the kernel side counts but never reports is read at the end. */
Test(session, samples_left_out_are_counted_at_the_end)
{
	uint32_t self = (uint32_t)getpid();

	open_session();
	begin();
	fake_row(&k, self)->unsent = 4;
	fake_find(&k, self)->image = 100;
	k.counts[COUNT_RING_FULL] = 11;
	k.counts[COUNT_TABLE_FULL] = 12;
	k.counts[COUNT_STACK_FAULT] = 13;
	k.counts[COUNT_G_FAULT] = 14;
	session_stop(s);
	cr_expect_eq(p->stats.not_go_samples, 4);
	cr_expect_eq(p->stats.lost_ring_full, 11);
	cr_expect_eq(p->stats.lost_table_full, 12);
	cr_expect_eq(p->stats.stack_faults, 13);
	cr_expect_eq(p->stats.g_faults, 14);
	cr_expect_gt(p->stats.peak_rss, 1 << 20);
	end();
}

/* A new profile begins empty, and what still runs continues in it. */
Test(session, intervals)
{
	struct profile *first;
	begin_following();
	p->command = strtab_add(p->strings, "what the user said");
	fake_exec(&k, (uint32_t)go, 100, FILE_GO);
	fake_sample(&k, (uint32_t)go, 100, in);
	fake_find(&k, (uint32_t)go)->unsent = 0;
	k.counts[COUNT_RING_FULL] = 5;
	step();
	first = session_next(s);
	cr_expect_eq(first, p);
	cr_expect_eq(first->n_events, 1);
	cr_expect_eq(first->kinds[1].quality.samples, 1);
	cr_expect_eq(first->stats.lost_ring_full, 5);
	cr_expect_gt(first->stats.duration_ns, 0);
	profile_free(first);

	p = session_profile(s);
	cr_expect_eq(p->n_events, 0);
	cr_expect_eq(p->n_threads, 1);
	cr_expect_str_eq(profile_string(p, p->command), "what the user said");
	cr_expect_gt(p->start_ns, 0);
	k.counts[COUNT_RING_FULL] = 7;
	fake_sample(&k, (uint32_t)go, 100, in);
	step();
	cr_assert_eq(p->n_events, 1);
	cr_expect_str_eq(function_of(0), "main.main");
	cr_expect_eq(p->processes[process_of(0)].tgid, (uint32_t)go);
	cr_expect_eq(session_running(s), 1);
	cr_expect_eq(session_samples(s), 2);
	session_stop(s);
	cr_expect_eq(p->kinds[1].quality.samples, 1);
	cr_expect_eq(p->stats.lost_ring_full, 2);
	end();
}

static size_t heap_bytes(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
#endif
}

/* A sample of a new goroutine with a label of its own. */
static void sample_goroutine(uint32_t tgid, image_id image, uint64_t ip, uint32_t n)
{
	struct sample *sample = mem_zalloc(sizeof(*sample) + 24);
	uint16_t lens[2] = { 3, 8 };
	char text[16];

	snprintf(text, sizeof(text), "job%08u", n);
	*sample = (struct sample){ .type = RECORD_SAMPLE,
				   .tgid = tgid,
				   .tid = n,
				   .image = image,
				   .goid = n,
				   .startpc = in - 1,
				   .ip = ip,
				   .time_ns = clock_now_ns(),
				   .n_label_bytes = 15 };
	memcpy(sample->pcs, lens, 4);
	memcpy((char *)sample->pcs + 4, text, 11);
	*table_add(k.queue, k.n_queue, k.cap_queue) = sample;
}

enum { SHORT = 50 /* of each interval: processes, and files that another one maps */ };

/* One interval of the test below. Returns the number of modules in its profile. */
static uint32_t live_short(const char *dir, uint32_t dead, uint32_t interval)
{
	uint32_t self = (uint32_t)getpid(), n_modules, n_published = k.n_published;
	struct profile *done;
	uint64_t code[SHORT];

	for (uint32_t i = 0; i < SHORT; i++) {
		uint32_t n = interval * SHORT + i + 1;
		char path[128];
		int fd;

		fake_row(&k, dead)->start_code = start_code;
		fake_exec(&k, dead, 1000 + n, FILE_GO);
		sample_goroutine(dead, 1000 + n, in, n);
		fake_exit(&k, dead);
		snprintf(path, sizeof(path), "%s/a-library-with-a-name-of-its-own-%u.so",
			 dir, n);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
		cr_assert_eq(ftruncate(fd, 4096), 0);
		close(fd);
		code[i] = map_code(path, 4096);
		fake_sample(&k, self, 101 + interval, code[i]);
		unlink(path);
	}
	/* another image, so that the time for reading its mappings is not limited */
	fake_exec(&k, self, 101 + interval, FILE_OTHER);
	step();
	cr_assert_eq(session_profile(s)->n_events, 2 * SHORT);
	for (uint32_t i = 0; i < SHORT; i++)
		munmap((void *)(uintptr_t)code[i], 4096);
	k.settled_ns = clock_now_ns() + 1;
	step();
	done = session_next(s);
	n_modules = done->n_modules;
	profile_free(done);
	k.n_published = n_published; /* the kernel's map drops what is unused */
	return n_modules;
}

/* Processes, goroutines, labels and files that are gone do not use memory for long. */
Test(session, memory_of_a_long_run)
{
	enum { INTERVALS = 200, FIRST = 20 };
	char dir[] = "/tmp/gostrobe-long-XXXXXX";
	uint32_t self = (uint32_t)getpid(), dead = dead_pid(), modules = 0;
	size_t after_first = 0, after_last, most = 0;

	begin_with_go();
	cr_assert(mkdtemp(dir));
	cr_assert_eq(session_follow_tree(s, getpid()), 0);
	begin();
	map_code(go_binary(), 4 << 20);
	fake_exec(&k, (uint32_t)go, 1, FILE_GO);
	fake_exec(&k, self, 100, FILE_OTHER);
	step();
	for (uint32_t i = 0; i < INTERVALS; i++) {
		modules += live_short(dir, dead, i);
		after_last = heap_bytes();
		if (i + 1 == FIRST)
			after_first = after_last;
		if (i >= FIRST && after_last > most)
			most = after_last;
	}
	rmdir(dir);
	cr_log_info("%zu KiB after %d intervals, %zu after %d, %zu at most",
		    after_first >> 10, FIRST, after_last >> 10, INTERVALS, most >> 10);
	cr_expect_gt(modules, INTERVALS * SHORT / 2, "files are named by %u frames",
		     modules);
	cr_expect_leq(most, after_first + after_first / 10, "%zu, %zu, %zu", after_first,
		      most, after_last);
	end();
}
