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


class Write:
    """A WriteRawRequest of Parca with one profile."""

    def __init__(self, body):
        series, = every(body, 2)
        assert one(body, 3) == 1, "normalized"
        self.labels = {one(x, 1).decode(): one(x, 2).decode() for x in every(one(series, 1), 1)}
        sample, = every(series, 2)
        self.profile = Profile(one(sample, 1))


class Otlp:
    """A request of OpenTelemetry's profiles with one profile, in the terms of class Profile; links is
    a Counter of (trace, span) in hex."""

    def __init__(self, body):
        of, = every(body, 1)
        tables = one(body, 2)
        strings = [s.decode() for s in every(tables, 5)]
        mappings, locations, functions, links, attributes, stacks = (
            every(tables, n) for n in (1, 2, 3, 4, 6, 7))
        assert strings[0] == "" and len(set(strings)) == len(strings), "strings"
        for table in (mappings, locations, functions, links, attributes, stacks):
            assert not any(v for _, v in fields(table[0])), "row 0"
        for table in (links, attributes, stacks):
            assert len(set(table)) == len(table), "duplicates"

        def value(v):  # the collector may put strings into the table
            if every(v, 8):
                return strings[one(v, 8)]
            return one(v, 1).decode() if every(v, 1) else one(v, 3)

        def pair(x):
            return strings[one(x, 3)] if every(x, 3) else one(x, 1).decode(), value(one(x, 2))

        def attribute(i):
            return strings[one(attributes[i], 1)], value(one(attributes[i], 2))

        def function(i):
            f = functions[i]
            return strings[one(f, 1)], strings[one(f, 3)], one(f, 4)

        def location(i):
            assert i and one(locations[i], 1) < len(mappings)
            return one(locations[i], 2), tuple((function(one(x, 1)), one(x, 2)) for x in every(locations[i], 3))

        self.labels = dict(pair(x) for x in every(one(of, 1), 1))
        scope, = every(of, 2)
        p, = every(scope, 2)
        assert len(one(p, 7)) == 16 and any(one(p, 7)), "profile_id"
        kind, period = one(p, 1), one(p, 5)
        self.types = [(strings[one(t, 1)], strings[one(t, 2)]) for t in (kind, period)]
        self.comments = []
        self.count, self.ns, self.links = Counter(), Counter(), Counter()
        names = {"go.goroutine.id": "goid", "go.goroutine.parent_id": "go_parent"}
        for s in every(p, 2):
            labels = [attribute(i) for i in numbers(s, 2)]
            labels = tuple(sorted(((names.get(k, k), v) for k, v in labels), key=str))
            stack = tuple(location(i) for i in numbers(stacks[one(s, 1)], 1))
            n, = numbers(s, 4)
            self.count[stack, labels] += n
            self.ns[stack, labels] += n * one(p, 6)
            link = links[one(s, 3)]
            self.links[one(link, 1, b"").hex(), one(link, 2, b"").hex()] += n
