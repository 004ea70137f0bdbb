/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples as the kernel side may send them; the contents of the stacks are up to the
 * target. They are of a Go program if this machine has one (gofmt). Words with few bits set
 * stand for addresses in functions that matter to unwinding, words with all upper bits set
 * for other addresses of it, and for places on the stack.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/sample.h"
#include "profiler/live/pipeline.h"
#include "profiler/live/proc.h"
#include "profiler/profile/profile.h"
#include "symbolizer/gopclntab.h"
#include "symbolizer/object.h"
#include "symbolizer/symbolizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STACK_AT = 0x100000, FEW = 12 };

static const char *const specials[] = {
	"runtime.cgocallback", "runtime.asmcgocall",     "runtime.cgocall",
	"runtime.systemstack", "runtime.morestack",      "runtime.mcall",
	"runtime.sigpanic",    "runtime.asyncPreempt",   "runtime.goexit",
	"runtime.newstack",    "runtime.nanotime1.abi0", "runtime.gcWriteBarrier",
	"runtime.duffzero",    "runtime.mallocgc",       "runtime.gopanic",
	"crosscall2",
};

static struct space *go_space(struct symbolizer *symbolizer)
{
	struct space *space = NULL;
	glob_t found;

	glob("/usr/lib/go-1.*/bin/gofmt", 0, NULL, &found);
	glob("/usr/local/go/bin/gofmt", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && !space; i++) {
		int fd = open(found.gl_pathv[i], O_RDONLY);

		if (fd >= 0 && space_open_file(&space, symbolizer, fd))
			space = NULL;
		close(fd);
	}
	globfree(&found);
	if (!space)
		space_open(&space, symbolizer, getpid());
	return space;
}

/* Translates a word. */
static uint64_t meant(const struct object *go, uint64_t v)
{
	uint64_t entry = 0;
	uint32_t len = 0;

	if (v >> 16 == 0xffffffffffff)
		return STACK_AT + (v & 0xfff8);
	if (v >> 32 == 0xffffffff)
		return 0x401000 + (v & 0xffffff);
	if (v >> 8 && v >> FEW == 0 && go &&
	    gopclntab_function(go->go, specials[v & 15], &entry, &len))
		return entry + (v >> 4) % (len + 1);
	return v;
}

static void sample_clip(__u16 *v, size_t max, size_t *left)
{
	if (max > *left)
		max = *left;
	if (*v > max)
		*v = (__u16)max;
	*left -= *v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile *profile;
	static struct symbolizer *symbolizer;
	static struct procs *procs;
	static struct proc *self;
	static const struct object *go;
	struct pipeline *pl;
	struct sample *s;
	uint64_t bias;
	__u16 labels;
	size_t n;

	if (!profile) {
		profile = profile_new();
		symbolizer = symbolizer_new(profile->strings);
		procs = procs_new(symbolizer, profile);
		self = procs_get(procs, 1, 1);
		self->wanted = true;
		self->process = profile_process(profile, &(struct process){ .tgid = 1 });
		self->space = go_space(symbolizer);
		go = space_go(self->space, &bias);
	}
	if (size < sizeof(*s))
		return 0;
	s = malloc(size);
	memcpy(s, data, size);
	s->tgid = 1;
	/* as collect.c accepts them */
	n = (size - sizeof(*s)) / 8;
	labels = (s->n_label_bytes % LABEL_BYTES + 7u) / 8;
	sample_clip(&labels, LABEL_BYTES / 8, &n);
	s->n_label_bytes = labels * 8;
	sample_clip(&s->n_kernel, MAX_KERNEL_PCS, &n);
	sample_clip(&s->n_c_words, UINT16_MAX, &n);
	sample_clip(&s->n_handler_words, UINT16_MAX, &n);
	if (n > MAX_USER_WORDS)
		n = MAX_USER_WORDS;
	sample_clip(&s->n_words, n, &n);
	sample_clip(&s->n_user, n, &n);
	sample_clip(&s->n_resume_words, n, &n);
	sample_clip(&s->n_resume, n, &n);
	for (__u64 *word = &s->ip; word <= &s->fp; word++)
		*word = meant(go, *word);
	for (__u64 *word = &s->handler_uc; word <= &s->above_sigpanic; word++)
		*word = meant(go, *word);
	for (uint32_t i = 0; i < sample_words(s); i++)
		s->pcs[i] = meant(go, s->pcs[i]);
	pl = pipeline_new(profile, symbolizer, 0);
	pipeline_sample(pl, self, s);
	pipeline_free(pl);
	free(s);
	return 0;
}
