# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of an engine that misbehaves on command: refuses, hangs, is slow, answers errors
of its own, tears bodies. Without a command it passes everything on, and counts."""
import collections
import http.client
import http.server
import socket
import threading
import time

# Headers that belong to a connection, not to a request.
HOPS = ("connection", "keep-alive", "transfer-encoding", "content-length", "proxy-connection")


def s3_error(code):
    return (f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
            "<Message>on command</Message></Error>").encode()


class Fault:
    """fault = Fault(ceph.port); fault.play("hang"); fault.play("pass"); fault.close()

    play("status", status=503, body=s3_error("SlowDown")): an answer of its own
    play("hang"): takes the request and says nothing
    play("slow", seconds=1): the answer's head comes so late
    play("tear", size=100): the answer ends after so many bytes of its body
    play("reset"): takes the request and closes
    `when`, a function of (method, target, headers), chooses the requests; others pass."""

    def __init__(self, port):
        self.backend = port
        self.lock = threading.Lock()
        self.requests = []  # (method, target, headers, what was done)
        self.mode, self.details = "pass", {}
        self.over = threading.Event()  # those who hang are let go
        self.connections = set()
        self.port = 0
        self.server = None
        self.accept()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def accept(self):
        """Listens, after refuse() again on the same port."""
        fault = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                with fault.lock:
                    fault.connections.add(self.connection)

            def finish(self):
                with fault.lock:
                    fault.connections.discard(self.connection)
                super().finish()

            def handle_one(self):
                try:
                    fault.answer(self)
                except OSError:
                    self.close_connection = True  # either side went away

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_):
                pass

        self.server = Listener(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def refuse(self):
        """Connections are refused, and those that stand are cut; accept() ends that."""
        self.server.shutdown()
        self.server.server_close()
        with self.lock:
            open_ones = list(self.connections)
        for connection in open_ones:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already

    def play(self, mode, when=lambda *_: True, **details):
        with self.lock:
            over, self.over = self.over, threading.Event()
            self.mode, self.details = mode, {"when": when, **details}
        over.set()

    def count(self, method=None, text=""):
        with self.lock:
            return sum(1 for one in self.requests
                       if method in (None, one[0]) and text in one[1])

    def modes(self):
        with self.lock:
            return collections.Counter(one[3] for one in self.requests)

    def close(self):
        self.play("pass")
        self.refuse()

    # --- one request

    def answer(self, handler):
        size = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(size) if size else None
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self.lock:
            mode, details, over = self.mode, self.details, self.over
            if mode != "pass" and not details["when"](handler.command, handler.path, headers):
                mode = "pass"
            self.requests.append((handler.command, handler.path, headers, mode))
        if mode == "hang":
            over.wait(60)
        if mode in ("hang", "reset"):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if mode == "status":
            self.send(handler, details["status"],
                      [("Content-Type", details.get("type", "application/xml"))],
                      details.get("body", b""))
            return
        status, named, data = self.ask(handler, body)
        if mode == "slow":
            over.wait(details["seconds"])
        self.send(handler, status, named, data, details["size"] if mode == "tear" else None)

    def ask(self, handler, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.backend, timeout=60)
        try:
            connection.putrequest(handler.command, handler.path, skip_host=True,
                                  skip_accept_encoding=True)
            for name, value in handler.headers.items():
                if name.lower() not in HOPS:
                    connection.putheader(name, value)
            if body is not None or handler.command in ("PUT", "POST"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            response = connection.getresponse()
            data = response.read()
            if handler.command == "HEAD":
                data = None
            return response.status, response.getheaders(), data
        finally:
            connection.close()

    @staticmethod
    def send(handler, status, headers, body, torn_at=None):
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOPS or (body is None and name.lower() == "content-length"):
                handler.send_header(name, value)
        if body is not None and status not in (204, 304):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if body is None or status in (204, 304) or handler.command == "HEAD":
            return
        if torn_at is None or torn_at >= len(body):
            handler.wfile.write(body)
            return
        handler.wfile.write(body[:torn_at])
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)


def wait_until(condition, what, patience_s=30):
    """Polls until the condition is truthy and returns it."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s} s in vain for {what}")
