/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel/collect.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/arena.h"
#include "profiler/base/log.h"
#include "profiler/kernel/bpfload.h"
#include "profiler/kernel/counts.h"
#include "profiler/kernel/probes.h"
#include "profiler/kernel/rings.h"
#include "sample.skel.h"

enum {
	/* pairs of function and thread whose rates are known; others begin anew */
	RATES = 1 << 16,
	SUMS = 1 << 20,       /* of calls: functions times goroutines */
	LABEL_SETS = 1 << 13, /* of 4 KiB */
	/* at most: maps, programs, tracepoints; events, links, rings and new rings */
	FILES = 48 + PROBES_EACH_MAX,
	FILES_PER_CPU = 5,
};

struct collector {
	struct collector_options o;
	struct sample_bpf *skel;
	struct bpf_program *program; /* the version that this kernel can run */
	struct bpf_link **events;    /* one per CPU; NULL: that CPU is offline */
	int n_cpus;
	struct rings *rings;
	const struct probes *probes; /* EVENT_CALLS */
	bool multi;                  /* they hang on one link */
	int calls;                   /* that link; -1: not attached */
	uint32_t followed;           /* calls of follow() */
	struct counts *counts;       /* owned; NULL: calls are not added up */
};

/* The object holds both versions of the sampler; loads the one that this kernel can run. */
static void choose_program(struct collector *c)
{
	/* the newest helper that the new version needs (5.15); the variable is for tests */
	bool modern = !getenv("GOSTROBE_OLD_KERNEL") &&
		      libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT,
					      BPF_FUNC_task_pt_regs, NULL) == 1;

	bool calls = c->o.event == EVENT_CALLS;

	bpf_program__set_autoload(c->skel->progs.call, calls);
	bpf_program__set_autoload(c->skel->progs.sample_modern, !calls && modern);
	bpf_program__set_autoload(c->skel->progs.sample_old, !calls && !modern);
	c->program = calls    ? c->skel->progs.call
		     : modern ? c->skel->progs.sample_modern
			      : c->skel->progs.sample_old;
	c->multi = calls && !getenv("GOSTROBE_OLD_KERNEL") && probes_multi();
	if (c->multi)
		bpf_program__set_expected_attach_type(
			c->program, (enum bpf_attach_type)PROBES_ATTACH_TYPE);
	log_debug("kernel side: %s%s", bpf_program__name(c->program),
		  calls && !c->multi ? ", an event for each probe" : "");
}

/* Room for a fifth of a second of samples of 1 KiB, as the reader may have to wait for a
 * CPU; most are much smaller. Calls may come at any rate. */
static uint32_t ring_size(const struct collector_options *o)
{
	uint32_t size = RING_MIN;

	while (size < RING_MAX && (o->event == EVENT_CALLS || size / 200 < o->freq))
		size *= 2;
	return size;
}

/* What the kernel side does with calls; maps that it does not need stay small. */
static void set_calls(struct sample_bpf *skel, const struct collector_options *o)
{
	skel->rodata->max_rate = o->max_rate;
	skel->rodata->some_goids = o->n_goids;
	skel->rodata->add_up = o->add_up;
	skel->rodata->by_labels = o->by_labels;
	skel->rodata->by_thread = o->by_thread;
	if (o->max_rate)
		bpf_map__set_max_entries(skel->maps.rates, RATES);
	if (o->n_goids)
		bpf_map__set_max_entries(skel->maps.goids, o->n_goids);
	if (o->add_up)
		bpf_map__set_max_entries(skel->maps.call_sums, SUMS);
	if (o->add_up && o->firsts)
		bpf_map__set_max_entries(skel->maps.firsts, SUMS);
	if (o->add_up && o->by_labels)
		bpf_map__set_max_entries(skel->maps.label_sets, LABEL_SETS);
}

static int load(struct collector *c, const char **what)
{
	uint32_t scratches = (uint32_t)c->n_cpus;
	struct sample_bpf *skel;
	int err;

	if (c->o.event == EVENT_CALLS)
		scratches *= CALL_SCRATCHES;
	*what = "bpf object";
	skel = c->skel = sample_bpf__open();
	if (!skel)
		return -errno;
	skel->rodata->our_pidns = bpfload_pidns();
	skel->rodata->follow_all = c->o.follow_all;
	skel->rodata->want_user = c->o.user_stacks && (!c->o.add_up || c->o.firsts);
	skel->rodata->want_kernel = c->o.kernel_stacks;
	skel->rodata->period_ns = 1000000000u / c->o.freq;
	skel->rodata->n_cpus = (uint32_t)c->n_cpus;
	set_calls(skel, &c->o);
	bpf_map__set_max_entries(skel->maps.scratches, scratches);
	bpf_map__set_max_entries(skel->maps.taken, scratches);
	bpf_map__set_max_entries(skel->maps.rings, (uint32_t)c->n_cpus);
	bpf_map__set_max_entries(skel->maps.processes, c->o.max_processes);
	choose_program(c);
	*what = "bpf(BPF_PROG_LOAD)";
	err = sample_bpf__load(skel);
	if (err)
		return err;
	*what = "bpf(BPF_MAP_UPDATE_ELEM)";
	for (uint32_t i = 0; i < c->o.n_goids; i++)
		if (bpf_map_update_elem(bpf_map__fd(skel->maps.goids), &c->o.goids[i],
					&(uint8_t){ 1 }, BPF_ANY))
			return -errno;
	*what = "bpf(BPF_RAW_TRACEPOINT_OPEN)";
	skel->links.process_exec = bpf_program__attach(skel->progs.process_exec);
	skel->links.process_fork = bpf_program__attach(skel->progs.process_fork);
	skel->links.process_exit = bpf_program__attach(skel->progs.process_exit);
	if (!skel->links.process_exec || !skel->links.process_fork ||
	    !skel->links.process_exit)
		return -errno;
	if (c->o.add_up)
		c->counts = counts_new(bpf_map__fd(skel->maps.call_sums),
				       bpf_map__fd(skel->maps.label_sets));
	*what = "ring buffer";
	return rings_open(&c->rings, bpf_map__fd(skel->maps.control),
			  bpf_map__fd(skel->maps.rings), c->n_cpus, ring_size(&c->o));
}

static int event_open(const struct collector *c, enum sample_event event, int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = event == EVENT_CYCLES ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config = event == EVENT_CYCLES ? (uint64_t)PERF_COUNT_HW_CPU_CYCLES
						: (uint64_t)PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = c->o.freq,
		.disabled = 1,
		.exclude_idle = event == EVENT_CPU_CLOCK,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			      PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static const char *event_call(enum sample_event event)
{
	return event == EVENT_CYCLES ? "perf_event_open(cycles)"
				     : "perf_event_open(cpu-clock)";
}

/* EVENT_AUTO becomes cycles if the machine has a PMU, else cpu-clock. An event that the
 * user chose is never replaced. */
static int choose_event(struct collector *c, const char **what)
{
	enum sample_event first = c->o.event == EVENT_CPU_CLOCK ? EVENT_CPU_CLOCK
								: EVENT_CYCLES;
	int fd = event_open(c, first, 0);

	if (fd < 0 && c->o.event == EVENT_AUTO) {
		first = EVENT_CPU_CLOCK;
		fd = event_open(c, first, 0);
	}
	*what = event_call(first);
	if (fd < 0)
		return fd;
	close(fd);
	c->o.event = first;
	return 0;
}

/* The new link is there before the old one goes, and hits count on one of them only. */
static int attach_calls(struct collector *c)
{
	uint8_t tag = (uint8_t)(c->skel->data->call_tag % UINT8_MAX + 1);
	int old = c->calls;

	if (!c->multi)
		return probes_attach_each(bpf_program__fd(c->program), c->probes,
					  (uint8_t)c->skel->data->call_tag);
	c->calls = probes_attach(bpf_program__fd(c->program), c->probes, tag);
	c->skel->data->call_tag = tag;
	if (old >= 0)
		probes_detach(old);
	return c->calls < 0 ? c->calls : 0;
}

static int start(void *self, const char **what)
{
	struct collector *c = self;

	if (c->o.event == EVENT_CALLS) {
		*what = c->multi ? "bpf(BPF_LINK_CREATE)" : "perf_event_open(uprobe)";
		return attach_calls(c);
	}
	for (int cpu = 0; cpu < c->n_cpus; cpu++) {
		int fd = event_open(c, c->o.event, cpu);

		*what = event_call(c->o.event);
		if (fd == -ENODEV || fd == -EINVAL) /* offline */
			continue;
		if (fd < 0)
			return fd;
		*what = "ioctl(PERF_EVENT_IOC_SET_BPF)";
		c->events[cpu] = bpf_program__attach_perf_event(c->program, fd);
		if (!c->events[cpu]) {
			int err = -errno;

			close(fd);
			return err;
		}
	}
	return 0;
}

static void stop(void *self)
{
	struct collector *c = self;

	for (int cpu = 0; cpu < c->n_cpus; cpu++) {
		bpf_link__destroy(c->events[cpu]);
		c->events[cpu] = NULL;
	}
	if (c->calls >= 0)
		probes_detach(c->calls);
	c->calls = -1;
	if (c->probes && !c->multi)
		probes_detach_each(c->probes);
}

static void destroy(void *self)
{
	struct collector *c = self;

	if (c->events)
		stop(c);
	rings_free(c->rings);
	counts_free(c->counts);
	sample_bpf__destroy(c->skel);
	free(c->events);
	free(c);
}

static int probe(void *self, const struct probes *p, bool running)
{
	struct collector *c = self;

	if (!c->multi && p->n > PROBES_EACH_MAX + 1 /* newstack */)
		return -E2BIG;
	c->probes = p;
	return running ? attach_calls(c) : 0;
}

static int follow(void *self, uint32_t tgid, const struct executable *exe, uint32_t flags)
{
	struct collector *c = self;
	struct process_entry p = { .executable = *exe, .flags = flags };
	bool only = !c->followed++ && !c->o.follow_all && !(flags & PROCESS_CHILDREN);

	c->skel->bss->only_tgid = only ? tgid : 0;
	return bpf_map_update_elem(bpf_map__fd(c->skel->maps.processes), &tgid, &p, BPF_ANY)
		       ? -errno
		       : 0;
}

static bool image(void *self, uint32_t tgid, image_id *ret)
{
	const struct collector *c = self;
	struct process_entry p;

	if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.processes), &tgid, &p))
		return false;
	*ret = p.image;
	return true;
}

static void drop(void *self, uint32_t tgid)
{
	const struct collector *c = self;

	bpf_map_delete_elem(bpf_map__fd(c->skel->maps.processes), &tgid);
}

static int executable(void *self, const struct exe_key *key, const struct executable *exe)
{
	const struct collector *c = self;

	return bpf_map_update_elem(bpf_map__fd(c->skel->maps.executables), key, exe,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

static int poll_records(void *self, int timeout_ms, const struct record_handler *h)
{
	struct collector *c = self;

	return rings_poll(c->rings, timeout_ms, h);
}

static int poll_control(void *self)
{
	struct collector *c = self;

	return rings_control(c->rings);
}

static uint64_t settled_ns(void *self)
{
	const struct collector *c = self;

	return rings_settled_ns(c->rings);
}

static void counts(void *self, const struct record_handler *h)
{
	const struct collector *c = self;

	if (c->counts)
		counts_take(c->counts, h);
}

static void totals(void *self, uint64_t counts[COUNT_MAX],
		   void (*fn)(void *arg, uint32_t tgid, image_id image, uint64_t samples),
		   void *arg)
{
	const struct collector *c = self;
	uint64_t *per_cpu = mem_zalloc((size_t)c->n_cpus * sizeof(*per_cpu));
	int fd = bpf_map__fd(c->skel->maps.processes);
	uint32_t tgid, *last = NULL;
	struct process_entry p;

	for (uint32_t i = 0; i < COUNT_MAX; i++) {
		counts[i] = 0;
		if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.counters), &i, per_cpu))
			continue;
		for (int cpu = 0; cpu < c->n_cpus; cpu++)
			counts[i] += per_cpu[cpu];
	}
	free(per_cpu);
	for (; fn && !bpf_map_get_next_key(fd, last, &tgid); last = &tgid)
		if (!bpf_map_lookup_elem(fd, &tgid, &p) && p.unsent)
			fn(arg, tgid, p.image, p.unsent);
}

static const char *event_name(enum sample_event event)
{
	return event == EVENT_CALLS    ? "calls"
	       : event == EVENT_CYCLES ? "cycles"
				       : "cpu-clock";
}

int collector_open(struct kernel_side *ret, const struct collector_options *o,
		   const char **what)
{
	struct collector *c = mem_zalloc(sizeof(*c));
	int err;

	c->o = *o;
	c->calls = -1;
	c->n_cpus = libbpf_num_possible_cpus();
	bpfload_log();
	*what = "number of CPUs";
	err = c->n_cpus;
	if (err < 0)
		goto fail;
	*what = "files";
	err = bpfload_files(FILES + FILES_PER_CPU * (uint32_t)c->n_cpus);
	if (err)
		goto fail;
	c->events = mem_zalloc((size_t)c->n_cpus * sizeof(*c->events));
	err = c->o.event == EVENT_CALLS ? 0 : choose_event(c, what);
	if (err)
		goto fail;
	err = load(c, what);
	if (err)
		goto fail;
	*ret = (struct kernel_side){
		.self = c,
		.event_name = event_name(c->o.event),
		.period_ns = c->o.event == EVENT_CALLS ? 1 : c->skel->rodata->period_ns,
		.probe = probe,
		.start = start,
		.stop = stop,
		.close = destroy,
		.follow = follow,
		.image = image,
		.drop = drop,
		.executable = executable,
		.poll = poll_records,
		.control = poll_control,
		.counts = counts,
		.settled_ns = settled_ns,
		.totals = totals,
	};
	return 0;
fail:
	destroy(c);
	return err;
}
