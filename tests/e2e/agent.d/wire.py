# SPDX-License-Identifier: BSD-2-Clause
"""Decodes protocol buffers as far as the tests need: profile.proto and what wraps it. It knows
nothing of gostrobe's own code."""
import gzip
import hashlib
from collections import Counter


def fields(data):
    """Each field: its number and its value, an int or bytes."""
    at = 0

    def varint():
        nonlocal at
        shift = value = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 1:
            yield key >> 3, int.from_bytes(data[at:at + 8], "little")
            at += 8
        elif key & 7 == 2:
            n = varint()
            if at + n > len(data):
                raise ValueError("a field is cut")
            yield key >> 3, data[at:at + n]
            at += n
        else:
            raise ValueError(f"wire type {key & 7}")


def every(data, number):
    return [v for n, v in fields(data) if n == number]


def one(data, number, default=0):
    found = every(data, number)
    return found[-1] if found else default


def numbers(data, number):
    """A repeated number, packed or not."""
    out = []
    for v in every(data, number):
        if isinstance(v, int):
            out.append(v)
            continue
        value = shift = 0
        for byte in v:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                out.append(value)
                value = shift = 0
    return out


class Profile:
    """A pprof file: samples is a Counter of (stack, labels) -> values summed up."""

    def __init__(self, packed):
        data = gzip.decompress(packed)
        strings = [s.decode() for s in every(data, 6)]
        assert strings[0] == ""
        functions = {one(f, 1): (strings[one(f, 2)], strings[one(f, 4)], one(f, 5)) for f in every(data, 5)}
        locations = {}
        for loc in every(data, 4):
            lines = [(functions[one(x, 1)], one(x, 2)) for x in every(loc, 4)]
            locations[one(loc, 1)] = (one(loc, 3), tuple(lines))
        self.types = [(strings[one(t, 1)], strings[one(t, 2)]) for t in every(data, 1)]
        self.start, self.duration, self.period = one(data, 9), one(data, 10), one(data, 12)
        self.comments = [strings[i] for i in numbers(data, 13)]
        self.count, self.ns = Counter(), Counter()
        for s in every(data, 2):
            stack = tuple(locations[i] for i in numbers(s, 1))
            labels = []
            for x in every(s, 3):
                value = strings[one(x, 2)] if one(x, 2) else one(x, 3)
                labels.append((strings[one(x, 1)], value))
            key = stack, tuple(sorted(labels, key=str))
            self.count[key] += numbers(s, 2)[0]
            self.ns[key] += numbers(s, 2)[1]


class Push:
    """A request of push.v1 with one profile."""

    def __init__(self, body):
        series, = every(body, 1)
        pairs = [(one(x, 1, b"").decode(), one(x, 2, b"").decode()) for x in every(series, 1)]
        self.labels = dict(pairs)
        assert len(self.labels) == len(pairs)
        sample, = every(series, 2)
        self.id = one(sample, 2, b"").decode()
        self.profile = Profile(one(sample, 1, b""))


def identify(path, body):
    """What tells profiles apart."""
    if path.endswith("/push.v1.PusherService/Push"):
        series, = every(body, 1)
        sample, = every(series, 2)
        return one(sample, 2).decode()
    return hashlib.sha1(body).hexdigest()
