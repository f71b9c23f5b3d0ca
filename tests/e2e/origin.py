# SPDX-License-Identifier: Apache-2.0
"""A scripted HTTP origin on loopback: answers each path as it is told, also wrongly, and counts."""
import collections
import http.server
import socket
import struct
import threading
import time


class Origin:
    """origin.put("/a.jpg", data); origin.play("/b.jpg", short_body(data)); origin.count()"""

    def __init__(self):
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with origin.lock:
                    origin.counts[self.path] += 1
                    origin.heads.append((self.path, dict(self.headers)))
                    behave = origin.scripts.get(self.path.split("?")[0], status(404))
                try:
                    behave(self)
                except OSError:
                    self.close_connection = True  # the client went away, which some scripts provoke

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_):
                pass

        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.heads = []
        self.scripts = {}
        self.server = Listener(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def rule(self, **more):
        """The origin of a site's policy that points here. Loopback must be allowed by name."""
        return {"url": self.url, "allow_private_addresses": True, **more}

    def put(self, path, data, media_type="image/jpeg", delay_s=0.0):
        self.play(path, good(data, media_type, delay_s))

    def play(self, path, behave):
        with self.lock:
            self.scripts[path] = behave

    def count(self, path=None):
        with self.lock:
            return self.counts[path] if path else sum(self.counts.values())

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# --- behaviours: functions of the request's handler


def good(data, media_type="image/jpeg", delay_s=0.0):
    def behave(handler):
        time.sleep(delay_s)
        handler.send_response(200)
        handler.send_header("Content-Type", media_type)
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        handler.end_headers()
        handler.wfile.write(data)
    return behave


def status(code, body=b"no", delay_s=0.0):
    def behave(handler):
        time.sleep(delay_s)
        handler.send_response(code)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    return behave


def short_body(data, missing=100):
    """Announces everything, sends less, closes."""
    def behave(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "image/jpeg")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:-missing])
        handler.close_connection = True
    return behave


def cut_chunks(data):
    """A chunked body whose last chunk never comes."""
    def behave(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n" % len(data) + data[:-10])
        handler.close_connection = True
    return behave


def endless(chunk=b"x" * 65536):
    """A body without announced length that does not end."""
    def behave(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "image/jpeg")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        for _ in range(1 << 14):
            handler.wfile.write(chunk)
    return behave


def drip(data, bytes_a_second=10):
    """Sends, but so slowly that nobody would wait for the end."""
    def behave(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        for byte in data:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(1 / bytes_a_second)
    return behave


def reset():
    """Closes with a TCP reset instead of an answer."""
    def behave(handler):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
    return behave


def redirect(location, code=302):
    def behave(handler):
        handler.send_response(code)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return behave


def nonsense():
    """Not HTTP at all."""
    def behave(handler):
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        handler.close_connection = True
    return behave
