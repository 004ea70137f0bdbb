/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contract between the kernel side and user space: the one header that both include.
 *
 * Records go up to user space. Each starts with its type:
 *   RECORD_SAMPLE  a thread of a followed process was on a CPU at a tick of the clock, or
 *                  called a function that is probed
 *   RECORD_IMAGE   a process was seen for the first time, executed another program, or
 *                  mapped more code since its last sample
 *   RECORD_EXIT    the last thread of a followed process ended
 *   RECORD_HOT     a thread calls a function more often than is allowed
 * Samples go through `rings`, one ring buffer per CPU, because CPUs that share a ring
 * buffer wait for each other's cache lines. They wake the reader only once in WAKE_BYTES of
 * one ring. The other records go through `control` and do wake it. The RECORD_IMAGE of a
 * process is sent before the first sample that needs it.
 *
 * Two maps go down to the kernel side: `processes` says whom to follow, and `executables`
 * says where a program keeps its goroutines, so that user space need not look at each
 * process of a program it knows.
 */
#pragma once

#include <linux/types.h>

enum {
	MAX_USER_PCS = 1024, /* frames nearer to the root are cut off: SAMPLE_CUT */
	MAX_KERNEL_PCS = 127,
	/* Stack words copied from SP with every sample: enough to reach a leaf's return
	 * address. Up to Go 1.20 a prologue makes room for the frame before it saves the
	 * frame pointer, and functions without a frame call others. */
	LEAF_WORDS = 9,
	LEAF_WORDS_OLD = 128,
	RESUME_WORDS_OLD = 32,
	/* copied instead if the frame pointer holds data or leads off the stack */
	COPY_WORDS = 4096,
	/* words for markers and their operands in the chains of one sample */
	CHAIN_LINKS = 64,
	/* words and return addresses of both stacks of a sample */
	MAX_USER_WORDS = 2 * COPY_WORDS + MAX_USER_PCS + CHAIN_LINKS,
	LABEL_BYTES = 4096,
	WAKE_BYTES = 256 << 10, /* of one ring */
	C_REGS = 17,            /* registers of struct cstack */
	C_BYTES = 64 << 10,     /* of stack copied where C was called */
	/* the same for calls of the vDSO from nanotime1 and the like */
	C_BYTES_VDSO = 1 << 10,
	HANDLER_BYTES = 32 << 10, /* the same for a signal handler */
};

/*
 * A chain is the result of following frame pointers from one address on. An entry is a
 * return address, and above bit CHAIN_PC_BITS the distance in words from its frame record
 * to the next one. So user space knows where each record was, and pclntab tells whether the
 * function keeps its record there. Distance 0: the last record. CHAIN_NO_RECORD: the entry
 * does not come from a frame record, and the next record is that of the entry after it.
 *
 * Values below CHAIN_MARKS are markers in place of a return address, followed by operands:
 *   CHAIN_CALLBACK fp
 *	The last entry is in cgocallback, whose frame record leads into C's stack.
 *	The chain continues at fp, in the Go code that called C.
 *   CHAIN_WORDS addr n fp
 *	The chain left the stack. n words of the stack from addr on follow. If fp is not 0,
 *	the chain then continues at fp, which may be in these words or above them.
 */
enum chain_mark { CHAIN_CALLBACK, CHAIN_WORDS, CHAIN_MARKS };
enum { CHAIN_PC_BITS = 47, CHAIN_NO_RECORD = (1 << 17) - 1 };

static inline __u64 chain_pc(__u64 entry)
{
	return entry & ((1ull << CHAIN_PC_BITS) - 1);
}

/* in bytes */
static inline __u64 chain_distance(__u64 entry)
{
	return entry >> CHAIN_PC_BITS << 3;
}

enum record_type { RECORD_SAMPLE = 1, RECORD_IMAGE, RECORD_EXIT, RECORD_HOT };

/* Identifies one program in one process: changes with exec and when a pid is reused. Start
 * time of the process in ns plus the number of its execs. 0: not known yet. */
typedef __u64 image_id;

enum sample_flags {
	SAMPLE_KERNEL = 1 << 0,    /* the CPU was in kernel mode */
	SAMPLE_STARTING = 1 << 1,  /* layout not known yet, or no TLS set up */
	SAMPLE_NO_LAYOUT = 1 << 2, /* user space knows no layout for this image */
	SAMPLE_G_FAULT = 1 << 3,   /* g, m or curg unreadable, or contradictory */
	SAMPLE_NO_G = 1 << 4,      /* the slot holds 0, or its m is in C and not in use */
	SAMPLE_GSIGNAL = 1 << 5,   /* in a signal handler; what it interrupted is unknown */
	SAMPLE_G0 = 1 << 6,        /* on the scheduler's stack */
	SAMPLE_CGO = 1 << 7,       /* m.ncgo > 0 and curg is in a system call */
	SAMPLE_CUT = 1 << 8,       /* more than MAX_USER_PCS frames */
	SAMPLE_STACK_FAULT = 1 << 9, /* a frame could not be read; the stack ends there */
	SAMPLE_LABELS_CUT = 1 << 10, /* there are more labels than these */
	SAMPLE_CGO_SOON = 1 << 11, /* as SAMPLE_CGO, but still or again on its own stack */
	SAMPLE_LOCKED = 1 << 12,   /* the goroutine is locked to its thread */
	SAMPLE_VDSO = 1 << 13,     /* m.vdsoSP is set: in or near a call of the vDSO */
	/* In a signal handler. Everything in the sample describes what the handler
	 * interrupted, except the fields that name the handler. */
	SAMPLE_HANDLER = 1 << 14,
};

/* Where a goroutine's own stack continues when the sample was taken on another stack. */
enum resume {
	RESUME_NONE,
	RESUME_SCHED, /* at g.sched: saved there by systemstack, morestack or asmcgocall */
	RESUME_VDSO,  /* at m.vdsoPC, m.vdsoSP */
	/* Assembly switched to the thread's stack without saving where; racecall and the
	 * like keep SP in R12. The words of the goroutine's stack up to its end follow. */
	RESUME_SWITCHED,
};

/* What a sample is of. */
enum sample_call {
	CALL_NONE, /* a tick of the clock */
	CALL_ONE,  /* a call of the function at ip */
	/* Calls that were added up, as many as the weight; without stack. User space makes
	 * these from the map `call_sums`. */
	CALL_SUM,
	/* The first call of a function by a goroutine, whose calls are added up: it shows
	 * what the goroutine runs. Its weight is 0, as the sums have it too. */
	CALL_FIRST,
};

/* Bits of the two numbers in front of each label. */
enum label_bits {
	LABEL_LEN = 0x1fff,
	LABEL_AT = 0x8000,  /* an address replaces the bytes, which could not be read */
	LABEL_CUT = 0x4000, /* the bytes are only the first part of the value */
};

/*
 * A record of variable length. pcs[] holds these parts in this order; any may be empty:
 *
 *   words         n_words words of the stack from sp on
 *   chain         n_user: the chain from chain_fp on
 *   resume words  n_resume_words words of the goroutine's own stack from resume_sp on
 *   resume chain  n_resume: the chain from resume_chain_fp on
 *   kernel        n_kernel kernel addresses, leaf first
 *   labels        n_label_bytes, padded to a multiple of 8. For each label two unaligned
 *                 16-bit numbers (its lengths, enum label_bits), then key and value.
 *   C             n_c_words, if C runs or called back: all registers, in the order of
 *                 profiler/unwind/cunwind.h, then the thread's own stack from c_sp on
 *   handler       n_handler_words: the registers of the signal handler, in the same
 *                 order, then its stack from SP to handler_uc
 *
 * A chain that calls back from C once and leaves the stack once, leaf first:
 *
 *   pc pc pc | CALLBACK fp | pc pc | WORDS addr n fp | word word ... word | pc pc
 *         |             |    ^                    |    `---- n of them ---'   ^
 *   in cgocallback      `----'                    `---------------------------'
 */
struct sample {
	__u32 type;      /* RECORD_SAMPLE */
	__u32 tgid, tid; /* in the pid namespace of user space */
	__u32 cpu;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 weight;  /* CPU time that it stands for, in ns; of a call 1 */
	image_id image;
	__u64 goid;          /* 0: no goroutine; the flags say why */
	__u64 parent_goid;   /* 0: none, or Go before 1.21 */
	__u64 startpc, gopc; /* start function; return address of the go statement */
	__u64 ip, sp, fp;    /* user registers, even if the CPU was in the kernel */
	__u32 flags;
	__u16 n_words;  /* unreadable ones are 0 */
	__u16 n_user;   /* entries and markers, leaf first; without ip */
	__u16 n_kernel; /* kernel addresses, leaf first */
	__u16 resume;   /* enum resume */
	__u16 n_resume_words, n_resume;
	__u16 n_label_bytes;
	__u16 n_c_words;       /* 0, or at least C_REGS */
	__u16 n_handler_words; /* 0: unreadable or too many; else at least C_REGS */
	__u16 call;            /* enum sample_call */
	/* Address of the struct ucontext that the kernel saved for the handler, which is SP
	 * when the handler has returned. It was found by its looks; it is right if
	 * unwinding the handler's stack leads there. */
	__u64 handler_uc;
	__u64 resume_pc, resume_sp, resume_fp;
	/* addresses of the first frame records of the chains */
	__u64 chain_fp, resume_chain_fp;
	/* address of the first stack word after the registers: sp if C runs, else g0_sp */
	__u64 c_sp;
	/* SP of the thread's stack at the last callback, in cgocallback; or 0 */
	__u64 g0_sp;
	/* The frame record of sigpanic if it is in a chain, else 0; and the word above it:
	 * the return address of a function without a frame that seems to have called
	 * sigpanic. */
	__u64 sigpanic_fp, above_sigpanic;
	__u64 pcs[];
};

/* Length of the user part of pcs[]; the kernel part follows. */
static inline __u32 sample_user_pcs(const struct sample *s)
{
	return (__u32)s->n_words + s->n_user + s->n_resume_words + s->n_resume;
}

/* Index of the C part's registers in pcs[]. */
static inline __u32 sample_c_at(const struct sample *s)
{
	return sample_user_pcs(s) + s->n_kernel + (s->n_label_bytes + 7u) / 8;
}

static inline __u32 sample_handler_at(const struct sample *s)
{
	return sample_c_at(s) + s->n_c_words;
}

/* Length of pcs[]. */
static inline __u32 sample_words(const struct sample *s)
{
	return sample_handler_at(s) + s->n_handler_words;
}

/* Names a file for the kernel side. Opaque to user space, which gets it in RECORD_IMAGE. */
struct exe_key {
	__u64 ino, size;
	__u32 dev, generation;
};

/* A key for one image of a process instead of a file. */
static inline struct exe_key exe_key_image(__u32 tgid, image_id image)
{
	return (struct exe_key){ .ino = image, .size = tgid, .dev = ~0u };
}

struct image_record {
	__u32 type; /* RECORD_IMAGE */
	__u32 tgid;
	image_id image;
	struct exe_key exe; /* zero: file not known */
	/* samples of this process that were not sent, mostly of its last program */
	__u64 unsent;
	/* Where the program's lowest executable segment is in this process: the segment's
	 * address in the file plus the load bias. 0: not known. */
	__u64 start_code;
	__u64 vdso;       /* address of the vDSO in this process; 0: it has none */
	__u32 executable; /* enum executable_state: what the kernel side takes it for */
	__u32 given;      /* user space has looked at this image and added its row */
	char comm[16];
};

struct exit_record {
	__u32 type; /* RECORD_EXIT */
	__u32 tgid;
	image_id image;
	__u64 unsent; /* samples not sent since its last record */
	char comm[16];
};

/* The calls of one thread within a second are more than max_rate: neither this one nor the
 * next ones are taken until that second has passed. */
struct hot_record {
	__u32 type; /* RECORD_HOT */
	__u32 calls;
	__u64 ip; /* the function */
	__u64 ns; /* the time they took */
};

/* A part of Go's code. start is relative to layout.text. */
struct text_range {
	__u32 start, len;
};

enum { BP_DATA_RANGES = 16 };

/*
 * Where the Go runtime of one build of a program keeps what we read. Offsets in bytes;
 * those of g.stack (0) and g.m (48) are the same in every version. Filled by
 * profiler/goruntime/golayout.c.
 */
struct layout {
	__s64 tls_g; /* slot of g relative to the thread pointer; usually -8 */
	__u32 ok;    /* 0: not known; no goroutines for this image */
	__u32 g_syscallsp, g_goid, g_gopc, g_startpc;
	__u32 g_parent_goid; /* 0: no such field */
	__u32 m_procid;      /* followed by m.gsignal */
	__u32 m_curg;
	__u32 m_extra_in_c;  /* u8; 0: no such field */
	__u32 m_ncgo;        /* i32; 0: not known */
	__u32 old_prologue;  /* needs LEAF_WORDS_OLD */
	__u32 g_labels;      /* pointer to the labels set by pprof.Do() */
	__u32 labels_list;   /* they are a slice (Go 1.24), not a map */
	__u32 g_in_register; /* g is in x28 (arm64 without cgo), not in the slot */
	__u32 g_schedbp;     /* frame pointer; sched.sp and pc are at 56 and 64 always */
	__u32 cgocall_frame; /* from SP at cgocall's call to its frame pointer; 0: at SP */
	__u32 m_vdsosp;      /* followed by m.vdsoPC */
	__u32 g_lockedm;     /* the thread it is locked to */
	/* Go's code: its address in the process if the layout is `own`, else relative to
	 * where the process's code starts (mm->start_code). */
	__u64 text;
	/* assembly that may hold data in the frame pointer: first to last of bp_data */
	struct text_range bp_data_all;
	struct text_range cgocallback; /* len 0: not known */
	__u32 text_len;
	__u32 pad;
	struct text_range bp_data[BP_DATA_RANGES]; /* sorted; unused ones have len 0 */
};

enum executable_state {
	EXE_UNKNOWN = 0, /* user space has not looked at it yet; also if absent */
	EXE_NOT_GO,
	EXE_GO, /* layout is valid */
};

/* Value of `executables`, key struct exe_key. */
struct executable {
	__u32 state;     /* enum executable_state */
	__u32 one_image; /* the layout is of one process image, not of its file */
	struct layout layout;
};

enum process_flags {
	PROCESS_WANTED = 1 << 0, /* recorded even if it is not Go (-p) */
	PROCESS_CHILDREN =
		1 << 1, /* launched (-- COMMAND): children count, and what it loads */
	PROCESS_GIVEN = 1 << 2, /* user space has looked at its program */
};

/* Value of `processes`, key tgid. User space adds rows with image 0; the kernel side
 * maintains them. */
struct process_entry {
	image_id image;
	__u64 mm;      /* address space of this image; a different one means exec */
	__u64 exec_vm; /* pages of mapped code when RECORD_IMAGE was last sent */
	struct executable executable;  /* copied here to save a lookup */
	struct exe_key exe, image_key; /* image_key: see exe_key_image() */
	__u64 unsent;     /* samples not sent because it is not Go, and not yet reported */
	__u64 start_code; /* as in struct image_record */
	__u32 flags;
	__u32 pad;
};

/* Counters, one row per CPU in the map `counters`. */
enum counter {
	COUNT_RING_FULL,      /* samples lost because the reader was late */
	COUNT_TABLE_FULL,     /* samples lost because `processes` was full */
	COUNT_STACK_FAULT,    /* samples whose user stack ends at an unreadable address */
	COUNT_G_FAULT,        /* samples whose g could not be read or trusted */
	COUNT_SCRATCHES_FULL, /* calls lost: too many were taken at a time on a CPU */
	COUNT_RESTART_LOST,   /* functions that began again and count as two calls */
	COUNT_SUMS_FULL,      /* calls lost because `call_sums` was full */
	/* pairs of goroutine and function of which no CALL_FIRST could be sent (yet) */
	COUNT_FIRST_LOST,
	COUNT_MAX,
};

/* Calls that are added up: the map `call_sums`. */
struct call_key {
	__u64 ip, goid; /* as of struct sample */
	image_id image;
	__u64 labels; /* key of the map `label_sets`, which has their bytes; 0: none */
	__u32 flags;
	__u32 tid; /* 0: threads are not told apart */
};

/* A function that a goroutine has called: the map `firsts`. */
struct first_key {
	__u64 ip, goid; /* as of struct sample */
	image_id image;
};

struct call_sum {
	__u64 calls;
	__u64 startpc, gopc, parent_goid; /* as of struct sample */
	__u32 tgid, n_label_bytes;
};

/* Scratches per CPU for calls: a thread that is preempted in the middle of a hit keeps its
 * own, and the next one needs another. */
enum { CALL_SCRATCHES = 4 };

/* The cookie of a probe: the length of its function, or CALL_NEWSTACK for runtime.newstack,
 * and above bit CALL_TAG_SHIFT the tag of the link that it is of. */
enum { CALL_TAG_SHIFT = 56, CALL_NEWSTACK = 0x7fffffff };
