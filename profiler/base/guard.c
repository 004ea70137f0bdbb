/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/guard.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static struct guard *guards;
static volatile sig_atomic_t faults;
static volatile sig_atomic_t depth; /* of guard_enter() calls */
static uintptr_t page;
static struct sigaction before; /* what is done about other ones */

/* Marks the mappings that contain this page. Are there any? */
static bool mark_changed(uintptr_t at)
{
	bool any = false;

	for (struct guard *g = guards; g; g = g->next)
		if (at - (uintptr_t)g->start < g->size)
			g->changed = any = true;
	return any;
}

/* Reads raise SIGBUS synchronously, so the lists are not being modified. */
static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);
	int err = errno;

	(void)context;
	if (info->si_code != BUS_ADRERR || (!mark_changed(at) && !depth) ||
	    mmap((void *)at, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		sigaction(sig, &before, NULL); /* the instruction is then executed again */
		if (info->si_code <= 0)
			raise(sig); /* unless somebody sent the signal */
		return;
	}
	faults = faults + 1;
	errno = err;
}

static uint8_t byte_at(const struct guard *g, size_t at)
{
	return *((const volatile uint8_t *)g->start + at);
}

static void install(void)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	if (!page) {
		page = (uintptr_t)sysconf(_SC_PAGESIZE);
		sigaction(SIGBUS, &action, &before);
	}
}

void guard_enter(void)
{
	install();
	depth = depth + 1;
}

void guard_leave(void)
{
	depth = depth - 1;
}

void guard_add(struct guard *g)
{
	install();
	g->next = guards;
	guards = g;
	if (!g->size || g->last_byte)
		return;
	for (g->last = g->size - 1; g->last % page && !byte_at(g, g->last);)
		g->last--;
	g->last_byte = byte_at(g, g->last);
}

void guard_remove(struct guard *g)
{
	struct guard **p = &guards;

	while (*p && *p != g)
		p = &(*p)->next;
	if (*p)
		*p = g->next;
}

/* The kernel fills the rest of the new last page with zeros, which raises no signal. */
bool guard_changed(struct guard *g)
{
	if (g->size && !g->changed && byte_at(g, g->last) != g->last_byte)
		g->changed = true;
	return g->changed;
}

unsigned guard_faults(void)
{
	return (unsigned)faults;
}
