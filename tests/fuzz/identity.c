/* SPDX-License-Identifier: BSD-2-Clause */
/* The environment and the control groups of a process: what a stranger has put there. */
#include <stdlib.h>

#include "profiler/agent/identity.h"
#include "profiler/base/buf.h"
#include "profiler/profile/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const defaults[] = { "service.name", "program", NULL };
	static const char name[] = "OTEL_RESOURCE_ATTRIBUTES=";
	struct buf text = { 0 }, set = { 0 }, value = { 0 };
	struct buf path = { 0 }, unit = { 0 }, container = { 0 };
	struct cgroups g = { &path, &unit, &container, false };

	buf_add(&text, data, size);
	identity_encode(&text, defaults, &set);
	/* there is always a service, and the set can be read */
	if (labels_find(buf_text(&set), "service.name", 12, &value) == LABEL_NONE)
		abort();
	text.len = set.len = 0;
	buf_str(&text, name);
	buf_add(&text, data, size);
	identity_encode(&text, defaults, &set);
	if (labels_find(buf_text(&set), "service.name", 12, &value) == LABEL_NONE)
		abort();
	text.len = 0;
	buf_add(&text, data, size);
	cgroups_parse(&text, &g);
	if (g.container_is_id && container.len != 64)
		abort();
	buf_release(&text);
	buf_release(&set);
	buf_release(&value);
	buf_release(&path);
	buf_release(&unit);
	buf_release(&container);
	return 0;
}
