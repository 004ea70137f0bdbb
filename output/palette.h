/* SPDX-License-Identifier: BSD-2-Clause */
/* What a frame is, for formats that colour frames or sort them into categories. */
#pragma once

#include <stdint.h>

struct view;

enum palette {
	PALETTE_OWN,      /* the program's own code, see profiler/profile/origin.h */
	PALETTE_LIBRARY,  /* other modules */
	PALETTE_STANDARD, /* the standard library without the runtime */
	PALETTE_RUNTIME,  /* also assembly functions without a package, such as memeqbody */
	PALETTE_GC,       /* the part of the runtime that collects garbage */
	PALETTE_KERNEL,
	PALETTE_NATIVE, /* C and the like */
	PALETTE_VDSO,
	PALETTE_UNNAMED, /* no name is known, or the frames here were cut */
	PALETTE_MAX
};

/* For people: "Own code", "Kernel" … */
extern const char *const palette_names[PALETTE_MAX];

/* row: as view_stack() stores it. */
enum palette palette_of(const struct view *v, uint32_t row);
