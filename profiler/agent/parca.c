/* SPDX-License-Identifier: BSD-2-Clause */
/* Parca's WriteRaw, by gRPC: pprof files with the labels of a series, one in a request.
 * String labels of samples make series there too, so the ids of spans are left out. */
#include "profiler/agent/receiver.h"
#include "profiler/agent/series.h"
#include "profiler/base/buf.h"
#include "parca.pb-c.h"

static void body(const struct item *it, struct buf *to)
{
	struct series s;
	Parca__Label labels[SERIES_LABELS], *rows[SERIES_LABELS];
	Parca__LabelSet set = PARCA__LABEL_SET__INIT;
	Parca__RawSample sample = PARCA__RAW_SAMPLE__INIT, *samples = &sample;
	Parca__RawProfileSeries series = PARCA__RAW_PROFILE_SERIES__INIT, *all = &series;
	Parca__WriteRawRequest request = PARCA__WRITE_RAW_REQUEST__INIT;
	size_t n;

	series_of(it, &s);
	for (uint32_t i = 0; i < s.n; i++) {
		parca__label__init(&labels[i]);
		labels[i].name = (char *)(uintptr_t)s.labels[i].name;
		labels[i].value = (char *)(uintptr_t)s.labels[i].value;
		rows[i] = &labels[i];
	}
	set.n_labels = s.n;
	set.labels = rows;
	sample.raw_profile = (ProtobufCBinaryData){ it->len,
						    (uint8_t *)(uintptr_t)it->bytes };
	series.labels = &set;
	series.n_samples = 1;
	series.samples = &samples;
	request.n_series = 1;
	request.series = &all;
	request.normalized = true;
	/* gRPC: not compressed, the length, the message */
	n = parca__write_raw_request__get_packed_size(&request);
	buf_u8(to, 0);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_u8(to, (uint8_t)(n >> shift));
	parca__write_raw_request__pack(&request, buf_room(to, n));
	to->len += n;
}

const struct receiver_kind parca_kind = {
	.scheme = "parca+",
	.encoding = ENCODED_PPROF,
	.path = "/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw",
	.content_type = "application/grpc",
	.headers = { "TE: trailers" },
	.grpc = true,
	.body = body,
	.run = http_run,
};
