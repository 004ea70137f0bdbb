/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples as the kernel side may send them: what is in the stacks, the target decides. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "profiler/pipeline.h"
#include "profiler/proc.h"
#include "profiler/profile.h"
#include "symbolizer/symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sample_clip(__u16 *v, size_t max, size_t left)
{
	if (max > left)
		max = left;
	if (*v > max)
		*v = (__u16)max;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile *profile;
	static struct symbolizer *symbolizer;
	static struct procs *procs;
	static struct proc *self;
	struct pipeline *pl;
	struct sample *s;
	size_t n;

	if (!profile) {
		profile = profile_new();
		symbolizer_open(&symbolizer, profile->strings);
		procs_open(&procs, symbolizer, profile);
		self = procs_get(procs, 1, 1);
		self->wanted = true;
		self->process = profile_process(profile, &(struct process){ .tgid = 1 });
		space_open(&self->space, symbolizer, getpid());
	}
	if (size < sizeof(*s))
		return 0;
	s = malloc(size);
	memcpy(s, data, size);
	s->tgid = 1;
	/* as collect.c lets them through */
	n = (size - sizeof(*s)) / 8;
	sample_clip(&s->n_label_bytes, LABEL_BYTES, n * 8);
	n -= (s->n_label_bytes + 7u) / 8;
	sample_clip(&s->n_kernel, MAX_KERNEL_PCS, n);
	n -= s->n_kernel;
	if (n > MAX_USER_WORDS)
		n = MAX_USER_WORDS;
	sample_clip(&s->n_words, n, n);
	n -= s->n_words;
	sample_clip(&s->n_user, n, n);
	n -= s->n_user;
	sample_clip(&s->n_resume_words, n, n);
	n -= s->n_resume_words;
	sample_clip(&s->n_resume, n, n);
	pipeline_open(&pl, profile, symbolizer, 0);
	pipeline_sample(pl, self, s);
	pipeline_close(pl);
	free(s);
	return 0;
}
