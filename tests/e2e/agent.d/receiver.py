#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""receiver.py DIR [ADDRESS [PORT]]: an HTTP receiver that fails as told.

Writes its port to DIR/port. What it does with a request is the word in DIR/mode: ok, a status
(400), "429 SECONDS" (with Retry-After), "limit N" (413 above N rows of samples), hang, close (without an answer), rubbish (a web page),
flood (100 MB), cut (an answer shorter than it says). Each request is a line of DIR/requests, in
JSON: when, mode, path, headers, the profile's id; the body of one that is taken is DIR/ID.
"""
import http.server
import json
import os
import socket
import sys
import threading
import time

import wire

where = sys.argv[1]
lock = threading.Lock()


def mode():
    try:
        with open(os.path.join(where, "mode")) as f:
            return f.read().split()
    except FileNotFoundError:
        return ["ok"]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self, words, ident, **more):
        line = {"t": time.monotonic(), "mode": " ".join(words), "path": self.path, "id": ident,
                "headers": {k.lower(): v for k, v in self.headers.items()}, **more}
        with lock, open(os.path.join(where, "requests"), "a") as f:
            f.write(json.dumps(line) + "\n")

    def answer(self, status, kind, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        self.wfile.write(body)

    def flood(self):
        """As much of 100 MB as it takes; returns how much."""
        self.send_response(200)
        self.send_header("Content-Type", self.headers["Content-Type"])
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        sent = 0
        try:
            while sent < 100 << 20:
                self.wfile.write(b"x" * (1 << 20))
                sent += 1 << 20
        except OSError:
            pass
        self.close_connection = True
        return sent

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        words = mode()
        ident = wire.identify(self.path, body)
        kind = self.headers["Content-Type"]
        if words[0] == "limit":
            large = len(wire.Push(body).profile.count) > int(words[1])
            words = ["413"] if large else ["ok"]
        if words[0] == "ok":
            with open(os.path.join(where, ident), "wb") as f:
                f.write(body)
            self.note(words, ident)
            self.answer(200, kind)
        elif words[0] == "flood":
            self.note(words, ident, sent=self.flood())
        elif words[0].isdigit():
            self.note(words, ident)
            after = {"Retry_After": words[1]} if len(words) > 1 else {}
            self.answer(int(words[0]), "application/json", b'{"code":"x","message":"no"}', **after)
        elif words[0] == "hang":
            self.note(words, ident)
            time.sleep(3600)
        elif words[0] == "close":
            self.note(words, ident)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif words[0] == "cut":
            self.note(words, ident)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
            self.close_connection = True
        else:  # rubbish
            self.note(words, ident)
            self.answer(200, "text/html", b"<html>hello</html>")

    def log_message(self, *args):
        pass

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass


address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
server = Server((address, int(sys.argv[3]) if len(sys.argv) > 3 else 0), Handler)
with open(os.path.join(where, "port.new"), "w") as f:
    f.write(str(server.server_address[1]))
os.rename(os.path.join(where, "port.new"), os.path.join(where, "port"))
server.serve_forever()
