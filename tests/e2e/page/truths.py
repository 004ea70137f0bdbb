# SPDX-License-Identifier: BSD-2-Clause
"""What the page says is true: weights, who is who, what a link of another recording means, what was left out."""
import json, re, subprocess, time
from pathlib import Path

from browser import Page

ROWS = """[...document.querySelectorAll("#groups .row:not([hidden])")].map((r) => [r.title.split("\\n")[0],
    ...["many", "cost", "part"].map((c) => r.querySelector("." + c).textContent)])"""
CHIPS = "[...document.querySelectorAll('#chips button')].map((b) => b.textContent)"


def text_of(ns):
    return f"{ns / 1e6:.0f} ms" if ns < 999.5e6 else f"{ns / 1e9:.2f} s"


def printed(make, verb, *args):
    """What the text says, as JSON."""
    return json.loads(subprocess.run([make.gostrobe, verb, "--json", *args], check=True, stdout=subprocess.PIPE).stdout)


def sort_by(p, column):
    p.js(f"document.querySelector('#groups .head .{column} button').click()"), p.settle()
    return [row[{"many": 1, "cost": 2, "part": 3}[column]] for row in p.js(ROWS)], p.js(
        f"document.querySelector('#groups .head .{column}').getAttribute('aria-sort')")


def check_sorting(p, expect):
    """Each column by what it shows."""
    number = lambda text: float(text.removesuffix("%").replace("−", "-"))
    shown = [number(row[3]) for row in p.js(ROWS)]
    expect("a diff begins with the largest changes, and says so", [abs(v) for v in shown] == sorted(map(abs, shown), reverse=True) and
           p.js("!!document.querySelector('#groups .head .part[aria-sort=descending]')"), shown)
    for column in "cost", "many":
        for way, reverse in ("descending", True), ("ascending", False):
            values, arrow = sort_by(p, column)
            expect(f"... {column} {way}: by what is shown", list(map(number, values)) == sorted(map(number, values), reverse=reverse) and arrow == way, values)
    sort_by(p, "part")


def check_weights(browser, make, expect):
    """Samples that weigh otherwise than their kind's period, and recordings with different periods."""
    def stacks(heavy, light):
        yield 1, "main.heavy", "main.main main.go:1", "job=x", "main.heavy;main.work", heavy, 50_000_000
        yield 2, "main.light", "main.main main.go:2", "job=y", "main.light;main.work", light
        yield 3, "main.least", "main.main main.go:3", "", "main.least", 40, 1_000_000
        yield 4, "main.none", "main.main main.go:4", "", "main.none", 3, 0
        yield 0, "", "", "", "runtime.mstart;runtime.schedule", 9

    p = Page(browser, make.page("weights", stacks(30, 200)).as_uri())
    report = printed(make, "report", Path(make.where, "weights.gsr"))
    want = [[g["name"].removeprefix("start "), text_of(g["cpu_ns"])] for g in report["groups"] if g["cpu_ns"]]
    expect("weights of their own: groups as in the report", [[name, cost] for name, _, cost, _ in p.js(ROWS)] == want, (p.js(ROWS), want))
    total = sum(g["cpu_ns"] for g in report["groups"])
    expect("... and all", p.text("#selected") == f"{text_of(total)} CPU" and "282 samples" in p.text("#details .numbers"), p.text("#details .numbers"))
    p.js("document.getElementById('groups').focus()"), p.key("Home"), p.key("Enter", "\r"), p.ready()
    first = report["groups"][0]["cpu_ns"]
    expect("... of a chosen row", p.text("#selected") == f"{text_of(first)} CPU, {100 * first / total:.1f}% of all", p.text("#selected"))
    p.go("")
    p.js("document.getElementById('tab-functions').click()"), p.settle()
    work = next(f for f in report["functions"] if f["name"] == "main.work")
    title = p.js("[...document.querySelectorAll('#functions .row')].find((r) => r.title.startsWith('main.work')).title")
    expect("... and functions", f"self {text_of(work['flat_ns'])}" in title, title)
    expect("... no error was thrown", not p.errors(), p.errors())
    p.close()
    make.page("weights2", stacks(55, 150)), make.page("rate", stacks(0, 800), period=2_000_000), make.page("rate2", stacks(0, 130))
    for old, new in ("weights", "weights2"), ("rate", "rate2"):
        old, new, page = Path(make.where, f"{old}.gsr"), Path(make.where, f"{new}.gsr"), Path(make.where, "weights-diff.html")
        for args, scale in ([], lambda v: f"{v:.3f}"), (["-N"], lambda v: f"{100 * v:.2f}%"):
            subprocess.run([make.gostrobe, "diff", *args, "-f", "html", "-o", page, old, new], check=True)
            text, p = printed(make, "diff", *args, old, new), Page(browser, page.as_uri())
            sign = lambda d: ("−" if d["delta"] < 0 else "+") + scale(abs(d["delta"]))
            way = lambda d: "" if not d["differs"] else "shrunk" if d["delta"] < 0 else "grown"
            want = sorted([g["key"].removeprefix("start "), scale(g["old"]), scale(g["new"]), sign(g), way(g)] for g in text["groups"] if g["old"] or g["new"])
            seen = p.js("""[...document.querySelectorAll("#groups .row:not([hidden])")].map((r) => [r.title.split("\\n")[0],
                ...["many", "cost", "part"].map((c) => r.querySelector("." + c).textContent), r.querySelector(".part").className.replace("cell part", "").trim()])""")
            expect(f"... {old.stem} and {new.stem} {args}: as diff says", sorted(seen) == want, (seen, want))
            error, said = text["total"]["error"], float(re.search(r"± ([\d.]+)", p.text("#details .numbers"))[1]) / (100 if args else 1)
            expect("... and the error of the total", abs(said / error - 1) < .02, (said, error))
            check_sorting(p, expect)
            p.js("document.getElementById('graph').focus()"), p.key("ArrowDown"), p.key("Enter", "\r"), p.ready()
            colour = p.js("""(() => { const c = document.getElementById("canvas"), pen = c.getContext("2d");
                return [0.02, 0.98].map((x) => pen.getImageData(c.width * x, 24, 1, 1).data[3]); })()""")
            expect("... a zoomed box fills the graph", min(colour) > 0, colour)
            p.close()


def check_identity(browser, make, expect):
    """What is called the same is not the same: a class, a label's value, none, and one that is set to nothing."""
    def stacks():
        yield 1, "", "main.main main.go:1", "job=[scheduler]", "main.a", 5
        yield 2, "main.b", "main.main main.go:1", "job=(no job)", "main.b", 7
        yield 3, "main.b", "main.main main.go:1", "", "main.b", 11
        yield 4, "main.b", "main.main main.go:1", "job=", "main.b", 13
        yield 0, "unknown", "", "", "main.c", 17
        yield 0, "scheduler", "", "", "main.d", 19

    p = Page(browser, make.page("same", stacks()).as_uri())
    for by, want in ("start", [31, 19, 17, 5]), ("label:job", [19, 17, 13, 11, 7, 5]):
        p.go(f"#by={by}")
        rows = printed(make, "report", "--by", by, Path(make.where, "same.gsr"))["groups"]
        seen = p.js(ROWS)
        expect(f"rows of one name are kept apart by {by}", [cost for _, _, cost, _ in seen] == [text_of(n * 10101010) for n in want], seen)
        expect("... in the report too", [row["samples"] for row in rows] == want, [(row["name"], row["samples"]) for row in rows])
    expect("... names of labels", [name for name, *_ in seen] == ["[scheduler]", "[unknown]", '""', "(no job)", "(no job)", "[scheduler]"], seen)
    expect("... and in JSON", [row["keys"][0]["value"] for row in rows] == ["[scheduler]", "[unknown]", "", None, "(no job)", "[scheduler]"], [row["keys"] for row in rows])
    p.js("document.querySelectorAll('#groups .row:not([hidden])')[5].click()"), p.ready()
    expect("... a click chooses one of them", p.text("#selected").startswith(text_of(5 * 10101010)), p.text("#selected"))
    p.close()


def check_foreign(browser, make, expect):
    """A link means the same in another recording, or says that there is no such thing."""
    def stacks(order, more=""):
        for k, name in enumerate(order):
            yield 7 + k, f"main.{name}", f"main.main main.go:{ord(name)}", f"job={name}", f"main.{name};main.call{name};main.leaf{more}", 20 + 10 * k

    a = Page(browser, make.page("here", stacks("abcd")).as_uri())
    same = Page(browser, make.page("there", stacks("xdbac")).as_uri())
    other = Page(browser, make.page("elsewhere", stacks("xyz", "2"), seconds=5).as_uri())
    key = lambda p, *keys: ([p.key(*k) if isinstance(k, tuple) else p.key(k) for k in keys], p.ready(), time.sleep(.1))
    names = lambda p: p.js("[...document.querySelectorAll('#groups [aria-selected=true]')].map((r) => r.title.split('\\n')[0])")
    said = lambda p: [chip for chip in p.js(CHIPS) if "not in this recording" in chip]
    a.js("document.getElementById('groups').focus()"), key(a, "Home", "ArrowDown", ("Enter", "\r"))
    link = a.js("location.hash")
    same.go(link), other.go(link)
    expect("a link to a row opens the row of that name", names(a) == names(same) == ["main.c"], (names(a), names(same)))
    expect("... or says that there is none", names(other) == [] and said(other) == ["not in this recording: a group ×"], other.js(CHIPS))
    other.js("document.querySelector('#chips button').click()"), other.ready(), time.sleep(.3)
    expect("... until it is taken back", not said(other) and other.js("location.hash") == "", other.js("location.hash"))
    a.go(""), a.js("document.getElementById('graph').focus()"), key(a, *["ArrowDown"] * 2, "ArrowDown", ("Enter", "\r"))
    link, name = a.js("location.hash"), a.text("#details .name")
    same.go(link), other.go(link)
    expect("a link to a box", name == same.text("#details .name") == "main.leaf" or name.startswith("main.call"), (name, same.text("#details .name")))
    expect("... the same one", name == same.text("#details .name") and said(other) == ["not in this recording: the box ×"], (name, same.text("#details .name"), said(other)))
    a.go(""), a.js("document.getElementById('graph').focus()"), key(a, "ArrowDown", "ArrowDown", "f")
    link, name = a.js("location.hash"), a.text("#details .name")
    same.go(link), other.go(link)
    expect("a link to a function", name == same.text("#details .name") and "f=" in link and said(other) == ["not in this recording: a function ×"],
           (link, name, same.text("#details .name"), said(other)))
    a.go(""), a.js("document.getElementById('graph').focus()"), key(a, "ArrowDown", "x")
    link = a.js("location.hash")
    same.go(link), other.go(link)
    expect("a link to a removed stack", "main.d" not in [row[0] for row in same.js(ROWS)] and len(same.js(ROWS)) == 4 and said(other) == ["not in this recording: a removed stack ×"],
           (same.js(ROWS), said(other)))
    a.go("#by=goroutine"), a.js("document.querySelector('#groups .row').click()"), a.ready(), time.sleep(.1)
    expect("... to a goroutine", names(a) == ["goroutine 10 main.d"], names(a))
    same.go(a.js("location.hash"))
    expect("... which is another one there", names(same) == [] and said(same), same.js(CHIPS))
    hash_of = lambda p: (time.sleep(.3), p.js("location.hash"))[1]
    for link, want, missing in ("#t=3000-9000", "#t=3000-5000", []), ("#t=6000-9000", "", ["the range of time"]), ("#t=1000-9000&d=7000-9000", "#t=1000-5000", ["the baseline"]), \
            ("#t=6000-9000&d=1000-99999", "#d=1000-5000", ["the range of time"]), ("#by=label:no", "", ["a grouping"]):
        other.go(link)
        expect(f"{link} of a longer recording", hash_of(other) == want and said(other) == [f"not in this recording: {m} ×" for m in missing],
               (other.js("location.hash"), other.js(CHIPS)))
        expect("... leaves something to see", other.js(ROWS) != [] and not other.errors(), other.errors())
    for p in a, same, other:
        p.close()


def check_options(browser, make, expect):
    """A page of a part says which one."""
    stacks = [(1, "main.a", "main.main main.go:1", "job=x", "main.a;main.work", 50), (2, "main.b", "main.main main.go:1", "", "main.b;main.rest", 50)]
    p = Page(browser, make.page("whole", stacks).as_uri())
    expect("a page of all says nothing of options", not p.js("document.getElementById('options').offsetWidth"))
    p.close()
    for args in (["--time", "1s-3.5s", "--focus", "work|<b>", "--ignore", "rest"], ["--goid", "1,2", "--pid", "812", "--label", "job=x"], ["--kind", "cpu", "--as-pprof"], ["--time", "2s-"]):
        p = Page(browser, make.page("part", stacks, args=args).as_uri())
        want = [word if word == "--as-pprof" else f"{word} {args[k + 1]}" for k, word in enumerate(args) if word.startswith("--")]
        seen = p.js("[...document.querySelectorAll('#options bdi')].filter((e) => e.offsetWidth).map((e) => e.textContent)")
        expect(f"a page of a part says so: {' '.join(args)}", sorted(seen) == sorted(want), seen)
        p.close()
