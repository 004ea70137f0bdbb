/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/profile/origin.h"

#include <string.h>

#include "profiler/profile/profile.h"
#include "symbolizer/frame.h"

/* Up to the first dot behind the last slash before any bracket. */
size_t origin_package_len(const char *func)
{
	size_t end = strcspn(func, "[("), slash = end;

	while (slash && func[slash - 1] != '/')
		slash--;
	return slash + strcspn(func + slash, ".");
}

static bool is_main(const char *func)
{
	return origin_package_len(func) == 4 && !strncmp(func, "main.", 5);
}

bool origin_is_standard(const char *func)
{
	size_t first = strcspn(func, "/"), package = origin_package_len(func);

	return !is_main(func) && !memchr(func, '.', first < package ? first : package);
}

enum origin origin_of(const struct profile *p, const struct frame *f)
{
	const struct module *m = &p->modules[f->module];
	const char *func = profile_string(p, f->func),
		   *own = profile_string(p, m->go_module);
	size_t n = strlen(own);

	if (!strncmp(func, FUNC_COPY, strlen(FUNC_COPY)))
		func += strlen(FUNC_COPY);
	if (f->kind == FRAME_NATIVE || f->kind == FRAME_KERNEL || !f->func)
		return ORIGIN_OTHER;
	if (is_main(func))
		return ORIGIN_OWN;
	if (n && !strncmp(func, own, n) && (func[n] == '/' || func[n] == '.'))
		return ORIGIN_OWN;
	return origin_is_standard(func) ? ORIGIN_STANDARD : ORIGIN_LIBRARY;
}
