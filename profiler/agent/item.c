/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/agent/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "profiler/base/arena.h"

/* Version 4 of RFC 9562. */
static void uuid(char to[37])
{
	uint8_t b[16] = { 0 };
	char *s = to;

	if (getrandom(b, sizeof(b), GRND_NONBLOCK) < 0)
		b[0] = 0; /* early in the boot; the receiver tells profiles apart anyway */
	b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
	for (int i = 0; i < 16; i++)
		s += sprintf(s, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			     b[i]);
}

struct item *item_new(enum encoding encoding, const struct origin *origin,
		      const void *bytes, size_t len)
{
	struct item *it = mem_zalloc(sizeof(*it) + len);

	it->refs = 1;
	it->encoding = (uint8_t)encoding;
	it->origin = (struct origin){
		.service = mem_strdup(origin->service),
		.host = mem_strdup(origin->host),
		.program = mem_strdup(origin->program),
		.container_id = mem_strdup(origin->container_id),
		.go_version = mem_strdup(origin->go_version),
		.attributes = mem_strdup(origin->attributes),
		.pid = origin->pid,
	};
	uuid(it->id);
	it->len = len;
	memcpy(it->bytes, bytes, len);
	return it;
}

struct item *item_share(struct item *it)
{
	it->refs++;
	return it;
}

void item_drop(struct item *it)
{
	const struct origin *o;

	if (!it || --it->refs)
		return;
	o = &it->origin;
	for (int i = 0; i < 6; i++)
		free((char *)(uintptr_t)(const char *[]){ o->service, o->host, o->program,
							  o->container_id, o->go_version,
							  o->attributes }[i]);
	free(it);
}

size_t item_size(const struct item *it)
{
	return sizeof(*it) + it->len + 256; /* and the strings */
}
