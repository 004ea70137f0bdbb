/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A moduledata and the regions of its table, as they are read from a process. Input: minor
 * version of Go, the lengths of the regions (u16 each, of functab and cutab in entries),
 * the address of the code, 16 bytes of header, then the regions.
 */
#include <string.h>

#include "profiler/base/strtab.h"
#include "symbolizer/gomodule.h"
#include "tests/fuzz/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(uint8_t *module, int word, uint64_t value)
{
	memcpy(module + 8 * word, &value, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	uint8_t module[GO_MODULE_BYTES] = { 0 };
	struct gopclntab like = { .quantum = 1 }, t;
	uint8_t minor = 18 + cursor_u8(&c) % 10;
	const uint8_t *header, *bytes;
	uint64_t sum = 0, len, text;
	struct go_module m;
	uint16_t n[MODULE_REGIONS];

	for (int i = 0; i < MODULE_REGIONS; i++) {
		n[i] = cursor_u16(&c);
		put(module, 2 + 3 * i, n[i]);
	}
	text = cursor_u64(&c);
	put(module, 20, text + cursor_u16(&c));
	put(module, 21, text + cursor_u16(&c));
	put(module, 22, text);
	header = cursor_bytes(&c, 16);
	like.minor = minor;
	like.format = minor < 20 ? FORMAT_118 : FORMAT_120;
	like.magic = minor < 20 ? 0xfffffff0 : 0xfffffff1;
	like.wrapper = 22;
	len = cursor_left(&c);
	bytes = cursor_bytes(&c, len);
	if (c.bad || !gomodule_parse(&m, &like, cursor_over(module, sizeof(module))))
		return 0;
	for (int i = 0; i < MODULE_REGIONS; i++)
		sum += m.regions[i].len;
	if (sum > len || gomodule_table(&t, &like, &m, bytes, header))
		return 0;
	if (gopclntab_funcdata_len(&t) < 1 << 16)
		t.funcdata = cursor_over(bytes, len);
	table_ask_all(&t, 64);
	return 0;
}
