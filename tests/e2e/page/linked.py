# SPDX-License-Identifier: BSD-2-Clause
"""What the list, the graph and the strip of the page do to each other."""
import json, time
from collections import Counter

from browser import Page


def check_light(p, rows, expect, shots):
    """The row of the list that the pointer or the keyboard is on: its boxes stay as they are, the others fade."""
    def centres(by):
        """Where the boxes of the first row are: those of the root's children, largest first."""
        sizes, at, out = Counter(), 0, {}
        for row in rows:
            sizes[by(row)] += row[5]
        for name, n in sizes.most_common():
            if n / sum(sizes.values()) > .012:
                out[name] = at + n / 2
            at += n
        return {name: x / at for name, x in out.items()}

    pixels = lambda boxes: dict(zip(boxes, p.js(f"""(() => {{ const c = document.getElementById("canvas"), pen = c.getContext("2d");
        return {json.dumps(list(boxes.values()))}.map((x) => pen.getImageData(Math.round(x * c.width), 24, 1, 1).data.join()); }})()""")))
    lit = lambda before, boxes: {name for name, colour in pixels(boxes).items() if colour == before[name]}
    start, leaf = lambda r: r[1] or "[scheduler]", lambda r: r[4].split(";")[-1]
    conn = "net/http.(*conn).serve"
    at = p.js("""(() => { const r = [...document.querySelectorAll("#groups .row:not([hidden])")].find((r) => r.title.startsWith("net/http.(*conn).serve"))
        .getBoundingClientRect(); return [r.left + 60, r.top + 9]; })()""")
    for fragment, by in ("", start), ("#m=reverse", leaf), ("#boxes=0", lambda r: r[4].split(";")[0]):
        p.go(fragment), p.mouse("mouseMoved", 700, 20)
        boxes, want = centres(by), {by(r) for r in rows if r[1] == conn}
        before = pixels(boxes)
        p.mouse("mouseMoved", *at)
        expect(f"a row under the pointer lights its boxes up {fragment}", lit(before, boxes) == want & set(boxes), sorted(lit(before, boxes) ^ want & set(boxes)))
        if not fragment:
            p.shot(f"{shots}/lit.png")
        p.mouse("mouseMoved", 700, 20)
        expect("... and no longer when it leaves", pixels(boxes) == before)
    p.go("")
    boxes = centres(start)
    before = pixels(boxes)
    p.js("document.getElementById('groups').focus()"), p.key("Home"), p.settle()
    expect("the row of the keyboard too", lit(before, boxes) == {next(iter(boxes))}, lit(before, boxes))
    p.key("ArrowDown")
    expect("... as it moves", lit(before, boxes) == {list(boxes)[1]}, lit(before, boxes))
    p.js("document.activeElement.blur()"), p.settle()
    expect("... until it leaves the list", pixels(boxes) == before)


def check_frame(p, rows, expect, shots):
    """A zoomed frame: the list says what each row has in its function, and can be sorted by it."""
    seen = lambda: p.js("""[...document.querySelectorAll("#groups .row:not([hidden])")].map((r) => [r.title.split("\\n")[0],
        r.querySelector(".frame").offsetWidth ? r.querySelector(".frame").textContent : null])""")
    ns = lambda n: "" if not n else f"{n * 10101010 / 1e6:.0f} ms" if n * 10101010 < 1e9 else f"{n * 10101010 / 1e9:.2f} s"
    by_start, goroutines = Counter(), Counter()
    for row in rows:
        if "runtime.mallocgc" in row[4]:
            by_start[row[1]] += row[5]
            goroutines[f"goroutine {row[0]}"] += row[5] * (row[1] == "net/http.(*conn).serve")
    p.go("#q=mallocgc")
    whole = seen()
    p.key("/", "/"), p.key("Enter", "\r"), p.key("Enter", "\r"), p.ready()
    expect("no column of a frame without a zoom", all(f is None for _, f in whole), whole[0])
    expect("what the groups have in the zoomed frame", {name: f for name, f in seen() if f} == {name: ns(n) for name, n in by_start.items()} and
           len(seen()) == len(whole), seen()[:2])
    p.js("document.querySelector('#groups .head .frame button').click()"), p.settle()
    expect("... sorts them", [name for name, f in seen() if f] == [name for name, _ in by_start.most_common()], seen()[0])
    p.shot(f"{shots}/frame.png")
    toggle = "[...document.querySelectorAll('#groups .row')].find((r) => r.title.startsWith('net/http')).querySelector('[data-part]').click()"
    p.js(toggle), p.settle()
    shown = [(name, f) for name, f in seen() if f and name in goroutines and goroutines[name]]
    expect("... and goroutines", shown == [(name, ns(n)) for name, n in goroutines.most_common() if n], shown)
    p.js(toggle), p.settle()
    p.key("Escape"), p.key("Escape"), p.ready()
    expect("... until the zoom ends", seen() == whole and p.js("!document.querySelector('#groups .frame[aria-sort]')"), seen()[0])
    p.go("#q=findRunnable"), p.key("/", "/"), p.key("Enter", "\r"), p.key("Enter", "\r"), p.ready()
    p.js("document.querySelector('#groups .head .frame button').click()"), p.settle()
    expect("the scheduler is first by what it has in its own", seen()[0][0] == "[scheduler]", seen()[0])
    p.go("")


def check_heat(p, rows, expect, shots):
    """The strip as a heat map: where a row has a cell the group ran, and where it has none it did not."""
    row_of = lambda k: p.js(f"""(() => {{ const c = document.getElementById("timeline"), pen = c.getContext("2d");
        return [...pen.getImageData(0, {k} * 14 + 6, c.width, 1).data].filter((_, i) => i % 4 == 3).map((a) => a > 0); }})()""")
    listed = lambda: p.js("[...document.querySelectorAll('#groups .row:not([hidden])')].map((r) => r.title.split('\\n')[0])")
    low = p.js("document.getElementById('timeline').offsetHeight")
    p.js("document.getElementById('heat').click()"), p.settle()
    sizes = Counter()
    for row in rows:
        sizes[row[1] or "[scheduler]"] += row[5]
    names = [name for name, _ in sizes.most_common()]
    expect("a row for each group", p.js("document.getElementById('timeline').offsetHeight") == len(names) * 14 + 16, len(names))
    box = p.js("(() => { const r = document.getElementById('timeline').getBoundingClientRect(); return [r.left, r.top]; })()")
    row = row_of(len(names) - 1)
    gap = next(k for k in range(400, len(row)) if not any(row[k:k + 14]))
    ran = next(k for k in range(400, len(row)) if row[k])
    for at, width, want in (gap + 2, 9, False), (ran - 3, 9, True):
        p.mouse("mousePressed", box[0] + at, box[1] + 9), p.mouse("mouseMoved", box[0] + at + width, box[1] + 9, button="left")
        p.mouse("mouseReleased", box[0] + at + width, box[1] + 9), p.ready(), time.sleep(.1)
        expect(f"a range in the heat map where the last group {'ran' if want else 'did not run'}", (names[-1] in listed()) == want and "of all" in p.text("#selected"), p.js("location.hash"))
    p.shot(f"{shots}/heat.png")
    p.go("#heat=1")
    p.mouse("mouseMoved", box[0] + ran + 1, box[1] + 14 * len(names) - 6)
    expect("... the pointer on it names it", p.js("document.getElementById('timeline').title").startswith(f"{names[-1]}\n"), p.js("document.getElementById('timeline').title"))
    p.mouse("mousePressed", box[0] + 5, box[1] + 20), p.mouse("mouseReleased", box[0] + 5, box[1] + 20), p.ready()
    expect("... a click on a name chooses the group", names[1] in p.js("document.querySelector('#groups [aria-selected=true]').title"))
    for by, n in ("thread", 8), ("goroutine", 13), ("none", 1):
        p.go(f"#heat=1&by={by}")
        expect(f"... by {by}: {n} rows", p.js("document.getElementById('timeline').offsetHeight") == n * 14 + 16)
    p.key("m", "m")
    expect("m ends it", p.js("document.getElementById('timeline').offsetHeight") == low and "heat" not in p.js("location.hash"), p.js("location.hash"))
    p.go("")


def check_ranges(p, expect, shots):
    """Two ranges of time, compared: each group's figures are what it has in either alone, per second."""
    shown = lambda: p.js("""[...document.querySelectorAll("#groups .row:not([hidden])")].map((r) => [r.title.split("\\n")[0],
        ...["many", "cost", "part"].map((c) => r.querySelector("." + c).textContent)])""")
    box = p.js("(() => { const r = document.getElementById('timeline').getBoundingClientRect(); return [r.left, r.top, r.width]; })()")

    def drag(begin, end, modifiers=0):
        at = lambda part: (box[0] + box[2] * part, box[1] + 20)
        p.mouse("mousePressed", *at(begin), modifiers=modifiers), p.mouse("mouseMoved", *at(end), button="left", modifiers=modifiers)
        p.mouse("mouseReleased", *at(end), modifiers=modifiers), p.ready(), time.sleep(.1)

    def rates(cells):
        p.go(f"#t={cells[0]}-{cells[1]}")
        value, unit = lambda text: float(text.split()[0]), lambda text: 1 if text.endswith(" s") else 1e-3
        return {name: value(cost) * unit(cost) * 1000 / (cells[1] - cells[0]) for name, _, cost, _ in shown()}

    hash_of = lambda key: next((part[2:] for part in p.js("location.hash")[1:].split("&") if part.startswith(key + "=")), None)
    p.go("")
    drag(.1, .4), drag(.5, .9, 8)
    both = [list(map(int, (hash_of(key) or "0-1").split("-"))) for key in "td"]
    expect("Shift-drag marks a baseline", abs(both[1][0] - 5000) < 50 and abs(both[1][1] - 9000) < 50, p.js("location.hash"))
    compared, link = {name: cells for name, *cells in shown()}, p.js("location.hash")
    expect("... and the page is a diff", p.js("document.body.classList.contains('diff')") and "→" in p.text("#selected"), p.text("#selected"))
    p.shot(f"{shots}/ranges.png")
    new, old = map(rates, both)
    near = lambda text, value: abs(float(text) - value) < .006
    expect("... of the two ranges", compared.keys() == new.keys() | old.keys() and all(near(o, old.get(name, 0)) and near(n, new.get(name, 0))
           for name, (o, n, _) in compared.items()), next(iter(compared.items())))
    expect("... which ends with one", not p.js("document.body.classList.contains('diff')") and "% of all" in p.text("#selected"), p.text("#selected"))
    p.go(link)
    expect("a link opens the comparison", {name: cells for name, *cells in shown()} == compared)
    p.key("Escape"), p.ready(), time.sleep(.1)
    expect("Escape ends it, and leaves the range", hash_of("d") is None and hash_of("t") == "-".join(map(str, both[0])), p.js("location.hash"))
    p.js("document.getElementById('compare').click()"), p.settle()
    drag(.6, .7)
    expect("the button lets a drag mark the baseline", hash_of("t") == "-".join(map(str, both[0])) and abs(int((hash_of("d") or "0-0").split("-")[0]) - 6000) < 50, p.js("location.hash"))
    first = hash_of("d")
    p.js("document.getElementById('timeline').focus()"), p.key("d", "d"), p.key("ArrowRight"), p.ready(), time.sleep(.1)
    expect("d and arrows move it", hash_of("d") not in (None, first) and hash_of("t") == "-".join(map(str, both[0])), p.js("location.hash"))
    p.key("d", "d"), p.key("m", "m"), p.ready()
    expect("... in the heat map too", p.js("document.body.classList.contains('diff')") and not p.errors(), p.errors())
    for bad in "#t=1-2&d=9-1", "#d=0-5", "#t=0-1&d=99999990-99999999", "#t=5-9&d=5-9&r=1.0":
        p.go(bad)
        expect(f"{bad} does no harm", p.js("document.getElementById('problem').hidden") and not p.errors(), p.errors())
    p.go("")


def check_facts(p, rows, expect, shots):
    """What the list says of a row where it is wide, and under the pointer."""
    cells = lambda: {name: rest for name, *rest in p.js("""[...document.querySelectorAll("#groups .row:not([hidden])")].map((r) => [r.title.split("\\n")[0],
        ...["seen", "samples", "core", "top"].map((c) => r.querySelector("." + c)).map((c) => c.offsetWidth ? c.textContent : null)])""")}
    sparks = lambda: p.js("""[...document.querySelectorAll("#groups .row:not([hidden]) .spark")].map((c) => c.offsetWidth > 0 &&
        c.firstChild.getContext("2d").getImageData(0, 15, 64, 1).data.filter((v, i) => i % 4 == 3 && v).length)""")
    seconds = lambda text: [float(part) for part in text.removesuffix(" s").split("–")]
    p.go("")
    samples, leaves = Counter(), Counter()
    for row in rows:
        samples[row[1] or "[scheduler]"] += row[5]
        leaves[row[1] or "[scheduler]", row[4].split(";")[-1].replace("_[k]", "").split("/")[-1]] += row[5]
    shown = sparks()
    expect("a spark line in each row", len(shown) == len(samples) and all(shown) and shown[0] > shown[-1], shown)
    p.mouse("mouseMoved", *p.js("(() => { const r = document.querySelector('#groups .row').getBoundingClientRect(); return [r.left + 80, r.top + 9]; })()"))
    name, n = samples.most_common(1)[0]
    title = p.js("document.querySelector('#groups .row').title")
    core = f"{100 * n * 10101010 / 10e9:.1f}%"
    expect("the card of a row", all(part in title for part in (name, f"{n:,} samples", f"{core} of one core", "seen 0.", "created by", "most in ")), title)
    p.js("document.getElementById('side').style.width = '900px'"), p.settle(), p.settle()
    shown = cells()
    expect("a wide list has the samples and the share of a core", {name: c[1:3] for name, c in shown.items()} ==
           {name: [f"{n:,}", f"{100 * n * 10101010 / 10e9:.1f}%"] for name, n in samples.items()}, shown[name])
    tops = {name: max(n for (of, _), n in leaves.items() if of == name) for name in samples}
    expect("... the frame with most of them", all(leaves[name, c[3]] == tops[name] for name, c in shown.items()), [c[3] for c in shown.values()])
    expect("... and when it was seen", all(0 <= a < b <= 10 for a, b in (seconds(c[0]) for c in shown.values())), shown[name][0])
    p.shot(f"{shots}/wide.png")
    p.js("document.querySelector('#groups .head .seen button').click()"), p.settle()
    first = [seconds(c[0])[0] for c in cells().values()]
    expect("... sorted by that", first == sorted(first) and p.js("!!document.querySelector('#groups .seen[aria-sort=ascending]')"), first)
    p.js("document.getElementById('side').style.width = '1000px'"), p.settle(), p.settle()
    p.js("[...document.querySelectorAll('#groups .row')].find((r) => r.title.startsWith('net/http')).querySelector('[data-part]').click()"), p.settle()
    origins = {name: text for name, text in p.js("""[...document.querySelectorAll("#groups .row:not([hidden])")].map((r) => [r.title.split("\\n")[0],
        r.querySelector(".origin").offsetWidth && r.querySelector(".origin").textContent])""")}
    expect("a very wide one has labels, creator and parent", origins["goroutine 3311"] == "job=http · created by net/http.(*Server).Serve server.go:3086 · in goroutine 1655"
           and origins["net/http.(*conn).serve"] == "job=http · created by net/http.(*Server).Serve server.go:3086" and origins["[scheduler]"] == "", origins)
    lefts = p.js("[...document.querySelectorAll('#groups .row:not([hidden]) .seen')].map((c) => c.getBoundingClientRect().left)")
    expect("... in straight columns", len(set(lefts)) == 1, set(lefts))
    p.shot(f"{shots}/widest.png")
    p.js("document.querySelector('#groups [aria-expanded=true] [data-part]').click()"), p.settle()
    p.js("document.querySelector('#groups .head .cost button').click()"), p.js("document.getElementById('side').style.width = ''"), p.settle()
    expect("a narrow list has not", all(c == [None] * 4 for c in cells().values()))
    p.mouse("mouseMoved", 700, 20)


def check_flame(browser, page, expect, shots):
    """Upside down: the root is at the bottom, and up leads away from it."""
    at = lambda row: p.js(f"(() => {{ const r = document.getElementById('graph').getBoundingClientRect(); return [r.left + 30, r.bottom - 11 - 21 * {row}]; }})()")

    def name_at(row):
        p.mouse("mouseMoved", *at(row))
        return p.text("#tip .name") if p.js("!document.getElementById('tip').hidden") else None

    for height in 860, 400:  # all rows fit, or they have to be scrolled
        p = Page(browser, page.as_uri(), height=height)
        p.js("document.getElementById('graph').focus()"), p.key("i", "i"), p.settle()
        rows = [name_at(row) for row in range(3)]
        p.key("Escape")
        path = []
        for key in "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown":
            p.key(key)
            path.append(p.text("#details .name"))
        expect(f"{height} px high, upside down: the root at the bottom", rows == ["all", *path[:2]], rows)
        expect("... arrows as they point", path[3] == path[1] and path[2] not in path[:2], path)
        link = p.js("location.hash")
        p.shot(f"{shots}/flame.png")
        p.key("i", "i"), p.settle(), time.sleep(.1)
        expect("... and back", p.js("location.hash") == "" and "up=1" in link and name_at(0) != "all", link)
        p.close()


def check_narrow(p, width, expect):
    """Nothing lies over something else, is cut off, or has to be scrolled to."""
    p.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    p.settle(), p.settle()
    bad = p.js("""(() => { const bad = [], name = (e) => `${e.id || e.className} ${e.textContent.slice(0, 20)}`;
        for (const group of ["header > *", "#tools > *", "#legend button", ".note span", ".tabs > *", "#details > :not(:empty)", ".grid:not([hidden]) .head button"]) {
            const all = [...document.querySelectorAll(group)].filter((e) => e.offsetWidth), box = (e) => e.getBoundingClientRect();
            all.forEach((e, k) => {
                if (box(e).right > innerWidth + 1 || (e.matches("button") && e.scrollWidth > e.clientWidth))
                    bad.push(`${name(e)} is cut`);
                for (const o of all.slice(k + 1))
                    if (box(e).left < box(o).right - 1 && box(o).left < box(e).right - 1 && box(e).top < box(o).bottom - 1 && box(o).top < box(e).bottom - 1)
                        bad.push(`${name(e)} over ${name(o)}`);
            });
        }
        return document.documentElement.scrollWidth > innerWidth ? [...bad, "wider than the window"] : bad; })()""")
    expect(f"{width} px wide, nothing overlaps or is cut", not bad, bad)
