/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which function a goroutine runs. The one that it began in (goroutine.start) often says
 * little: it merely calls a function that was handed to it, as the closure of
 * sync.(*WaitGroup).Go does. Such a function is a starter, and the goroutine is named after
 * the function that the starter called.
 *
 * Some starters are known by name: those of the standard library and of errgroup, and the
 * wrappers that the compiler makes for go statements. Others are recognized by the stacks
 * of the recording. A closure is a starter if
 *
 * - several goroutines begin in it (or a known starter called it),
 * - each of them goes on in one and the same function, and these functions differ,
 * - one and the same place in it calls them all, as a call of a function value does,
 * - if its calls did not depend on the goroutine, chance would show this picture less than
 *   once in 10,000 recordings,
 * - it takes hardly any time itself, and it does not belong to the standard library.
 *
 * A worker that takes tasks in a loop looks the same while each goroutine is in one task.
 * So only goroutines count that were seen for a second or more, and functions with a name,
 * as such workers mostly are, are not starters.
 */
#pragma once

#include <stdint.h>

struct profile;
struct starts;

/* Decides over all profiles together, so that names agree between them. */
struct starts *starts_new(const struct profile *const *profiles, uint32_t n);
void starts_free(struct starts *s); /* takes NULL */

/* For each row of p->goroutines the function that it runs: a string of p; goroutine.start
 * when no sample tells. p is one of the profiles. The caller frees the array. */
uint32_t *starts_of(const struct starts *s, const struct profile *p);
