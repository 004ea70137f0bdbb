# SPDX-License-Identifier: BSD-2-Clause
"""How the page looks where little room, paper or large letters make it hard; and the keys for it."""
import base64, re, time, zlib
from pathlib import Path

from browser import Page


def check_looks(browser, make, expect, shots):
    long = "main." + "x" * 2000 + "end"
    stacks = [(1, "main.work", "main.main main.go:1", "job=x", "main.work;main.deep", 50), (1, "main.work", "main.main main.go:1", "job=x", "main.work;main.deep", 30, "", 900),
              (2, long, "main.main main.go:2", "", f"{long};odd_{'y' * 900}_[k]", 20)]
    page = make.page("odd", stacks, program="server" + "z" * 400 + "end")
    p = Page(browser, page.as_uri())
    p.go("#heat=1")
    p.mouse("mouseMoved", *p.js("(() => { const r = document.getElementById('timeline').getBoundingClientRect(); return [r.left + 300, r.top + 9]; })()"))
    narrow = make.page("two", [(1, "main.work", "", "", "main.work", 50), (1, "main.work", "", "", "main.work", 30, "", 900)], program="srv")
    two = Page(browser, narrow.as_uri())
    two.js("window.drawn = []; const real = CanvasRenderingContext2D.prototype.fillText; CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { drawn.push(text); return real.call(this, text, ...rest); }")
    two.go("#heat=1")
    expect("the heat map names the process of each row", {"srv-812 › main.work", "srv-900 › main.work"} <= set(two.js("drawn")), two.js("drawn"))
    two.shot(f"{shots}/processes.png")
    two.close()
    titles = p.js("[...document.querySelectorAll('[title]')].map((e) => e.title)")
    expect("titles stay short, with their end", max(map(len, titles)) < 1100 and any("…" in t and "end" in t for t in titles), max(map(len, titles)))
    heads = p.text("#title"), p.js("document.title")
    expect("... the page's too", all(len(head) <= 200 and "…" in head for head in heads), heads)
    p.go("#t=5-8")
    expect("a chip says ranges below 10 ms", "0.005–0.008 s" in p.text("#chips"), p.text("#chips"))
    p.go("#by=creator,start,goroutine")
    chosen = p.js("(() => { const s = document.getElementById('then'); return s.selectedIndex < 0 ? '' : s.options[s.selectedIndex].text; })()")
    expect("three keys are in the boxes", chosen == "Start function › Goroutine", chosen)
    p.go(""), p.js("document.getElementById('graph').focus()"), p.key("ArrowDown"), p.key("ArrowDown")
    at = p.js("(() => { const r = document.getElementById('graph').getBoundingClientRect(); return [r.left, r.top]; })()")
    for kind in "rawKeyDown", "keyUp":
        p.send("Input.dispatchKeyEvent", type=kind, key="ContextMenu", code="ContextMenu", windowsVirtualKeyCode=93)
    p.settle()
    menu = p.js("(() => { const m = document.getElementById('menu'), r = m.getBoundingClientRect(); return m.hidden ? null : [r.left, r.top, document.activeElement.textContent]; })()")
    expect("the menu key opens the menu of the box", menu and abs(menu[0] - at[0]) < 20 and abs(menu[1] - at[1] - 63) < 20 and menu[2].startswith("Zoom"), (menu, at))
    p.key("Escape")
    expect("... and Escape closes it", p.js("document.getElementById('menu').hidden") and p.js("document.activeElement.id") == "graph")
    expect("... no error was thrown", not p.errors(), p.errors())
    p.close()


def proportions(pdf):
    """Of each box and image on paper: how much wider it is than it should be. An image is a unit square under a matrix."""
    objects = {int(m[1]): m[2] for m in re.finditer(rb"(\d+) 0 obj\s(.*?)\sendobj", pdf, re.S)}
    number = lambda o, key: int(re.search(rb"/%s (\d+)" % key, o)[1])
    sizes = {n: number(o, b"Width") / number(o, b"Height") for n, o in objects.items() if b"/Subtype /Image" in o}
    names = {m[1]: int(m[2]) for o in objects.values() for m in re.finditer(rb"/(X\d+) (\d+) 0 R", o)}
    for o in objects.values():
        if b"/FlateDecode" not in o or b"/Subtype" in o or b"/Length1" in o or b"stream" not in o:
            continue
        text = zlib.decompressobj().decompress(o.split(b"stream", 1)[1].lstrip(b"\r\n"))
        saved, now = [], (1, 1)
        for m in re.finditer(rb"(?:[-.\d]+ ){6}cm|/(X\d+) Do|\bre\b|\b[qQ]\b", text):
            word = m[0]
            if word == b"q":
                saved.append(now)
            elif word == b"Q" and saved:
                now = saved.pop()
            elif word.endswith(b"cm"):
                a, _, _, d, _, _ = map(float, word.split()[:6])
                now = now[0] * abs(a), now[1] * abs(d)
            elif word == b"re":
                yield now[0] / now[1]
            elif names.get(m[1]) in sizes:
                yield now[0] / now[1] / sizes[names[m[1]]]


def check_paper(browser, page, expect, shots):
    """On paper the pictures keep their proportions, and the legend and what is selected are there."""
    for dark in False, True:
        p = Page(browser, page.as_uri(), dark=dark)
        p.go("#t=1000-9000")
        pdf = base64.b64decode(p.send("Page.printToPDF", printBackground=True)["data"])
        Path(f"{shots}/print.pdf").write_bytes(pdf)
        seen = list(proportions(pdf))
        bad = [ratio for ratio in seen if abs(ratio - 1) > .02]
        expect(f"on paper all has its proportions{', from the dark too' if dark else ''}", len(seen) > 100 and not bad, (len(seen), bad[:3]))
        p.send("Emulation.setEmulatedMedia", media="print")
        p.settle()
        shown = lambda what: p.js(f"[...document.querySelectorAll('{what}')].some((e) => e.offsetWidth > 0)")
        expect("... with the legend and what is selected, without the tools", shown("#legend button") and shown("#chips button") and not shown("#query, #compare") and not shown("#side"))
        expect("... on white", p.js("getComputedStyle(document.body).backgroundColor") == "rgb(252, 251, 249)", p.js("getComputedStyle(document.body).backgroundColor"))
        p.shot(f"{shots}/print.png")
        p.close()


def check_font(browser, page, expect, shots):
    """The browser's font size counts, in the style and in what is drawn."""
    p = Page(browser, page.as_uri())
    p.send("Page.setFontSizes", fontSizes={"standard": 24})
    p.send("Page.reload"), time.sleep(.5)
    p.wait("document.documentElement?.dataset.ready"), p.settle()
    sizes = p.js("[parseFloat(getComputedStyle(document.body).fontSize), document.querySelector('#groups .row').offsetHeight, document.getElementById('timeline').offsetHeight]")
    expect("the browser's font size is respected", sizes == [19.5, 39, 96], sizes)
    p.js("document.getElementById('graph').focus()"), p.key("ArrowDown")
    name = p.text("#details .name")
    p.mouse("mouseMoved", *p.js("(() => { const r = document.getElementById('graph').getBoundingClientRect(); return [r.left + 30, r.top + 48]; })()"))
    expect("... by the rows of the graph", p.text("#tip .name") == name, (name, p.text("#tip .name")))
    p.shot(f"{shots}/large-letters.png")
    p.close()


def check_hurry(p, expect):
    """Pointer and keys while a large page makes something else: what is on the picture is not what is being made."""
    left, top, width = p.js("(() => { const r = document.getElementById('graph').getBoundingClientRect(); return [r.left, r.top, r.width]; })()")
    for fragment in "#by=label:job", "#by=goroutine", "#by=creator&boxes=1", "#l=1", "#by=none", "#m=reverse", "":
        p.js(f"location.hash = '{fragment}'")
        for k in range(8):
            p.send("Input.dispatchMouseEvent", type="mouseMoved", x=left + 20 + width * k / 9, y=top + 30 + 20 * (k % 5), button="none", buttons=0)
            p.send("Input.dispatchMouseEvent", type="mouseMoved", x=left - 100, y=top + 90 + 20 * (k % 5), button="none", buttons=0)
            p.js("document.getElementById('filter').dispatchEvent(new Event('input'))")
        p.ready()
    expect("... a pointer that does not wait finds nothing wrong", not p.errors(), p.errors()[:1])
    seen = p.text("#details .name")
    p.js("location.hash = '#by=creator'"), p.js("document.querySelectorAll('#groups .row')[2].click()"), p.ready(), time.sleep(.3)
    expect("... and a click in a list that is about to change chooses nothing", p.js("location.hash") == "#by=creator" and seen == "all", p.js("location.hash"))
    p.go("")
