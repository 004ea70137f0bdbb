/* SPDX-License-Identifier: BSD-2-Clause */
/* Why an incomplete stack ends where it does, or has a gap. */
#pragma once

/* In the order of precedence, but BARE comes after DEEP. Recordings hold these numbers:
 * never renumber. */
enum stack_end {
	END_OTHER = 0,
	END_DEEP = 1,  /* it has more frames than are recorded */
	END_FAULT = 2, /* memory could not be read */
	/* in code other than Go without unwind tables, or where C calls Go */
	END_NATIVE = 3,
	END_BROKEN = 4, /* at an invalid frame pointer or return address */
	END_BARE = 5,   /* in code of no file, which Go's runtime does not know either */
	END_MAX
};

/* What follows "ends": "where memory could not be read". */
extern const char *const stack_end_texts[END_MAX];
