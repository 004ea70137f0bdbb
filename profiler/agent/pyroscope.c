/* SPDX-License-Identifier: BSD-2-Clause */
/* Pyroscope's push.v1: pprof files with the labels of a series, one in a request, so that
 * what a server says is of that one. It knows the label span_id, and makes no series of
 * it. */
#include "profiler/agent/receiver.h"
#include "profiler/agent/series.h"
#include "profiler/base/buf.h"
#include "push.pb-c.h"

static void body(const struct item *it, struct buf *to)
{
	struct series s;
	Push__LabelPair labels[SERIES_LABELS], *rows[SERIES_LABELS];
	Push__RawSample sample = PUSH__RAW_SAMPLE__INIT, *samples = &sample;
	Push__RawProfileSeries series = PUSH__RAW_PROFILE_SERIES__INIT, *all = &series;
	Push__PushRequest request = PUSH__PUSH_REQUEST__INIT;
	size_t n;

	series_of(it, &s);
	for (uint32_t i = 0; i < s.n; i++) {
		push__label_pair__init(&labels[i]);
		labels[i].name = (char *)(uintptr_t)s.labels[i].name;
		labels[i].value = (char *)(uintptr_t)s.labels[i].value;
		rows[i] = &labels[i];
	}
	sample.raw_profile = (ProtobufCBinaryData){ it->len,
						    (uint8_t *)(uintptr_t)it->bytes };
	sample.id = (char *)(uintptr_t)it->id;
	series.n_labels = s.n;
	series.labels = rows;
	series.n_samples = 1;
	series.samples = &samples;
	request.n_series = 1;
	request.series = &all;
	n = push__push_request__get_packed_size(&request);
	push__push_request__pack(&request, buf_room(to, n));
	to->len += n;
}

const struct receiver_kind pyroscope_kind = {
	.scheme = "pyroscope+",
	.encoding = ENCODED_SPANS,
	.path = "/push.v1.PusherService/Push",
	.content_type = "application/proto",
	.headers = { "Connect-Protocol-Version: 1" },
	.body = body,
	.run = http_run,
};
