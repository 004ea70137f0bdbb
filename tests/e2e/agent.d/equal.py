#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""equal.py DIR EXPORT… LABELS: are the profiles of DIR, which receiver.py or a real receiver kept,
together what the recordings hold, sample by sample, label by label? EXPORTs are pprof files that
gostrobe export made of the recordings, of one process. LABELS: those that were sent as strings."""
import os
import sys
from collections import Counter

import wire

kept, exports, labels = sys.argv[1], sys.argv[2:-1], set(filter(None, sys.argv[-1].split(",")))
sent, recorded = (Counter(), Counter()), (Counter(), Counter())
series = set()
for name in os.listdir(kept):
    if len(name) != 36:
        continue
    with open(os.path.join(kept, name), "rb") as f:
        push = wire.Push(f.read())
    series.add(tuple(sorted(push.labels.items())))
    sent[0].update(push.profile.count)
    sent[1].update(push.profile.ns)
    if push.profile.types != [("samples", "count"), ("cpu", "nanoseconds")]:
        print("types", push.profile.types)
    if any("left out" in c for c in push.profile.comments):
        print("it names other processes:", push.profile.comments)
for name in exports:
    with open(name, "rb") as f:
        p = wire.Profile(f.read())
    for i, values in enumerate((p.count, p.ns)):
        for (stack, of), n in values.items():
            of = tuple((k, v) for k, v in of if isinstance(v, int) and k.startswith("go") or k in labels)
            recorded[i][stack, of] += n
if len(series) != 1:
    print(f"{len(series)} series")
if sent != recorded:
    more, less = sent[0] - recorded[0], recorded[0] - sent[0]
    print(f"sent {sum(sent[0].values())} samples, recorded {sum(recorded[0].values())};"
          f" {sum(more.values())} only sent, e.g. {str(next(iter(more), ''))[-300:]};"
          f" {sum(less.values())} only recorded, e.g. {str(next(iter(less), ''))[-300:]}")
if not sent[0]:
    print("no samples")
figures = f"{sum(sent[0].values())} samples in {len(sent[0])} stacks"
print("figures", figures, "of", *(f"{k}={v}" for s in series for k, v in s))
