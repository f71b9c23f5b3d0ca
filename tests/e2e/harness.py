# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test stands on: the real server on free ports with a settings file of its
own, and curl as the client. Standard library only; the scripted origin is origin.py, reading
pictures is pictures.py.

    class FirstPicture(harness.Case):
        def test_it(self):
            server = self.serve({"shop": {"origin": {"folder": SAMPLES}}})
            answer = server.get("/shop/dress.jpg?w=600")
"""
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(os.environ.get("TINTYPE_ROOT", pathlib.Path(__file__).resolve().parents[2]))
# Absolute, because tests set working folders of their own.
BINARY = os.path.abspath(os.environ.get("TINTYPE_BINARY", str(ROOT / "build/dev/tintype")))
SAMPLES = str(ROOT / "samples")
CORPORA = ROOT.parent / "shared" / "corpora"

# How long a server may take to come up or go down before a test gives up. Generous: a debug build
# on a busy machine; nothing here measures speed.
PATIENCE_S = 60

PROBLEM = "application/problem+json"


@dataclasses.dataclass
class Answer:
    """What curl got: names of headers in lower case, several lines of one name joined by ', '."""
    status: int
    headers: dict
    body: bytes
    seconds: float

    def problem(self):
        return json.loads(self.body)

    @property
    def max_age(self):
        """Cache-Control's max-age in seconds; None for no-store."""
        control = self.headers.get("cache-control", "")
        parts = [p.strip() for p in control.split(",")]
        ages = [int(p.split("=")[1]) for p in parts if p.startswith("max-age=")]
        return ages[0] if ages else None


def parse_head(text):
    """The last head in curl's dump (a 100 Continue may stand before it)."""
    blocks = [b for b in text.replace("\r\n", "\n").split("\n\n") if b.strip()]
    lines = blocks[-1].split("\n") if blocks else []
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def curl(url, *arguments, timeout_s=PATIENCE_S):
    """One request, as it stands: no path is tidied, no redirect followed."""
    with tempfile.TemporaryDirectory() as folder:
        body, head = os.path.join(folder, "body"), os.path.join(folder, "head")
        command = ["curl", "-sS", "--path-as-is", "--globoff", "--max-time", str(timeout_s),
                   "--noproxy", "*", "-o", body, "-D", head, "-w", "%{http_code} %{time_total}",
                   *arguments, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ConnectionError(f"curl {url}: {done.stderr.strip()} (exit {done.returncode})")
        status, seconds = done.stdout.split()
        data = pathlib.Path(body).read_bytes() if os.path.exists(body) else b""
        # Header values are bytes; ours are ASCII, and a test should see it if they are not.
        text = pathlib.Path(head).read_bytes().decode("latin-1")
    return Answer(int(status), parse_head(text), data, float(seconds))


class Server:
    """A running tintype. Made by Case.serve(), which also stops it."""

    def __init__(self, folder, sites, settings=None, environment=None):
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "tintype.yaml"
        self.settings = {
            "server": {"port": 0, "admin_port": 0, "loops": 2, "drain_accept": "0s",
                       "access_log": str(self.folder / "access.log")},
            "workers": {"count": 2},
            "log": {"level": "debug", "format": "json"},
        }
        for section, fields in (settings or {}).items():
            self.settings.setdefault(section, {}).update(fields)
        self.write_settings(sites)
        # None takes a variable out of the surroundings.
        self.environment = {name: value for name, value
                            in {**os.environ, **(environment or {})}.items() if value is not None}
        self.log_path = self.folder / "server.log"
        self.process = None
        self.port = self.admin_port = 0

    def write_settings(self, sites):
        """Replaces the settings file at one stroke, as an editor does. JSON is YAML. None: the
        sites are not in the file."""
        named = {} if sites is None else {"sites": sites}
        text = json.dumps({**self.settings, **named}, indent=1)
        self.write_settings_text(text)

    def write_settings_text(self, text):
        temporary = self.config.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, self.config)

    def start(self):
        already = len(self.log_lines())
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--config", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.environment, start_new_session=True)
        line = self.wait_for_log("serving", skip=already)
        self.port, self.admin_port = line["port"], line["admin_port"]
        self.wait_until(lambda: self.admin("/_/health").status == 200, "the server to be healthy")
        return self

    def stop(self, patience_s=PATIENCE_S):
        """SIGTERM; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_for_exit(patience_s)

    def wait_for_exit(self, patience_s=PATIENCE_S):
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no exit {patience_s} s after SIGTERM\n" + self.log()) from None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # --- asking

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path, *arguments, accept=None, timeout_s=PATIENCE_S):
        # curl's own "Accept: */*" is taken away: a test says what it accepts.
        accepting = ["-H", f"Accept: {accept}"] if accept is not None else ["-H", "Accept:"]
        return curl(self.url(path), *accepting, *arguments, timeout_s=timeout_s)

    def admin(self, path):
        return curl(f"http://127.0.0.1:{self.admin_port}{path}", timeout_s=PATIENCE_S)

    def raw(self, data, wait_s=PATIENCE_S):
        """Sends bytes and reads until the server closes; for what curl would not send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait_s) as connection:
            connection.sendall(data)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return received

    def exchange(self, requests):
        """Sends raw requests, of which the last must close; returns the answers in their order.
        Heads asked for with HEAD are understood to have no body: a body would be read as an answer,
        and fail."""
        received, answers = self.raw(b"".join(requests)), []
        for request in requests:
            head, separator, received = received.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 ") or not separator:
                raise AssertionError(f"this is no answer: {head[:200]}")
            headers = parse_head(head.decode("latin-1"))
            size = 0 if request.startswith(b"HEAD ") else int(headers.get("content-length", 0))
            answers.append(Answer(int(head.split()[1]), headers, received[:size], 0))
            received = received[size:]
        if received:
            raise AssertionError(f"more than was asked for: {received[:200]}")
        return answers

    def head(self, path):
        return self.exchange([f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                              .encode()])[0]

    def metric(self, series):
        """The value of one series, named as in the exposition: 'tintype_renders_total'."""
        for line in self.admin("/_/metrics").body.decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        raise AssertionError(f"there is no series {series}")

    # --- reading what it says

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_lines(self):
        lines = []
        for line in self.log().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                pass
        return lines

    def wait_for_log(self, event, skip=0, **fields):
        def find():
            # Asked before the log is read: a server that said it and then ended has said it.
            code = self.process.poll()
            line = next((line for line in self.log_lines()[skip:] if line.get("event") == event
                         and all(line.get(k) == v for k, v in fields.items())), None)
            if line is None and code is not None:
                raise AssertionError(f"the server ended with {code}\n" + self.log())
            return line
        return self.wait_until(find, f"the log to say {event}")

    def wait_until(self, condition, what):
        """Polls until the condition is truthy and returns it; fails after PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}\n" + self.log()[-4000:])


class Case(unittest.TestCase):
    maxDiff = None

    def temporary_folder(self):
        folder = tempfile.mkdtemp(prefix="tintype-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return pathlib.Path(folder)

    def serve(self, sites, settings=None, environment=None):
        """Starts a server that is stopped with the test, and must then exit with 0."""
        server = Server(self.temporary_folder(), sites, settings, environment)
        self.addCleanup(server.kill)
        server.start()
        self.addCleanup(self.stop, server)
        return server

    def stop(self, server):
        if server.process.poll() is None:
            code = server.stop()
            self.assertEqual(code, 0, "SIGTERM must end in exit code 0\n" + server.log()[-4000:])

    # --- saying what an answer must be

    def expect_picture(self, answer, media_type=None):
        self.assertEqual(answer.status, 200, answer.body[:500])
        if media_type:
            self.assertEqual(answer.headers["content-type"], media_type)
        self.assertEqual(int(answer.headers["content-length"]), len(answer.body))
        self.assertRegex(answer.headers["etag"], r'^"[^"]+"$')
        self.assertIn("max-age=", answer.headers["cache-control"])
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def expect_problem(self, answer, status, code=None):
        """Problem details (RFC 9457) with nothing private in them; returns the document."""
        self.assertEqual(answer.status, status, (answer.headers, answer.body[:500]))
        self.assertEqual(answer.headers["content-type"], PROBLEM)
        document = answer.problem()
        self.assertEqual(document["status"], status)
        self.assertTrue(document["type"])
        self.assertTrue(document["title"])
        if code:
            self.assertEqual(document["code"], code)
            self.assertEqual(document["type"], "urn:tintype:error:" + code)
        self.assertIn("cache-control", answer.headers)
        # A failure is never kept as long as a picture (the longest rule is one hour).
        self.assertLessEqual(answer.max_age or 0, 3600)
        self.assertNotIn(b"tintype-e2e-", answer.body, "a path of the server's disk went out")
        return document


def crowd(port, target, count, timeout_s=PATIENCE_S):
    """Sends `count` identical requests on as many connections at once; returns [(status, body)]."""
    request = (f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").encode()
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        connection.sendall(request)
        connections.append(connection)
    answers = []
    for connection in connections:
        received = b""
        with connection:
            while chunk := connection.recv(1 << 20):
                received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        answers.append((int(head.split(b" ", 2)[1]), body))
    return answers


class Thread:
    """Runs a function at once; result() waits for what it returned or raised."""

    def __init__(self, function, *arguments, **named):
        self.outcome = concurrent.futures.Future()

        def work():
            try:
                self.outcome.set_result(function(*arguments, **named))
            except BaseException as error:  # handed to whoever asks for the result
                self.outcome.set_exception(error)

        threading.Thread(target=work, daemon=True).start()

    def result(self, patience_s=PATIENCE_S):
        return self.outcome.result(patience_s)


def main():
    if not os.path.exists(BINARY):
        raise SystemExit(f"there is no {BINARY}: ./dev build dev, or set TINTYPE_BINARY")
    unittest.main(verbosity=2)
