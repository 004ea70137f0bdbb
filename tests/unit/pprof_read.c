/* SPDX-License-Identifier: BSD-2-Clause */
/* Files are made with protobuf-c, from the same .proto, or are bytes by hand. */
#include "profiler/profile/pprof_read.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "profile.pb-c.h"
#include "profiler/base/arena.h"
#include "profiler/base/buf.h"
#include "profiler/profile/profile.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static int read_bytes(struct profile **p, const void *bytes, size_t n, const char **why)
{
	int fd = memfd_create("pprof", 0), err;
	char path[32];

	*p = NULL;
	*why = "";
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
	err = pprof_read(p, path, why);
	close(fd);
	return err;
}

/* What tests change. Two samples of one stack, three of another one. */
struct file {
	Pprof__Profile p;
	Pprof__ValueType types[2], *type[2];
	Pprof__Mapping mapping, *mappings[1];
	Pprof__Function function[2], *functions[2];
	Pprof__Line line[3], *lines[3];
	Pprof__Location location[2], *locations[2];
	Pprof__Sample sample[2], *samples[2];
	Pprof__Label label[3], *labels[3];
	uint64_t ids[2];
	int64_t values[2][2];
	char *strings[16];
};

static struct file *new_file(void)
{
	static const char *const strings[] = { "",          "samples",   "count",
					       "cpu",       UNIT_NS,     "/bin/demo",
					       "main.work", "main.tiny", "/src/main.go",
					       "job",       "encode",    "goid",
					       "id",        "go_start",  "main.worker" };
	struct file *f = mem_zalloc(sizeof(*f));

	*f = (struct file){ .p = PPROF__PROFILE__INIT,
			    .mapping = PPROF__MAPPING__INIT,
			    .ids = { 7, 9 },
			    .values = { { 2, 20000000 }, { 3, 30000000 } } };
	for (size_t i = 0; i < LEN(strings); i++)
		f->strings[i] = (char *)strings[i];
	for (int i = 0; i < 3; i++) {
		f->line[i] = (Pprof__Line)PPROF__LINE__INIT;
		f->lines[i] = &f->line[i];
		f->label[i] = (Pprof__Label)PPROF__LABEL__INIT;
		f->labels[i] = &f->label[i];
	}
	for (int i = 0; i < 2; i++) {
		f->types[i] = (Pprof__ValueType)PPROF__VALUE_TYPE__INIT;
		f->types[i].type = 1 + 2 * i;
		f->types[i].unit = 2 + 2 * i;
		f->type[i] = &f->types[i];
		f->function[i] = (Pprof__Function)PPROF__FUNCTION__INIT;
		f->function[i].id = 100 + (uint64_t)i;
		f->function[i].name = f->function[i].system_name = 6 + i;
		f->function[i].filename = 8;
		f->function[i].start_line = 10 * (i + 1);
		f->functions[i] = &f->function[i];
		f->location[i] = (Pprof__Location)PPROF__LOCATION__INIT;
		f->location[i].id = f->ids[i];
		f->location[i].mapping_id = 1;
		f->location[i].address = 0x401000 + 16 * (uint64_t)i;
		f->locations[i] = &f->location[i];
		f->sample[i] = (Pprof__Sample)PPROF__SAMPLE__INIT;
		f->sample[i].location_id = f->ids + i;
		f->sample[i].n_location_id = 2 - (size_t)i;
		f->sample[i].value = f->values[i];
		f->sample[i].n_value = 2;
		f->samples[i] = &f->sample[i];
	}
	/* the first location: main.tiny, inlined into main.work; the second: main.work */
	f->line[0].function_id = 101;
	f->line[0].line = 21;
	f->line[1].function_id = f->line[2].function_id = 100;
	f->line[1].line = 12;
	f->line[2].line = 13;
	f->location[0].line = f->lines;
	f->location[0].n_line = 2;
	f->location[1].line = f->lines + 2;
	f->location[1].n_line = 1;
	f->label[0].key = 9;
	f->label[0].str = 10;
	f->label[1].key = 11;
	f->label[1].num = 18;
	f->label[1].num_unit = 12;
	f->label[2].key = 13;
	f->label[2].str = 14;
	f->sample[0].label = f->labels;
	f->sample[0].n_label = 3;
	f->mapping.id = 1;
	f->mapping.filename = 5;
	f->mappings[0] = &f->mapping;
	f->p.sample_type = f->type;
	f->p.sample = f->samples;
	f->p.location = f->locations;
	f->p.function = f->functions;
	f->p.n_sample_type = f->p.n_sample = f->p.n_location = f->p.n_function = 2;
	f->p.mapping = f->mappings;
	f->p.n_mapping = 1;
	f->p.string_table = f->strings;
	f->p.n_string_table = LEN(strings);
	f->p.time_nanos = 1700000000000000000;
	f->p.duration_nanos = 1000000000;
	f->p.period = 10000000;
	return f;
}

/* Frees the file. */
static int read_file(struct profile **p, struct file *f, const char **why)
{
	size_t n = pprof__profile__get_packed_size(&f->p);
	uint8_t *bytes = mem_zalloc(n);
	int err;

	pprof__profile__pack(&f->p, bytes);
	err = read_bytes(p, bytes, n, why);
	free(bytes);
	free(f);
	return err;
}

static void expect_refused(struct file *f, const char *want)
{
	const char *why;
	struct profile *p;

	cr_expect_eq(read_file(&p, f, &why), -EBADMSG);
	cr_expect_str_eq(why, want);
	cr_expect_null(p);
}

static const struct frame *frame_of(const struct profile *p, uint32_t call)
{
	return &p->frames[p->calls[call].frame];
}

Test(pprof_read, events_are_what_the_file_says)
{
	struct profile *p;
	const char *why;
	const struct goroutine *g;
	uint64_t weight = 0;
	uint32_t call;

	cr_assert_eq(read_file(&p, new_file(), &why), 0, "%s", why);
	cr_assert_eq(p->n_events, 5);
	for (uint32_t i = 0; i < 5; i++) {
		weight += p->events[i].weight;
		cr_expect_lt(p->events[i].time_ns, 1000000000);
	}
	cr_expect_eq(weight, 50000000);
	cr_expect_eq(p->start_ns, 1700000000000000000);
	cr_expect_eq(p->stats.duration_ns, 1000000000);
	cr_expect_eq(p->kinds[1].period, 10000000);
	cr_expect_eq(p->kinds[1].freq, 100);
	cr_expect_str_eq(profile_string(p, p->processes[1].name), "demo");
	/* main.work:13 called main.work:12, into which main.tiny:21 was inlined */
	call = p->events[0].call;
	cr_expect_str_eq(profile_string(p, frame_of(p, call)->func), "main.tiny");
	cr_expect_eq(frame_of(p, call)->line, 21);
	cr_expect_eq(frame_of(p, call)->start_line, 20);
	cr_expect_eq(frame_of(p, call)->inlined, 1);
	cr_expect_eq(frame_of(p, call)->addr, 0x401000);
	call = p->calls[call].parent;
	cr_expect_eq(frame_of(p, call)->line, 12);
	cr_expect_eq(frame_of(p, call)->inlined, 0);
	call = p->calls[call].parent;
	cr_expect_eq(frame_of(p, call)->line, 13);
	cr_expect_eq(p->calls[call].parent, 0);
	g = &p->goroutines[p->events[0].goroutine];
	cr_expect_eq(g->goid, 18);
	cr_expect_str_eq(profile_string(p, g->start), "main.worker");
	cr_expect_str_eq(profile_string(p, g->labels), "job=encode");
	cr_expect_eq(p->events[4].goroutine, 0);
	profile_free(p);
}

/* A leaf asyncPreempt is where the runtime's clock struck, not what ran. */
Test(pprof_read, preemption_is_not_a_function)
{
	struct file *f = new_file();
	struct profile *p;
	const char *why;

	f->strings[7] = "runtime.asyncPreempt";
	f->location[0].n_line = 1;
	f->sample[1].location_id = f->ids;
	f->sample[1].n_location_id = 1;
	cr_assert_eq(read_file(&p, f, &why), 0, "%s", why);
	cr_assert_eq(p->n_events, 5);
	cr_expect_eq(frame_of(p, p->events[0].call)->line, 13);
	/* nobody else is there who could have run */
	cr_expect_str_eq(profile_string(p, frame_of(p, p->events[4].call)->func),
			 "runtime.asyncPreempt");
	profile_free(p);
}

/* However many events come before, each stack's are all over the time. */
Test(pprof_read, events_are_spread_over_the_duration)
{
	struct file *f = new_file();
	struct profile *p;
	const char *why;
	uint32_t in[4] = { 0 };

	f->values[1][0] = 4000;
	cr_assert_eq(read_file(&p, f, &why), 0);
	for (uint32_t i = 2; i < p->n_events; i++)
		in[p->events[i].time_ns / 250000000]++;
	for (int i = 0; i < 4; i++)
		cr_expect(in[i] > 990 && in[i] < 1010, "%u", in[i]);
	profile_free(p);
}

Test(pprof_read, counts_by_the_period_when_there_are_no_counts)
{
	struct file *f = new_file();
	struct profile *p;
	const char *why;

	f->types[0].type = f->types[0].unit = 5;
	cr_assert_eq(read_file(&p, f, &why), 0);
	cr_expect_eq(p->n_events, 5);
	profile_free(p);
}

Test(pprof_read, other_units_of_time)
{
	struct file *f = new_file();
	struct profile *p;
	const char *why;

	f->strings[4] = (char *)"microseconds";
	f->values[0][1] = 20000;
	f->values[1][1] = 30000;
	f->p.period = 10000;
	cr_assert_eq(read_file(&p, f, &why), 0, "%s", why);
	cr_expect_eq(p->kinds[1].period, 10000000);
	cr_expect_eq(p->events[0].weight, 10000000);
	profile_free(p);
}

Test(pprof_read, samples_of_nothing_are_nothing)
{
	struct file *f = new_file();
	struct profile *p;
	const char *why;

	f->values[0][0] = f->values[0][1] = 0;
	cr_assert_eq(read_file(&p, f, &why), 0, "%s", why);
	cr_expect_eq(p->n_events, 3);
	profile_free(p);
}

Test(pprof_read, what_is_no_cpu_profile_is_refused)
{
	struct file *f = new_file();

	f->types[1].type = 1;
	expect_refused(f, "it has no CPU time: it is a profile of something else");
	f = new_file();
	f->p.n_sample_type = 0;
	expect_refused(f, "it is not a pprof profile");
	f = new_file();
	f->p.n_sample = 0;
	expect_refused(f, "it has no samples");
}

Test(pprof_read, values_must_make_sense)
{
	struct file *f = new_file();

	f->values[0][1] = -1;
	expect_refused(f, "the values of a sample make no sense");
	f = new_file();
	f->sample[1].n_value = 1;
	expect_refused(f, "the values of a sample make no sense");
	f = new_file();
	f->values[0][0] = f->values[1][0] = 9999999;
	expect_refused(f, "it has more than 10,000,000 samples");
	f = new_file();
	f->location[1].id = 7;
	expect_refused(f, "an id comes twice");
}

/* Strings, functions, locations and mappings that are not there are unknown. */
Test(pprof_read, what_is_missing_is_unknown)
{
	struct file *f = new_file();
	struct profile *p;
	const char *why;

	f->function[0].name = f->function[0].system_name = 1 << 30;
	f->function[1].name = f->function[1].system_name = -5;
	f->function[1].start_line = -1;
	f->ids[1] = 12345; /* of the sample; the location still has 9 */
	f->mapping.id = 77;
	f->mapping.filename = -1;
	f->label[0].key = INT64_MAX;
	f->line[1].function_id = 3;
	cr_assert_eq(read_file(&p, f, &why), 0, "%s", why);
	cr_expect_eq(p->n_events, 5);
	for (uint32_t i = 1; i < p->n_frames; i++)
		cr_expect_eq(p->frames[i].func, 0);
	profile_free(p);
}

/* One location of many lines, in each of many samples, is far more than the file. */
Test(pprof_read, a_bomb_is_refused)
{
	enum { MANY = 40000 };
	struct file *f = new_file();
	Pprof__Line **lines = mem_zalloc(MANY * sizeof(*lines));
	Pprof__Sample **samples = mem_zalloc(MANY * sizeof(*samples));

	for (int i = 0; i < MANY; i++) {
		lines[i] = &f->line[i % 3];
		samples[i] = &f->sample[0];
	}
	f->location[0].line = lines;
	f->location[0].n_line = MANY;
	f->p.sample = samples;
	f->p.n_sample = MANY;
	expect_refused(f, "it has far more frames than its size explains");
	free(lines);
	free(samples);
}

Test(pprof_read, packed_files_may_be_cut_off)
{
	struct file *f = new_file();
	uint8_t bytes[4096], packed[4096];
	size_t n = pprof__profile__pack(&f->p, bytes), len;
	z_stream z = { .next_in = bytes,
		       .avail_in = (uInt)n,
		       .next_out = packed,
		       .avail_out = sizeof(packed) };
	struct profile *p;
	const char *why;

	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	len = z.total_out;
	deflateEnd(&z);
	cr_assert_eq(read_bytes(&p, packed, len, &why), 0, "%s", why);
	profile_free(p);
	for (size_t i = 0; i < len; i++) {
		cr_expect_eq(read_bytes(&p, packed, i, &why), -EBADMSG, "%zu", i);
		cr_expect(*why);
	}
	packed[len / 2] ^= 0x55;
	cr_expect_eq(read_bytes(&p, packed, len, &why), -EBADMSG);
	free(f);
}

Test(pprof_read, errors_of_reading_are_told)
{
	struct profile *p;
	const char *why;

	cr_expect_eq(pprof_read(&p, "/nonexistent", &why), -ENOENT);
	cr_expect_eq(pprof_read(&p, "/", &why), -EISDIR);
}
