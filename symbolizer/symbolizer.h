/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses to frames.
 *
 * A symbolizer owns modules (one per ELF file, whoever maps it) and the kernel's symbols; a space is
 * what one image of one process has mapped. Modules are found, opened and pinned when the space is
 * read, so that their names survive the process; each address is resolved once per module. What "stays with
 * the symbolizer" is there until symbolizer_sweep() finds it unmarked.
 *
 * A process may be gone before its space can be read: functions that ask a space something take
 * NULL for one of which nothing is known.
 */
#ifndef SYMBOLIZER_SYMBOLIZER_H
#define SYMBOLIZER_SYMBOLIZER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/frame.h"

struct object;
struct strtab;
struct symbolizer;
struct space;

enum { FRAMES_AT_PC = 64 }; /* the most frames one address expands to */

/* strs outlives the symbolizer; all strings of frames go there. */
int symbolizer_open(struct symbolizer **ret, struct strtab *strs);
void symbolizer_close(struct symbolizer *s);

/* Reads /proc/PID/maps, opens what is mapped executable. -ESRCH, -EACCES, … of /proc. */
int space_open(struct space **ret, struct symbolizer *s, pid_t pid);
/* Reads the maps again, for code that was mapped since. On error the space stays as it was. */
int space_refresh(struct space *sp);
void space_close(struct space *sp);

/* What a space was started from, and its Go, which may be a library. Strings live as long as the
 * symbolizer's strs. */
struct go_program {
	struct object *
		exe; /* what it was started from; NULL: cannot be read. Of the symbolizer */
	const char *path;     /* as the process sees it */
	const char *build_id; /* hex, "" when it has none */
	const char *version;  /* "go1.22.3"; NULL: no Go program, or of 32 bits */
	const char *
		why; /* why its functions have no names, or why it is not supported (a static
			  * string); NULL: they do */
	bool packed; /* it may unpack a Go program into its memory */
};
void space_program(const struct space *sp, struct go_program *ret);
/* A Go runtime in a process: of its program, of what that unpacked, or of a library. */
struct go_runtime {
	struct object *object; /* lives as long as the space */
	uint64_t bias; /* addresses in the process are those of the file plus bias */
};
enum { RUNTIMES_MAX = 4 }; /* of one process, that are told apart */
/* The n-th runtime of the space; NULL: it has no more. The program's is the first, else the order is that in
 * which they were seen, and stays. Lives as long as the space. */
const struct go_runtime *space_runtime(const struct space *sp, uint32_t n);
/* How many there are, which may be more than RUNTIMES_MAX. */
uint32_t space_runtimes(const struct space *sp);
/* The object of the first runtime; without any, the program or the first library that has a table of Go
 * functions. NULL: none. bias as above. */
const struct object *space_go(const struct space *sp, uint64_t *bias);
/* The len bytes that a Go module has at addr in memory that the process cannot write to. NULL: none does. */
const void *space_constant(const struct space *sp, uint64_t addr, size_t len);
/* Same for a file, without a process: what /proc/PID/exe is before anything is followed.
 * 0, or why the file cannot be read as ELF. */
int symbolizer_program(struct symbolizer *s, int fd, struct go_program *ret);

/*
 * Frames at a user address, innermost first, from 1 to cap; addr is looked up as it is: for a return
 * address pass addr - 1. What nothing names is one FRAME_UNNAMED (or FRAME_VDSO); an address that is not mapped
 * has module 0, and sets *unmapped when that is not NULL.
 */
int symbolizer_user(struct symbolizer *s, struct space *sp, uint64_t addr,
		    struct frame *out, int cap, bool *unmapped);
/*
 * Code that is in no file comes and goes, and gets names while a program runs (added.h): what
 * symbolizer_user() says of it holds for one generation of the space.
 */
enum space_code { CODE_OF_FILE /* or nothing */, CODE_ADDED /* it has names */, CODE_BARE };
/* *since: before that moment, of CLOCK_MONOTONIC, addr may have been other code; 0: not that we know. */
enum space_code space_code(const struct space *sp, uint64_t addr, uint64_t *since);
uint32_t space_generation(const struct space *sp);
/* Has the code at addr changed since it got its names, or, with `lists`, has the program added some anywhere or
 * taken some back? That takes a system call, with `lists` one for some hundred modules. Then such code has no
 * names until space_refresh(). */
bool space_code_changed(struct space *sp, uint64_t addr, bool lists);
/* Are both addresses in one mapping of code that is in no file? */
bool space_same_code(const struct space *sp, uint64_t a, uint64_t b);
/* One kernel address: always one frame. */
int symbolizer_kernel(struct symbolizer *s, uint64_t addr, struct frame *out);

/* What the leaf repair asks of pclntab: the bytes between SP and the return address at pc.
 * false: pc is not in a Go function, or its table does not say. */
bool space_spdelta(struct space *sp, uint64_t pc, uint32_t *delta);
/* As gopclntab_pc(), of any Go module; remembered. */
struct go_pc;
bool space_go_pc(struct space *sp, uint64_t pc, struct go_pc *ret);
/* Where the function of a Go module that pc is in starts. false: pc is in none. */
bool space_entry(struct space *sp, uint64_t pc, uint64_t *entry);
/* Is pc in a function that sets SP otherwise than by pushes and the like (Go 1.17)? */
bool space_spwrite(struct space *sp, uint64_t pc);
/* Is pc inside the text of a Go module? */
bool space_is_go(struct space *sp, uint64_t pc);
/* What is mapped executable at addr, and where that is in its file. NULL: nothing. Lives as
 * long as the symbolizer. */
struct object *space_object(const struct space *sp, uint64_t addr, uint64_t *file_addr);
/* The function that a goroutine started at startpc really runs: wrappers (gowrap) are followed
 * to their target. Its full name in strs, 0 when unknown. */
uint32_t space_start_function(struct space *sp, uint64_t startpc);
/* Row id of frame.module: paths as the process saw them. Row 0 is no module. */
uint32_t symbolizer_modules(const struct symbolizer *s); /* how many rows */
/* *go_minor: 22 when Go 1.22 built it; 0: not Go. */
void symbolizer_module(const struct symbolizer *s, uint32_t id, const char **path,
		       const char **build_id, uint32_t *go_minor);
/* Reads the kernel's symbols now, and not in the middle of something urgent. */
void symbolizer_load_kernel(struct symbolizer *s);
/* How many files were truncated or rewritten while their names were read, so that some are missing. *path: of
 * one of them. */
uint32_t symbolizer_changed(const struct symbolizer *s, const char **path);
/* Looks whether n of the files have changed, in turns. How many have, as far as was noticed: names that were
 * given before should not be used any more. */
uint32_t symbolizer_check(struct symbolizer *s, uint32_t n);
/* NULL, or why kernel frames have no names (kallsyms hidden …), once one was asked for. */
const char *symbolizer_kernel_why(const struct symbolizer *s);

/* Have so many files been opened that some should be closed? */
bool symbolizer_crowded(const struct symbolizer *s);
/* What is in use: all that a space leads to, and the file of a program. */
void space_mark(struct space *sp); /* takes NULL */
struct go_program;
void program_mark(const struct go_program *p);
/* Closes files that were not marked since the last sweep, but for some that were asked for last; fn is told of
 * each before. Frames and the strings of a struct go_program stay. */
void symbolizer_sweep(struct symbolizer *s, void (*fn)(void *arg, const struct object *o),
		      void *arg);

/* A space without a process: all addresses are those of one file. The fd may be closed
 * afterwards. -ENOEXEC: not a file that elf_open() takes; -ENOTSUP: Go of 32 bits. */
int space_open_file(struct space **ret, struct symbolizer *s, int fd);
/* The file that a process was started from; NULL: it cannot be read. Stays with the symbolizer. */
struct object *space_exe(const struct space *sp);
/* What the kernel side has told of a process that is gone by now. */
struct gone {
	struct object *exe; /* that it was started from; of the symbolizer */
	uint64_t
		start_code; /* where it had the lowest executable segment of exe; 0: not known */
	uint64_t vdso;      /* where it had the vDSO; 0: nowhere */
};
/* A space of a process that is gone: its program and the vDSO, without libraries. -ENOTSUP: exe is no Go
 * program, or cannot have been loaded there. */
int space_open_gone(struct space **ret, struct symbolizer *s, const struct gone *gone);
/* The functions of the program by each source of names, best first, as resolver.h's each;
 * of later ones only what is no Go code. */
struct func;
int space_functions(const struct space *sp, int (*fn)(void *arg, const struct func *f),
		    void *arg);

#endif
