#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""equal.py KIND DIR EXPORT… LABELS: are the profiles of DIR, which receiver.py or a real receiver
kept, together what the recordings hold, sample by sample, label by label? KIND is pyroscope, parca
or otlp. EXPORTs are pprof files that gostrobe export made of the recordings, of one process. LABELS:
those that were sent as strings. span_id and trace_id are those of links."""
import os
import sys
from collections import Counter

import wire

kind, kept, exports = sys.argv[1], sys.argv[2], sys.argv[3:-1]
labels = set(filter(None, sys.argv[-1].split(",")))
decode = {"pyroscope": wire.Push, "parca": wire.Write, "otlp": wire.Otlp}[kind]
if kind == "pyroscope":
    labels.add("span_id")
sent, recorded = (Counter(), Counter()), (Counter(), Counter())
series, links, links_recorded = set(), Counter(), Counter()
for name in os.listdir(kept):
    if len(name) not in (32, 36):
        continue
    with open(os.path.join(kept, name), "rb") as f:
        got = decode(f.read())
    series.add(tuple(sorted(got.labels.items())))
    p = got if kind == "otlp" else got.profile
    sent[0].update(p.count)
    sent[1].update(p.ns)
    if kind == "otlp":
        links.update(p.links)
    if p.types != [("samples", "count"), ("cpu", "nanoseconds")]:
        print("types", p.types)
    if any("left out" in c for c in p.comments):
        print("it names other processes:", p.comments)
for name in exports:
    with open(name, "rb") as f:
        p = wire.Profile(f.read())
    for i, values in enumerate((p.count, p.ns)):
        for (stack, of), n in values.items():
            if not i:
                all_of = dict(of)
                links_recorded[all_of.get("trace_id", ""), all_of.get("span_id", "")] += n
            of = tuple((k, v) for k, v in of if isinstance(v, int) and k.startswith("go") or k in labels)
            recorded[i][stack, of] += n
if len(series) != 1:
    print(f"{len(series)} series")
if sent != recorded:
    more, less = sent[0] - recorded[0], recorded[0] - sent[0]
    print(f"sent {sum(sent[0].values())} samples, recorded {sum(recorded[0].values())};"
          f" {sum(more.values())} only sent, e.g. {str(next(iter(more), ''))[-300:]};"
          f" {sum(less.values())} only recorded, e.g. {str(next(iter(less), ''))[-300:]}")
if kind == "otlp" and links != links_recorded:
    print(f"links {links}, recorded {links_recorded}")
if not sent[0]:
    print("no samples")
figures = f"{sum(sent[0].values())} samples in {len(sent[0])} stacks"
if len(links) > 1:
    figures += f", {len(links) - 1} spans"
print("figures", figures, "of", *(f"{k}={v}" for s in series for k, v in s))
