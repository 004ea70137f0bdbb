/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns addresses into frames.
 *
 * A symbolizer owns modules (one per ELF file, whoever maps it) and the kernel's symbols. A
 * space is what one image of one process has mapped. Modules are opened and pinned when a
 * space is read, so their names survive the process; each address is resolved once per
 * module. Objects stay with the symbolizer until symbolizer_sweep() finds them unmarked.
 *
 * A process may end before its space can be read: functions that query a space accept NULL
 * for an unknown one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolizer/frame.h"

struct object;
struct strtab;
struct symbolizer;
struct space;

enum { FRAMES_AT_PC = 64 }; /* maximum number of frames at one address */

/* Strings of frames are ids in strs, which must outlive the symbolizer. */
struct symbolizer *symbolizer_new(struct strtab *strs);
void symbolizer_close(struct symbolizer *s);
const char *symbolizer_string(const struct symbolizer *s, uint32_t id);
/* Goes on with another strs; the previous one may be freed afterwards. Frames and rows of
 * modules from before are void, and nothing remembers the addresses that were asked for. */
void symbolizer_renew(struct symbolizer *s, struct strtab *strs);

/* Reads /proc/PID/maps and opens everything that is mapped executable. -ESRCH, -EACCES or
 * another error of /proc. */
int space_open(struct space **ret, struct symbolizer *s, pid_t pid);
/* Reads the maps again, for code that was mapped since. On an error the space stays as it
 * was. */
int space_refresh(struct space *sp);
void space_close(struct space *sp);

/* The program that a space was started from, and its Go code, which may be in a library.
 * Strings live as long as exe and the space that they were asked of. */
struct go_program {
	struct object *exe;   /* its file, owned by the symbolizer; NULL: unreadable */
	const char *path;     /* as the process sees it */
	const char *build_id; /* hex; "": none */
	const char *version;  /* "go1.22.3"; NULL: not a Go program, or 32-bit */
	/* static: why its functions have no names, or why it is not supported;
	 * NULL: neither */
	const char *why;
	bool packed; /* it may unpack a Go program into its memory */
};
void space_program(const struct space *sp, struct go_program *ret);
/* A Go runtime in a process: in its program, in what that unpacked, or in a library. */
struct go_runtime {
	struct object *object; /* lives as long as the space */
	uint64_t bias;         /* address in the process = address in the file + bias */
};
enum { RUNTIMES_MAX = 4 }; /* runtimes of one process that are told apart */
/* The n-th runtime of the space; NULL: there are no more. The program's comes first, the
 * others in the order in which they were seen. Lives as long as the space. */
const struct go_runtime *space_runtime(const struct space *sp, uint32_t n);
/* The number of runtimes, which may be more than RUNTIMES_MAX. */
uint32_t space_runtimes(const struct space *sp);
/* The object of the first runtime; without any, the program or the first library with a
 * table of Go functions. NULL: none. bias as above. */
const struct object *space_go(const struct space *sp, uint64_t *bias);
/* The len bytes of a Go module at addr, if they are in read-only memory. NULL: no module
 * has them. */
const void *space_constant(const struct space *sp, uint64_t addr, size_t len);
/* The same for a file without a process, such as /proc/PID/exe before it is followed. 0, or
 * why the file cannot be read as ELF. */
int symbolizer_program(struct symbolizer *s, int fd, struct go_program *ret);

/*
 * Finds the frames at a user address, innermost first, and returns their number, from 1 to
 * cap. addr is looked up as it is: for a return address pass addr - 1. An address without a
 * name gives one FRAME_UNNAMED (or FRAME_VDSO); an address that is not mapped has module 0,
 * and sets *unmapped unless that is NULL.
 */
int symbolizer_user(struct symbolizer *s, struct space *sp, uint64_t addr,
		    struct frame *out, int cap, bool *unmapped);
/*
 * Code that is not in a file comes and goes, and may get names while a program runs
 * (added.h): a result of symbolizer_user() for it is valid for one generation of the space.
 */
enum space_code { CODE_OF_FILE /* or nothing */, CODE_ADDED /* it has names */, CODE_BARE };
enum space_code space_code(const struct space *sp, uint64_t addr);
uint32_t space_generation(const struct space *sp);
/* Has the code at addr changed since it got its names? With `lists`: or has the program
 * added or removed any such code? Takes a system call, with `lists` one for every few
 * hundred modules. If it returns true, this code has no names until space_refresh(). */
bool space_code_changed(struct space *sp, uint64_t addr, bool lists);
/* Are both addresses in the same mapping of code that is not in a file? */
bool space_same_code(const struct space *sp, uint64_t a, uint64_t b);
/* Resolves a kernel address to one frame. */
void symbolizer_kernel(struct symbolizer *s, uint64_t addr, struct frame *out);

/* All that unwinding needs to know about an address, in one look-up: as gopclntab_pc() of
 * the Go module there, and what the space knows. Cached. */
struct go_pc;
bool space_go_pc(struct space *sp, uint64_t pc, struct go_pc *ret);
/* Is pc inside the text of a Go module? */
bool space_is_go(struct space *sp, uint64_t pc);
/* The object that is mapped executable at addr, and the address in its file. NULL: none.
 * Lives as long as the symbolizer. */
struct object *space_object(const struct space *sp, uint64_t addr, uint64_t *file_addr);
/* The function that a goroutine started at startpc really runs; wrappers (gowrap) are
 * followed to their target. Its full name in strs; 0: unknown. */
uint32_t space_start_function(struct space *sp, uint64_t startpc);
/* A row that frame.module refers to; row 0 is no module. Valid until the next frame. */
struct module_row {
	const char *path,
		*build_id;     /* the path as a process saw it; valid as other strings */
	const char *go_module; /* of gobuildinfo_module(); "" when not known */
	uint32_t go_minor;     /* 22 if Go 1.22 built it; 0: not Go */
	uint32_t pad;          /* rows are compared as bytes */
	struct text_pages text;
};
const struct module_row *symbolizer_module(const struct symbolizer *s, uint32_t id);
/* Reads the kernel's symbols now instead of in the middle of something urgent. */
void symbolizer_load_kernel(struct symbolizer *s);
/* The number of files that were truncated or rewritten while their names were read, so that
 * some names are missing. *path: one of them. */
uint32_t symbolizer_changed(struct symbolizer *s, const char **path);
/* Checks n of the files, in turns, for changes. Returns the number of files known to have
 * changed; do not use names from before a change any more. */
uint32_t symbolizer_check(struct symbolizer *s, uint32_t n);
/* Why kernel frames have no names (kallsyms hidden …), known after the first was requested;
 * or NULL. */
const char *symbolizer_kernel_why(const struct symbolizer *s);

/* Are so many files open that some should be closed? */
bool symbolizer_crowded(const struct symbolizer *s);
/* Marks everything that a space refers to as in use. */
void space_mark(struct space *sp); /* takes NULL */
/* As objects_rest(); once a second is often enough. */
void symbolizer_rest(const struct symbolizer *s);
/* Closes files that were not marked in_use since the last sweep, except for the most
 * recently used. fn is called for each before it is closed. Frames stay valid. */
void symbolizer_sweep(struct symbolizer *s, void (*fn)(void *arg, const struct object *o),
		      void *arg);

/* A space without a process: all addresses are those of one file. The fd may be closed
 * afterwards. -ENOEXEC: not a file for elf_open(); -ENOTSUP: 32-bit Go. */
int space_open_file(struct space **ret, struct symbolizer *s, int fd);
/* The file that a process was started from; NULL: unreadable. Owned by the symbolizer. */
struct object *space_exe(const struct space *sp);
/* What the kernel side reported of a process that has ended. */
struct gone {
	struct object *exe; /* the file it was started from, owned by the symbolizer */
	/* address of the lowest executable segment of exe; 0: unknown */
	uint64_t start_code;
	uint64_t vdso; /* address of the vDSO; 0: none */
};
/* A space for a process that has ended: its program and the vDSO, without libraries.
 * -ENOTSUP: exe is not Go, or cannot have been loaded there. */
int space_open_gone(struct space **ret, struct symbolizer *s, const struct gone *gone);
/* Calls fn for the functions of the program, by each source of names, best first, as
 * resolver.h's each. Later sources only give what is not Go code. */
struct func;
int space_functions(const struct space *sp, int (*fn)(void *arg, const struct func *f),
		    void *arg);
