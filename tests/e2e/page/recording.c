/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recording FILE NAME SECONDS [PERIOD]: writes a recording of the stacks on stdin, for
 * looking at pages of it. A line is fields with tabs between them: GOID START CREATOR
 * LABELS STACK COUNT, and perhaps WEIGHT PID. GOID 0 is a sample of the scheduler, or of
 * the class that START names. A stack is folded: "_[k]" marks frames of the kernel, ".so"
 * C, and a + in it a frame without a name. It may be empty. WEIGHT is that of a sample in
 * ns, if it is not the period. Samples come at times by chance.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/strtab.h"
#include "profiler/profile/profile.h"
#include "profiler/profile/recording.h"

enum { THREADS = 8, PID = 812, PROGRAM = 1, LIBRARY };

static uint64_t state = 1, period = 10101010; /* ns */

static uint32_t chance(uint32_t of)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % of);
}

static uint32_t string(struct profile *p, const char *s)
{
	return strtab_add(p->strings, s);
}

static uint32_t frame(struct profile *p, char *name, uint32_t caller)
{
	struct frame f = { .kind = FRAME_GO, .module = PROGRAM };
	char file[64], *mark = strstr(name, "_[k]");
	uint32_t id = string(p, name);

	if (mark) {
		*mark = 0;
		f.kind = FRAME_KERNEL;
		f.module = 0;
		id = string(p, name);
	} else if (!strcmp(name, "[vdso]")) {
		f.kind = FRAME_VDSO;
		id = 0;
	} else if (strstr(name, ".so")) {
		f.kind = strchr(name, '+') ? FRAME_UNNAMED : FRAME_NATIVE;
		f.module = LIBRARY;
		f.addr = 0x2f0a1;
		id = f.kind == FRAME_UNNAMED ? 0 : id;
	} else {
		snprintf(file, sizeof(file), "/src/file%u.go", id % 50);
		f.file = string(p, file);
		f.start_line = 10 + id % 500;
		f.line = f.start_line + 1 + caller % 2;
	}
	f.func = id;
	return profile_frame(p, &f);
}

static void add_process(struct profile *p, uint32_t pid, const char *name)
{
	uint32_t row = p->n_processes;

	profile_process(p, &(struct process){ .tgid = pid,
					      .name = string(p, name),
					      .go_version = string(p, "go1.22.3") });
	for (uint32_t i = 0; i < THREADS; i++)
		profile_thread(p, &(struct thread){ row, pid + i, string(p, name) });
}

/* Processes are rows from 1 on, each with THREADS threads. */
static uint32_t process_of(struct profile *p, const char *pid)
{
	uint32_t tgid = pid && *pid ? (uint32_t)strtoul(pid, NULL, 10) : PID, row = 1;

	while (row < p->n_processes && p->processes[row].tgid != tgid)
		row++;
	if (row == p->n_processes)
		add_process(p, tgid, strtab_get(p->strings, p->processes[1].name));
	return row;
}

static uint8_t class_of(const char *goid, const char *start)
{
	if (strcmp(goid, "0"))
		return CLASS_USER;
	for (uint8_t class = 0; class < CLASS_MAX; class ++)
		if (!strcmp(start, event_class_names[class]))
			return class;
	return CLASS_SCHEDULER;
}

static void add_line(struct profile *p, char *line, uint64_t seconds)
{
	char *field[8] = { 0 }, *name;
	struct goroutine g = { 0 };
	struct event e = { .kind = 1, .flags = EVENT_ROOTED, .weight = period };

	for (int i = 0; i < 8; i++)
		field[i] = strsep(&line, "\t\n");
	if (!field[5])
		return;
	if (field[6] && *field[6])
		e.weight = strtoull(field[6], NULL, 10);
	g.process = process_of(p, field[7]);
	g.goid = strtoull(field[0], NULL, 10);
	g.parent_goid = g.goid / 2;
	g.start = string(p, field[1]);
	g.creator = string(p, field[2]);
	g.labels = string(p, field[3]);
	while ((name = strsep(&field[4], ";")) && *name)
		e.call = profile_call(p, e.call, frame(p, name, e.call));
	e.class = class_of(field[0], field[1]);
	e.goroutine = g.goid ? profile_goroutine(p, &g) : 0;
	for (uint64_t n = strtoull(field[5], NULL, 10); n--;) {
		e.time_ns = chance(1000000) * seconds * 1000;
		e.thread = 1 + (g.process - 1) * THREADS + chance(THREADS);
		profile_event(p, &e);
	}
}

static void add_head(struct profile *p, const char *name, uint64_t seconds)
{
	p->start_ns = 1764015012000000000;
	p->n_cpus = 4;
	p->stats.duration_ns = seconds * 1000000000;
	p->stats.cpu_ns = 42000000;
	p->stats.peak_rss = 23000000;
	profile_kind(p, &(struct event_kind){ .name = string(p, "cpu"),
					      .unit = string(p, UNIT_NS),
					      .source = string(p, "cpu-clock"),
					      .freq = 99,
					      .period = period });
	profile_module(p, &(struct module){ .path = string(p, "/srv/prometheus"),
					    .go_module = string(p, "example.com/own"),
					    .go_minor = 22 });
	profile_module(p, &(struct module){ .path = string(p, "/lib/libc.so.6") });
	add_process(p, PID, name);
}

int main(int argc, char **argv)
{
	struct profile *p = profile_new();
	struct recording *r;
	char *line = NULL;
	size_t cap = 0;
	int fd, err;

	if (argc != 4 && argc != 5)
		return 2;
	if (argc == 5)
		period = strtoull(argv[4], NULL, 10);
	add_head(p, argv[2], strtoull(argv[3], NULL, 10));
	while (getline(&line, &cap, stdin) > 0)
		add_line(p, line, strtoull(argv[3], NULL, 10));
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	err = fd < 0 ? -errno : recording_create(&r, fd, p);
	if (!err)
		err = recording_finish(r, p);
	if (err)
		fprintf(stderr, "recording: %s: %s\n", argv[1], strerror(-err));
	free(line);
	profile_free(p);
	return err != 0;
}
