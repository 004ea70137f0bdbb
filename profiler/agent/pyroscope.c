/* SPDX-License-Identifier: BSD-2-Clause */
/* Pyroscope's push.v1: pprof files with the labels of a series, one in a request, so that
 * what a server says is of that one. */
#include <stdio.h>

#include "profiler/agent/item.h"
#include "profiler/agent/receiver.h"
#include "profiler/base/buf.h"
#include "push.pb-c.h"

enum { LABELS = 7 };

static void body(const struct item *it, struct buf *to)
{
	const struct origin *o = &it->origin;
	char pid[16];
	const char *const pairs[LABELS][2] = {
		{ "__name__", "process_cpu" },
		{ "container_id", o->container_id },
		{ "go_version", o->go_version },
		{ "host", o->host },
		{ "pid", pid },
		{ "program", o->program },
		{ "service_name", o->service },
	};
	Push__LabelPair labels[LABELS], *label_rows[LABELS];
	Push__RawSample sample = PUSH__RAW_SAMPLE__INIT, *samples = &sample;
	Push__RawProfileSeries series = PUSH__RAW_PROFILE_SERIES__INIT, *all = &series;
	Push__PushRequest request = PUSH__PUSH_REQUEST__INIT;

	snprintf(pid, sizeof(pid), "%u", o->pid);
	for (int i = 0; i < LABELS; i++) {
		if (!*pairs[i][1])
			continue;
		push__label_pair__init(&labels[i]);
		labels[i].name = (char *)(uintptr_t)pairs[i][0];
		labels[i].value = (char *)(uintptr_t)pairs[i][1];
		label_rows[series.n_labels++] = &labels[i];
	}
	sample.raw_profile = (ProtobufCBinaryData){ it->len,
						    (uint8_t *)(uintptr_t)it->bytes };
	sample.id = (char *)(uintptr_t)it->id;
	series.labels = label_rows;
	series.n_samples = 1;
	series.samples = &samples;
	request.n_series = 1;
	request.series = &all;
	push__push_request__pack(
		&request, buf_room(to, push__push_request__get_packed_size(&request)));
	to->len += push__push_request__get_packed_size(&request);
}

const struct receiver_kind pyroscope_kind = {
	.scheme = "pyroscope+",
	.path = "/push.v1.PusherService/Push",
	.content_type = "application/proto",
	.headers = { "Connect-Protocol-Version: 1" },
	.body = body,
	.run = http_run,
};
