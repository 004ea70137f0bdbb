# SPDX-License-Identifier: BSD-2-Clause
"""check_json.py GOSTROBE FILE: the JSON of many views of a recording is as the schemas say,
and report --json has the sums of what export -f json lists. Without arguments: the schemas
allow no field that they do not name, and docs/json.md names all of them."""

import collections
import json
import re
import subprocess
import sys

import jsonschema

FILTERS = [
    [],
    ["--kind", "off-cpu"],
    ["--kind", "calls"],
    ["--goid", "7,14,21,28,35"],
    ["--pid", "801"],
    ["--time", "100ms-300ms"],
    ["--time", "100ms-"],
    ["--label", "handler=search"],
    ["--label", "handler=", "--label", "tenant="],
    ["--focus", "main"],
    ["--ignore", "mallocgc|\\\\"],
    ["--as-pprof"],
    ["--as-pprof", "--focus", "worker", "--pid", "801", "--time", "-250ms"],
]
GROUPINGS = [
    None,
    "none",
    "goroutine",
    "start",
    "creator,class",
    "label:handler",
    "label:tenant,start,goroutine",
    "thread",
    "program,label:handler",
    "process,goroutine",
    "class,process",
]


class Wrong(Exception):
    pass


def expect(ok, what):
    if not ok:
        raise Wrong(what)


# Schemas


def schema(name):
    with open(f"docs/{name}.schema.json", encoding="utf-8") as f:
        s = json.load(f)
    jsonschema.Draft202012Validator.check_schema(s)
    return jsonschema.Draft202012Validator(s)


def objects(s):
    """All schemas of objects inside a schema."""
    if isinstance(s, dict):
        if "object" in s.get("type", []):
            yield s
        for v in s.values():
            yield from objects(v)
    elif isinstance(s, list):
        for v in s:
            yield from objects(v)


def check_schemas():
    with open("docs/json.md", encoding="utf-8") as f:
        documented = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", f.read()))))
    shared = {}
    for name in NAMES:
        s = schema(name).schema
        for o in objects(s):
            expect("additionalProperties" in o, f"{name}: an object allows any field: {o}")
            fields = o.get("properties", {})
            if fields:
                expect(o["additionalProperties"] is False, f"{name}: {list(fields)}: others are allowed")
                expect(o["required"] == list(fields) or OPTIONAL & set(fields), f"{name}: not all of {list(fields)} are required")
            for field in fields:
                expect(field in documented, f"{name}: docs/json.md does not name {field}")
        for part, what in s["$defs"].items():
            expect(shared.setdefault(part, what) == what or part == "selection", f"{part} is not the same in all schemas")


# Output


def unique(pairs):
    d = dict(pairs)
    expect(len(d) == len(pairs), f"a field twice: {[k for k, _ in pairs]}")
    return d


def no_constant(word):
    raise Wrong(f"{word} is not JSON")


def parse(text, validator):
    text = text.decode("utf-8")
    expect(text.endswith("\n"), "no end of line")
    expect(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e]", text), "a control character")
    v = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    for e in validator.iter_errors(v):
        raise Wrong(f"{'.'.join(map(str, e.absolute_path))}: {e.message[:200]}")
    return v


def run(gostrobe, *args):
    """The output; None when the view is empty."""
    r = subprocess.run([gostrobe, *args], capture_output=True)
    if r.returncode == 1 and re.search(b"no samples match|no events of kind|no sample has a label", r.stderr):
        return None
    expect(not r.returncode, f"{r.returncode}: {r.stderr.decode()}")
    return r.stdout


def check_export(x):
    """The rows of all tables are referred to, and there are no others."""
    used = collections.defaultdict(set)
    for e in x["events"]:
        for table in "stack", "goroutine", "thread":
            if e[table] is not None:
                used[table + "s"].add(e[table])
    for s in x["stacks"]:
        used["frames"].update(s)
    for table in "goroutines", "threads":
        used["processes"].update(row["process"] for row in x[table])
    for table in "stacks", "frames", "goroutines", "threads", "processes":
        expect(used[table] == set(range(len(x[table]))), f"{table}: {len(x[table])} rows, used {len(used[table])}")
    for table in "goroutines", "threads", "processes":
        rows = {json.dumps(row) for row in x[table]}
        expect(len(rows) == len(x[table]) or table == "goroutines", f"{table}: equal rows")
    expect(len(set(map(tuple, x["stacks"]))) == len(x["stacks"]), "equal stacks")
    expect(x["samples"] == len(x["events"]), "samples")
    expect(x["weight"] == sum(e["weight"] for e in x["events"]), "weight")
    expect(x["cpu_ns"] == (x["weight"] if x["kind"] == "cpu" else None), "cpu_ns")
    expect(x["samples"] <= x["truth"]["samples"], "more samples than were recorded")


# What the report should say, from the export


def add_up(x):
    """Per function: samples and weight, flat and cum."""
    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    names = [f["name"] + "_[k]" * (f["kind"] == "kernel") for f in x["frames"]]
    for e in x["events"]:
        stack = [names[f] for f in x["stacks"][e["stack"]]]
        for i, name in enumerate(stack[:1] + list(set(stack))):
            at = 0 if stack and not i else 1
            sums[name][at] += 1
            sums[name][at + 2] += e["weight"]
    return dict(sums)


def value_of(x, key, e):
    process = x["processes"][x["threads"][e["thread"]]["process"]]
    thread = x["threads"][e["thread"]]
    if key == "class":
        return e["class"]
    if key == "thread":
        return f"{thread['tid']} {thread['name']}" if thread["name"] else str(thread["tid"])
    if key == "process":
        return f"{process['name']}-{process['pid']}"
    if key == "program":
        return process["name"]
    if e["goroutine"] is None:
        return f"[{e['class']}]"
    g = x["goroutines"][e["goroutine"]]
    if key == "goroutine":
        return f"goroutine {g['goid']}" + (f" {g['start']}" if g["start"] else "")
    if key.startswith("label:"):
        value = g["labels"].get(key[6:])
        return value or None if is_cut(x) else value
    return g[key]


class Group:
    def __init__(self):
        self.samples = self.weight = 0
        self.goroutines = collections.Counter()


def group(x, by):
    groups = collections.defaultdict(Group)
    by = [key for key in by if key != "none"]
    if by and len(x["target"]["processes"]) > 1 and by[0] not in ("process", "program"):
        by = ["process", *by]
    for e in x["events"] if by else []:
        g = groups[tuple((key, value_of(x, key, e)) for key in by)]
        g.samples += 1
        g.weight += e["weight"]
        if e["goroutine"] is not None:
            row = x["goroutines"][e["goroutine"]]
            g.goroutines[x["processes"][row["process"]]["pid"], row["goid"]] += e["weight"]
    return groups


def is_cut(x):
    """Is a label cut? The export does not say which one; a value may be missing or empty then."""
    return not all(g["labels_complete"] for g in x["goroutines"])


def whole(value, cut):
    return value and value.rstrip("\u2026") or None if cut else value


def check_groups(r, x):
    wanted = group(x, r["selection"]["by"])
    cut = is_cut(x)
    total = "cpu_ns" if r["kind" if "kind" in r else "truth"] in ("cpu", r["truth"]) else "weight"
    got = collections.Counter()
    for g in r["groups"]:
        key = tuple((k["by"], whole(k["value"], cut) if k["by"].startswith("label:") else k["value"]) for k in g["keys"])
        got[key] += g["samples"]
        expect(key in wanted, f"group {key} is not in the export")
        if cut and any(by.startswith("label:") for by, _ in key):
            continue
        want = wanted[key]
        largest = max(want.goroutines.values(), default=None)
        one = [goid for (_, goid), weight in want.goroutines.items() if weight == want.weight and len(want.goroutines) == 1]
        expect(g[total] == want.weight, f"{key}: {total} {g[total]}, not {want.weight}")
        expect(g["goroutines"] == len(want.goroutines), f"{key}: goroutines {g['goroutines']}, not {len(want.goroutines)}")
        expect(g["goid"] == (one[0] if one else None), f"{key}: goid {g['goid']}, not {one}")
        expect((g["largest"] and g["largest"][total]) == largest, f"{key}: largest {g['largest']}, not {largest}")
        if largest is not None:
            expect(want.goroutines[g["largest"]["pid"], g["largest"]["goid"]] == largest, f"{key}: another is the largest")
    expect(got == {key: g.samples for key, g in wanted.items()}, "other groups")


def check_report(r, x):
    for field in "version", "target", "start", "start_ns", "duration_ns", "event", "hz", "cpus", "samples", "cpu_ns", "truth":
        expect(r[field] == x[field], f"{field}: {r[field]}, not {x[field]}")
    for field in x["selection"]:
        expect(r["selection"][field] == x["selection"][field], f"selection.{field}")
    want = add_up(x)
    ns = x["unit"] == "nanoseconds"
    got = {f["name"]: [f["flat"], f["cum"], f["flat_ns"], f["cum_ns"]] for f in r["functions"]}
    expect(len(got) == len(r["functions"]), "a function twice")
    for name, sums in want.items():
        sums = sums if ns else [*sums[:2], None, None]
        expect(got.get(name) == sums, f"function {name}: {got.get(name)}, not {sums}")
    expect(len(got) == len(want), "more functions than in the export")
    check_groups(r, x)


def check_view(gostrobe, path, filters, validators):
    """Returns how many outputs there were."""
    n = 0
    text = run(gostrobe, "export", "-f", "json", *filters, path)
    x = text and parse(text, validators["export"])
    if x:
        check_export(x)
        n += 1
    for by in GROUPINGS:
        args = [*filters, *(["--by", by] if by else [])]
        text = run(gostrobe, "report", "--json", *args, path)
        if text is None:
            continue
        expect(x, "a report, but no export")
        try:
            check_report(parse(text, validators["report"]), x)
        except Wrong as e:
            raise Wrong(f"--by {by}: {e}") from e
        n += 1
    own = run(gostrobe, "report", "--json", "--own", *filters, path)
    if own:
        expect(parse(own, validators["report"])["selection"]["own"], "selection.own")
    return n


NAMES = ["export", "report"]
# fields that are not always there
OPTIONAL = {"weight", "kind", "unit"}


def main(args):
    if not args:
        check_schemas()
        print("schemas: no field that is not documented")
        return
    gostrobe, path = args
    validators = {name: schema(name) for name in NAMES}
    n = 0
    for filters in FILTERS:
        try:
            n += check_view(gostrobe, path, filters, validators)
        except (Wrong, ValueError) as e:
            raise Wrong(f"{' '.join(filters)}: {e}") from e
    expect(n, "all views are empty")
    print(f"{path.rsplit('/', 1)[1]}: {n} outputs as the schemas say")


try:
    main(sys.argv[1:])
except Wrong as e:
    sys.exit(f"WRONG: {e}")
