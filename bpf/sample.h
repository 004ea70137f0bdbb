/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel side and user space say to each other: the one header that both include.
 *
 * Up come records; each starts with its type:
 *   RECORD_SAMPLE	a thread of a followed process was on a CPU when the clock struck
 *   RECORD_IMAGE	a process was seen for the first time, executed another program, or
 *			mapped other code since it was last sampled
 *   RECORD_EXIT	the last thread of a followed process has ended
 * Samples come through `rings`, one ring buffer per CPU, since CPUs that share one wait for each
 * other's cache lines; they never wake the reader. The other two come through `control`, and do. A
 * process's RECORD_IMAGE is there before the first sample that needs it.
 *
 * Down go two maps: `processes` (whom to follow) and `executables` (where a program keeps its
 * goroutines, so that the second process of a known one needs nobody).
 */
#ifndef BPF_SAMPLE_H
#define BPF_SAMPLE_H

#include <linux/types.h>

enum {
	MAX_USER_PCS = 1024, /* the rest, at the root, is cut off: SAMPLE_CUT */
	MAX_KERNEL_PCS = 127,
	/* Stack words copied from SP with every sample: enough to reach a leaf's return address.
	 * Up to Go 1.20 a prologue makes room for the frame before it saves the frame pointer,
	 * and functions without a frame call others. */
	LEAF_WORDS = 9,
	LEAF_WORDS_OLD = 128,
	RESUME_WORDS_OLD = 32,
	/* copied instead where the frame pointer may hold data, or leads off the stack */
	COPY_WORDS = 4096,
	CHAIN_LINKS = 64, /* marks with their operands, in the chains of one sample */
	/* words and return addresses, of both stacks of a sample */
	MAX_USER_WORDS = 2 * COPY_WORDS + MAX_USER_PCS + CHAIN_LINKS,
	LABEL_BYTES = 4096,
	C_REGS = 17,              /* of struct cstack */
	C_BYTES = 64 << 10,       /* of stack, where C was called */
	C_BYTES_VDSO = 1 << 10,   /* ... from the vDSO to nanotime1 and the like */
	HANDLER_BYTES = 32 << 10, /* of a signal handler */
};

/*
 * A chain: what following frame pointers from one address on has found. Each entry is a return
 * address, with the distance from its frame record to the next one, in words, above bit
 * CHAIN_PC_BITS: so user space knows where each record was, and can tell by pclntab whether
 * that is where the function keeps it. Distance 0: the last record. CHAIN_NO_RECORD: the entry
 * was not read from a frame record, and the record of the entry after it stays the next.
 *
 * Values below CHAIN_MARKS are no return addresses but say how the chain goes on:
 *   CHAIN_CALLBACK fp		the last entry is in cgocallback, whose frame record leads into
 *				C's stack. The chain goes on at fp, below cgocallback's frame.
 *   CHAIN_WORDS addr n fp		the chain left the stack. n words of the stack from addr on
 *				follow; then, if fp is not 0, the chain goes on at fp, which may
 *				be anywhere in or above these words.
 */
enum chain_mark { CHAIN_CALLBACK, CHAIN_WORDS, CHAIN_MARKS };
enum { CHAIN_PC_BITS = 47, CHAIN_NO_RECORD = (1 << 17) - 1 };

static inline __u64 chain_pc(__u64 entry)
{
	return entry & ((1ull << CHAIN_PC_BITS) - 1);
}

/* In bytes. */
static inline __u64 chain_distance(__u64 entry)
{
	return entry >> CHAIN_PC_BITS << 3;
}

enum record_type { RECORD_SAMPLE = 1, RECORD_IMAGE, RECORD_EXIT };

/* One program in one process: changes with exec and when a pid is used again. Start time of the
 * process in ns plus the number of its execs. 0: not known yet. */
typedef __u64 image_id;

enum sample_flags {
	SAMPLE_KERNEL = 1 << 0,    /* the CPU was in kernel mode */
	SAMPLE_STARTING = 1 << 1,  /* layout not known yet, or no TLS set up */
	SAMPLE_NO_LAYOUT = 1 << 2, /* user space knows no layout for this image */
	SAMPLE_G_FAULT = 1 << 3,   /* g, m or curg unreadable, or contradictory */
	SAMPLE_NO_G = 1 << 4,      /* the slot holds 0, or its m is out in C for good */
	SAMPLE_GSIGNAL =
		1 << 5,      /* a signal handler runs; what it interrupted is not known */
	SAMPLE_G0 = 1 << 6,  /* ... on its scheduler stack */
	SAMPLE_CGO = 1 << 7, /* m.ncgo > 0 and curg is in a system call */
	SAMPLE_CUT = 1 << 8, /* more than MAX_USER_PCS frames */
	SAMPLE_STACK_FAULT = 1 << 9, /* a frame could not be read; the stack ends there */
	SAMPLE_LABELS_CUT = 1 << 10, /* the goroutine has more labels */
	SAMPLE_CGO_SOON = 1 << 11,   /* as CGO, but still or again on its own stack */
	SAMPLE_LOCKED = 1 << 12,     /* the goroutine is locked to its thread */
	SAMPLE_VDSO = 1 << 13,       /* m.vdsoSP is set: around a call of the vDSO */
	/* A signal handler runs. All of the sample is of what it has interrupted, but for what
	 * says that it is of the handler. */
	SAMPLE_HANDLER = 1 << 14,
};

/* Where a goroutine's own stack goes on below what is sampled on another one. */
enum resume {
	RESUME_NONE,
	RESUME_SCHED, /* at g.sched: systemstack, morestack or asmcgocall left it there */
	RESUME_VDSO,  /* at m.vdsoPC, m.vdsoSP */
	/* Assembly has switched to the thread's stack and noted that down nowhere: racecall and the
	 * like keep SP in R12. What follows are words of the goroutine's stack, up to its end. */
	RESUME_SWITCHED,
};

/* In the numbers that stand before a label. */
enum label_bits {
	LABEL_LEN = 0x1fff,
	LABEL_AT =
		0x8000, /* the address of the bytes stands for them: they could not be read */
	LABEL_CUT = 0x4000, /* a value of which these are but the first bytes */
};

/*
 * Variable length. pcs[] holds, one after the other:
 *
 *   n_words		words of the stack from sp on
 *   n_user		the chain from chain_fp on
 *   n_resume_words	words of the goroutine's own stack from resume_sp on
 *   n_resume		the chain from resume_chain_fp on
 *   n_kernel		kernel addresses, leaf first
 *   n_label_bytes	the goroutine's labels, padded to a multiple of 8 bytes. For each, two
 *			16-bit numbers, not aligned: the lengths of key and value; then those.
 *   n_c_words		where C runs or has called Go back: all registers, as in
 *			profiler/unwind/cunwind.h, and the thread's own stack from c_sp on
 *   n_handler_words	the registers of the signal handler, in the same order, and its stack from
 *			SP to handler_uc
 */
struct sample {
	__u32 type;      /* RECORD_SAMPLE */
	__u32 tgid, tid; /* in the pid namespace of user space */
	__u32 cpu;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 weight;  /* CPU time that it stands for, in ns */
	image_id image;
	__u64 goid;          /* 0: no goroutine, the flags say why */
	__u64 parent_goid;   /* 0: none, or Go before 1.21 */
	__u64 startpc, gopc; /* start function; return address of the go statement */
	__u64 ip, sp, fp;    /* user registers, also when the CPU was in the kernel */
	__u32 flags;
	__u16 n_words;  /* those that could not be read are 0 */
	__u16 n_user;   /* entries and marks, callee first; without ip */
	__u16 n_kernel; /* kernel addresses, leaf first */
	__u16 resume;   /* enum resume */
	__u16 n_resume_words, n_resume;
	__u16 n_label_bytes;
	__u16 n_c_words;       /* 0, or C_REGS and more */
	__u16 n_handler_words; /* 0: not readable, or too many; else C_REGS and more */
	__u16 pad;
	/* The kernel's struct ucontext of what the handler has interrupted: where SP is when that
	 * has returned. As found by its looks: it is true if the handler's stack leads there. */
	__u64 handler_uc;
	__u64 resume_pc, resume_sp, resume_fp;
	__u64 chain_fp, resume_chain_fp; /* addresses of the chains' first frame records */
	__u64 c_sp; /* of the first word behind the registers: sp when C runs, else g0_sp */
	__u64 g0_sp; /* where the last call back from C left the thread's stack, in cgocallback; or 0 */
	/* The frame record of sigpanic, if it is in a chain, else 0; and the word above it: a function
	 * without a frame that appears to have called sigpanic has its return address there. */
	__u64 sigpanic_fp, above_sigpanic;
	__u64 pcs[];
};

/* Of the user's part of pcs[]; the kernel's follows. */
static inline __u32 sample_user_pcs(const struct sample *s)
{
	return (__u32)s->n_words + s->n_user + s->n_resume_words + s->n_resume;
}

/* Of pcs[] before the registers. */
static inline __u32 sample_c_at(const struct sample *s)
{
	return sample_user_pcs(s) + s->n_kernel + (s->n_label_bytes + 7u) / 8;
}

static inline __u32 sample_handler_at(const struct sample *s)
{
	return sample_c_at(s) + s->n_c_words;
}

/* All of pcs[]. */
static inline __u32 sample_words(const struct sample *s)
{
	return sample_handler_at(s) + s->n_handler_words;
}

/* Names a file to the kernel side; opaque to user space, which gets it in RECORD_IMAGE. */
struct exe_key {
	__u64 ino, size;
	__u32 dev, generation;
};

/* The same for one image of a process. */
static inline struct exe_key exe_key_own(__u32 tgid, image_id image)
{
	return (struct exe_key){ .ino = image, .size = tgid, .dev = ~0u };
}

struct image_record {
	__u32 type; /* RECORD_IMAGE */
	__u32 tgid;
	image_id image;
	struct exe_key exe; /* zero: the file is not known */
	__u64 left_out; /* samples of the process, of the image before, that were not sent */
	/* Where the lowest executable segment of the program is in this process: the segment's address in
	 * the file plus the load bias. 0: not known. */
	__u64 start_code;
	__u64 vdso;       /* where the vDSO is in this process; 0: it has none */
	__u32 executable; /* enum executable_state: what the kernel side takes it for */
	__u32 given;      /* it is the image that user space has looked at and given */
	char comm[16];
};

struct exit_record {
	__u32 type; /* RECORD_EXIT */
	__u32 tgid;
	image_id image;
	__u64 left_out; /* as above */
	char comm[16];
};

/* A part of Go's code; start counts from layout.text. */
struct text_range {
	__u32 start, len;
};

enum { BP_DATA_RANGES = 16 };

/*
 * Where the Go runtime keeps what we read, by build of a program. Offsets in bytes; those of
 * g.stack (0) and g.m (48) are the same in every version. Filled by profiler/goruntime/golayout.c.
 */
struct layout {
	__s64 tls_g; /* the slot of g, from the thread pointer; usually -8 */
	__u32 ok;    /* 0: not known, no goroutines for this image */
	__u32 g_syscallsp, g_goid, g_gopc, g_startpc;
	__u32 g_parent_goid; /* 0: no such field */
	__u32 m_procid;      /* m.gsignal follows it */
	__u32 m_curg;
	__u32 m_extra_in_c;  /* u8; 0: no such field */
	__u32 m_ncgo;        /* i32; 0: not known */
	__u32 old_prologue;  /* LEAF_WORDS_OLD are needed */
	__u32 g_labels;      /* pointer to what pprof.Do() has set */
	__u32 labels_list;   /* ... which is a slice (Go 1.24), not a map */
	__u32 g_in_register; /* g is in x28 (arm64 without cgo), and not in the slot */
	__u32 g_schedbp; /* frame pointer; sched.sp and pc are at 56, 64 in all versions */
	__u32 cgocall_frame; /* from SP where cgocall calls C to its frame pointer; 0: it is there */
	__u32 m_vdsosp;  /* m.vdsoPC follows it */
	__u32 g_lockedm; /* the thread that it is locked to */
	/* Go's code. Of an `own` layout the address in the process; else counted from where the
	 * process's code starts (mm->start_code). */
	__u64 text;
	/* Assembly that may hold data in the frame pointer: from the first of bp_data to the last */
	struct text_range bp_data_all;
	struct text_range cgocallback; /* len 0: not known */
	__u32 text_len;
	__u32 pad;
	struct text_range bp_data[BP_DATA_RANGES]; /* in order; unused ones have len 0 */
};

enum executable_state {
	EXE_UNKNOWN = 0, /* user space has not looked yet; also when absent */
	EXE_NOT_GO,
	EXE_GO, /* layout counts */
};

/* Value of `executables`, key struct exe_key. */
struct executable {
	__u32 state; /* enum executable_state */
	__u32 own; /* the layout is of one process: others of its executable have another */
	struct layout layout;
};

enum process_flags {
	PROCESS_WANTED = 1 << 0, /* recorded even when it is not Go (-p) */
	PROCESS_CHILDREN =
		1 << 1, /* launched (-- CMD): its children, and what it loads, count too */
	PROCESS_GIVEN = 1 << 2, /* user space has looked at the program that it runs */
};

/* Value of `processes`, key tgid. User space adds rows with image 0; the kernel side keeps them. */
struct process_entry {
	image_id image;
	__u64 mm;      /* address space of this image: another one means exec */
	__u64 exec_vm; /* pages of mapped code when RECORD_IMAGE was last sent */
	struct executable executable; /* here too, for the sake of speed */
	struct exe_key exe, own;      /* own: as exe_key_own() */
	__u64 left_out;   /* samples not sent since it is not Go, and not yet told of */
	__u64 start_code; /* as in struct image_record */
	__u32 flags;
	__u32 pad;
};

/* Counters, one row per CPU in the map `counters`. */
enum counter {
	COUNT_RING_FULL,   /* samples lost because the reader was late */
	COUNT_TABLE_FULL,  /* samples lost because `processes` was full */
	COUNT_STACK_FAULT, /* samples whose user stack ends at an unreadable address */
	COUNT_G_FAULT,     /* samples whose g could not be read or trusted */
	COUNT_MAX,
};

#endif
