#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""slow.py PORT SECONDS: clients that only cost. Some send a byte now and then, some send rubbish
or a head without end, some ask and do not read. A connection that is closed is opened anew."""
import random
import socket
import sys
import time

port, end = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: "
kinds = [lambda i: request[i:i + 1] or b"y", lambda i: bytes(random.randrange(256) for _ in range(50)),
         lambda i: request if not i else b"z" * 1000, lambda i: request + b"\r\n\r\n"]
open_now, opened = [], 0
while time.monotonic() < end:
    while len(open_now) < 40:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        s.settimeout(0.2)
        try:
            s.connect(("127.0.0.1", port))
        except OSError:
            break
        s.setblocking(False)
        open_now.append([s, opened % len(kinds), 0])
        opened += 1
    for one in list(open_now):
        try:
            one[0].send(kinds[one[1]](one[2]))
            one[2] += 1
        except BlockingIOError:
            pass
        except OSError:
            one[0].close()
            open_now.remove(one)
    time.sleep(0.3)
print(opened)
