# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium, driven over DevTools."""
import base64, json, os, shutil, subprocess, tempfile, time
from pathlib import Path

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe""".split()


class Browser:
    """DevTools over a pipe: messages end in a NUL."""

    def __init__(self):
        self.home = tempfile.mkdtemp()
        ours_r, theirs_w = os.pipe()
        theirs_r, ours_w = os.pipe()
        command = f'exec chromium "$@" 3<&{theirs_r} 4>&{theirs_w}'
        self.process = subprocess.Popen(["sh", "-c", command, "sh", *FLAGS, f"--user-data-dir={self.home}"],
                                        pass_fds=(theirs_r, theirs_w), stderr=subprocess.DEVNULL)
        os.close(theirs_r), os.close(theirs_w)
        self.read, self.write, self.n, self.events = os.fdopen(ours_r, "rb"), os.fdopen(ours_w, "wb"), 0, []
        self.pending = b""

    def send(self, method, session=None, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self.write.write(json.dumps(message).encode() + b"\0")
        self.write.flush()
        while True:
            answer = json.loads(self.next())
            if answer.get("id") == self.n:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def next(self):
        while b"\0" not in self.pending:
            more = self.read.read1(1 << 20)
            if not more:
                raise RuntimeError("chromium has ended")
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return message

    def close(self):
        self.send("Browser.close")
        self.process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)


# What the page does that it should not.
WATCH = """window.longest = 0;
new PerformanceObserver((list) => { for (const e of list.getEntries()) longest = Math.max(longest, e.duration); }).observe({ type: "longtask", buffered: true });
window.refused = []; document.addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective));"""


class Page:
    def __init__(self, browser, url, width=1440, height=860, dark=False):
        self.browser = browser
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Network":
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])
        self.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.send("Page.navigate", url=url)
        self.wait("document.documentElement?.dataset.ready || document.querySelector('#problem:not([hidden])')")
        self.settle()

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def send(self, method, **params):
        return self.browser.send(method, session=self.session, **params)

    def js(self, code):
        answer = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{code}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition, seconds=30):
        end = time.time() + seconds
        while not self.js(f"!!({condition})"):
            if time.time() > end:
                raise RuntimeError(f"never: {condition}")
            time.sleep(0.02)

    def settle(self):
        self.send("Page.bringToFront")  # a page in the background does not draw
        self.js("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 30)).then(() => 0)")

    def text(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)}).textContent")

    def ready(self):
        """Until the page has shown what was asked for."""
        self.settle()
        self.wait("!document.documentElement.dataset.busy")
        self.settle()

    def errors(self):
        return [e["params"] for e in self.browser.events if e.get("sessionId") == self.session and
                (e["method"] == "Runtime.exceptionThrown" or e["method"] == "Runtime.consoleAPICalled")]

    def key(self, name, text=None, modifiers=0):
        self.send("Input.dispatchKeyEvent", type="keyDown", key=name, modifiers=modifiers, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", key=name, modifiers=modifiers)
        self.settle()

    def mouse(self, kind, x, y, button=None, modifiers=0):
        button = button or ("none" if kind == "mouseMoved" else "left")
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=int(button == "left"), modifiers=modifiers,
                  clickCount=int(kind != "mouseMoved"))
        self.settle()

    def go(self, fragment):
        self.js(f"location.hash = {json.dumps(fragment)}")
        self.ready()

    def cpu(self, fragment):
        """Goes there. Returns what that took of CPU time, in ms."""
        self.send("Performance.enable", timeDomain="threadTicks")
        spent = lambda: next(m["value"] for m in self.send("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")
        before = spent()
        self.go(fragment)
        return 1000 * (spent() - before)

    def shot(self, path):
        Path(path).write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))
