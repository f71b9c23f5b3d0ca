#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tintype warm: standard variants of lists, sitemaps, logs and folders are made before anybody
asks; what a run has done is kept; a busy or broken server is waited for."""
import gzip
import os
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import harness

SITES = {"shop": {"origin": {"folder": harness.SAMPLES}, "formats": ["webp"],
                  "presets": {"card": "w=60&h=60&fit=cover", "thumb": "w=40"}}}


class Listener:
    """A server that notes what it is asked and answers as it is told."""

    def __init__(self, answer):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                asked.append(self.path)
                status, headers = answer(len(asked), self)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"abc")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Warm(harness.Case):
    def setUp(self):
        self.folder = self.temporary_folder()
        self.write_config(SITES)

    def write_config(self, sites):
        harness.Server(self.folder, sites)  # writes tintype.yaml, and is never started

    def warm(self, *arguments, stdin=""):
        done = subprocess.run([harness.BINARY, "warm", *map(str, arguments)], input=stdin,
                              capture_output=True, text=True, timeout=harness.PATIENCE_S,
                              check=False, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def listen(self, answer=lambda count, request: (200, {})):
        listener = Listener(answer)
        self.addCleanup(listener.close)
        return listener

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def test_what_is_warm_is_a_hit(self):
        server = self.serve(SITES)
        code, out, err = self.warm("--skus", "-", "--server", f"http://127.0.0.1:{server.port}",
                                   stdin="dress.jpg\n")
        self.assertEqual(code, 0, out + err)
        self.assertIn("1 sources x 2 presets: 4 variants (2 jpeg, 2 webp)", out)
        self.assertEqual(server.metric("tintype_renders_total"), 4)
        for accept in ("image/webp", None):
            for preset in ("card", "thumb"):
                answer = server.get(f"/shop/dress.jpg?p={preset}", accept=accept)
                self.expect_picture(answer)
                self.assertIn("hit", answer.headers["cache-status"])
        self.assertEqual(server.metric("tintype_renders_total"), 4)
        self.assertFalse((self.folder / "tintype-warm-shop.state").exists())

    def test_a_signed_site(self):
        sites = {"shop": {**SITES["shop"], "signing": {"keys": ["0123456789abcdef"]}}}
        self.write_config(sites)
        server = self.serve(sites)
        code, out, err = self.warm("--skus", "-", "--presets", "card", "--server",
                                   f"http://127.0.0.1:{server.port}", stdin="dress.jpg\n")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(server.metric("tintype_renders_total"), 2)

    def test_every_input(self):
        listener = self.listen()
        everything = ["--presets", "card", "--accept", "none", "--server", listener.url, "--fresh"]

        def asked_by(*arguments, stdin=""):
            listener.asked.clear()
            code, out, err = self.warm(*everything, *arguments, stdin=stdin)
            self.assertEqual(code, 0, out + err)
            return sorted(path.split("/_/")[0] for path in listener.asked)

        self.assertEqual(asked_by("--skus", "-", "--pattern", "p/{}/front.jpg",
                                  stdin="4711\n# no\n4712\n"),
                         ["/shop/p/4711/front.jpg", "/shop/p/4712/front.jpg"])
        self.assertEqual(asked_by("--list", "-", "--strip-prefix", "shop/",
                                  stdin="2026-11-24 17:00:01   99 shop/a.jpg\n"
                                        "2026-11-24 17:00:01   99 logs/a.gz\n"), ["/shop/a.jpg"])
        log = self.write("log", "/shop/b.jpg?w=1\n/shop/a.jpg?w=1\n/shop/b.jpg?w=2\n/other/c.jpg\n")
        self.assertEqual(asked_by("--log", log, "--limit", 1), ["/shop/b.jpg"])
        one = self.folder / "one.xml.gz"
        with gzip.open(one, "wt") as out:
            out.write("<urlset><url><loc>https://shop.example/page</loc><image:image>"
                      "<image:loc>https://img.example/shop/map.jpg?w=5</image:loc></image:image>"
                      "</url></urlset>")
        index = self.write("index.xml", f"<sitemapindex><sitemap><loc>{one}</loc></sitemap>"
                                        "</sitemapindex>")
        self.assertEqual(asked_by("--sitemap", index), ["/shop/map.jpg"])
        self.assertEqual(len(asked_by("--bucket")),
                         sum(name.endswith((".jpg", ".png", ".webp", ".avif", ".gif"))
                             for _, _, names in os.walk(harness.SAMPLES) for name in names))

    def test_the_estimate_asks_nobody(self):
        listener = self.listen()
        skus = self.write("skus", "".join(f"{i}.jpg\n" for i in range(1000)))
        code, out, err = self.warm("--skus", skus, "--server", listener.url, "--dry-run",
                                   "--usd-cpu-hour", "0.04")
        self.assertEqual(code, 0, err)
        self.assertIn("4,000 variants (2,000 jpeg, 2,000 webp)", out)
        self.assertIn("at 20 a second 3 min", out)
        self.assertRegex(out, r"CPU +\$\d")
        self.assertNotIn("storage", out)
        self.assertEqual(listener.asked, [])

    def test_failures_are_listed_and_tried_again(self):
        listener = self.listen(lambda count, request: (404 if "bad" in request.path else 200, {}))
        arguments = ["--skus", self.write("skus", "good.jpg\nbad.jpg\n"), "--presets", "card",
                     "--server", listener.url]
        code, out, err = self.warm(*arguments)
        self.assertEqual(code, 1)
        self.assertEqual(err.count("answered with 404"), 2, err)
        self.assertIn("2 failed", out)
        listener.asked.clear()
        code, out, err = self.warm(*arguments)
        self.assertEqual(code, 1)
        self.assertEqual(len(listener.asked), 2, "only what failed is asked for again")
        self.assertTrue(all("bad.jpg" in path for path in listener.asked))
        self.assertIn("2 were done before", out)

    def test_a_busy_server_is_waited_for(self):
        listener = self.listen(lambda count, request: (503, {"Retry-After": "1"}) if count == 1
                               else (200, {}))
        code, out, err = self.warm("--skus", "-", "--presets", "card", "--at-once", 1, "--server",
                                   listener.url, stdin="a.jpg\n")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(len(listener.asked), 3)
        self.assertIn("asked to wait 1 times", out)

    def begin(self, listener, count=500):
        """A run that is under way: some are done, most are not."""
        skus = self.write("skus", "".join(f"{i}.jpg\n" for i in range(count)))
        command = [harness.BINARY, "warm", "--skus", str(skus), "--presets", "card", "--accept",
                   "none", "--rate", "200", "--server", listener.url]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + harness.PATIENCE_S
        while len(listener.asked) < 150 and time.monotonic() < end:
            time.sleep(0.01)
        self.assertGreaterEqual(len(listener.asked), 150)
        return process, ["--skus", skus, "--presets", "card", "--accept", "none", "--rate", "2000",
                         "--server", listener.url]

    def test_it_goes_on_after_a_kill(self):
        listener = self.listen()
        process, again = self.begin(listener)
        process.kill()
        process.communicate()
        before = len(listener.asked)
        self.assertLess(before, 500)
        code, out, err = self.warm(*again)
        self.assertEqual(code, 0, out + err)
        self.assertEqual(len(set(listener.asked)), 500)
        # Only those of the last batch, and what was under way, are asked for twice.
        self.assertLessEqual(len(listener.asked) - 500, 64 + 4)
        self.assertIn("were done before", out)

    def test_it_ends_in_order(self):
        listener = self.listen()
        process, again = self.begin(listener)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn("the same command goes on", out)
        before = len(listener.asked)
        code, out, err = self.warm(*again)
        self.assertEqual(code, 0, out + err)
        self.assertEqual(len(listener.asked), 500, "nothing is asked for twice")
        self.assertIn(f"{before} were done before", out)

    def test_what_it_refuses(self):
        for arguments, words in ((["--skus", "-"], "name a --server"),
                                 (["--server", "http://127.0.0.1:1"], "no sources"),
                                 (["--skus", "-", "--presets", "zoom"], "no such preset"),
                                 (["--skus", "-", "--pattern", "x.jpg"], "must hold {}"),
                                 (["--skus", "-", "--accept", "bmp"], "--accept bmp"),
                                 (["--skus", "-", "--server", "ftp://x"], "must be a URL"),
                                 (["--skus", "-", "--rate", "0"], "--rate"),
                                 (["--site", "x", "--skus", "-"], "must be one of shop")):
            code, out, err = self.warm(*arguments, stdin="a.jpg\n")
            self.assertEqual(code, 2, (arguments, out, err))
            self.assertIn(words, err)
        code, _, err = self.warm("--skus", "missing", "--server", "http://127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertIn("missing", err)


if __name__ == "__main__":
    harness.main()
