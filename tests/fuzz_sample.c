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
	n = (size - sizeof(*s)) / 8;
	s->n_words = s->n_words < n ? s->n_words : (__u16)n;
	n -= s->n_words;
	s->n_user %= MAX_USER_PCS + 1;
	s->n_user = s->n_user < n ? s->n_user : (__u16)n;
	n -= s->n_user;
	s->n_kernel = n < MAX_KERNEL_PCS ? (__u16)n : MAX_KERNEL_PCS;
	pipeline_open(&pl, profile, symbolizer, 0);
	pipeline_sample(pl, self, s);
	pipeline_close(pl);
	free(s);
	return 0;
}
