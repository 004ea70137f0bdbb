/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent counts, as text for Prometheus (exposition format 0.0.4). */
#pragma once

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct buf;
struct exporter;

/* With what /proc says of this process. From any thread. */
void metrics_add(struct exporter *x, struct buf *to);
/* One line of a metric without labels, after what it means. type: "counter" or "gauge". */
void metrics_one(struct buf *to, const char *name, const char *type, const char *help,
		 double value);
