#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is not a picture is a problem document: right status, option, value and what is allowed; its
own cache time; nothing private."""
import io
import pathlib

import harness
import pictures
from PIL import Image

WRONG_VALUES = [
    # option, value as in the URL, what the text must say
    ("w", "abc", ["abc", "1 to 16383"]),
    ("w", "0", ["0", "1 to 16383"]),
    ("w", "-1", ["-1", "1 to 16383"]),
    ("w", "99999", ["99999", "1 to 16383"]),
    ("w", "1e3", ["1e3"]),
    ("w", "%EF%BC%91%EF%BC%90", ["1 to 16383"]),
    ("h", "12.5", ["12.5"]),
    ("fit", "fill", ["fill", "cover"]),
    ("q", "101", ["101", "1 to 100"]),
    ("f", "gif", ["gif", "avif"]),
    ("rot", "45", ["45", "90"]),
    ("ar", "16:0", ["16:0"]),
    ("blur", "1000", ["1000", "100"]),
    ("g", "upwards", ["upwards"]),
    ("crop", "1,2,3", ["1,2,3"]),
    ("bg", "notacolour", ["notacolour"]),
    ("dpr", "nan", ["nan", "8"]),
    ("p", "unheard-of", ["unheard-of"]),
]


class Errors(harness.Case):
    def setUp(self):
        self.folder = self.temporary_folder()
        self.put("good.jpg", pictures.make())
        self.server = self.serve({
            "shop": {"origin": {"folder": str(self.folder), "max_source": "2MB"},
                     "presets": {"thumb": "w=100", "card": "w=300"},
                     "limits": {"max_width": 2000, "max_height": 2000,
                                "max_source_pixels": 1_000_000}},
            "strict": {"origin": {"folder": str(self.folder)}, "unknown_parameters": "refuse"}})

    def put(self, name, data):
        (self.folder / name).write_bytes(data)

    def test_wrong_values_name_option_value_and_what_is_allowed(self):
        for option, value, words in WRONG_VALUES:
            with self.subTest(option=option, value=value):
                answer = self.server.get(f"/shop/good.jpg?{option}={value}")
                document = self.expect_problem(answer, 400, "bad-request")
                self.assertEqual(document["option"], option)
                for word in words:
                    self.assertIn(word, document["detail"])
                self.assertEqual(answer.max_age, 60)

    def test_contradiction(self):
        answer = self.server.get("/shop/good.jpg?w=100&w=200")
        self.assertEqual(self.expect_problem(answer, 400, "bad-request")["option"], "w")

    def test_a_site_may_refuse_what_it_does_not_know(self):
        answer = self.server.get("/strict/good.jpg?w=10&wdth=100")
        self.assertIn("wdth", self.expect_problem(answer, 400, "bad-request")["detail"])
        self.expect_picture(self.server.get("/shop/good.jpg?w=10&wdth=100"))

    def test_limits_of_the_site(self):
        answer = self.server.get("/shop/good.jpg?w=1500&dpr=2&up=1")
        document = self.expect_problem(answer, 400, "bad-request")
        self.assertIn("2000", document["detail"])

    def test_not_found(self):
        for path in ("/nobody/good.jpg", "/shop/absent.jpg", "/shop/", "/shop", "/shop/folder/"):
            with self.subTest(path=path):
                answer = self.server.get(path + "?w=100")
                self.assertIn(answer.status, (400, 404))
                self.expect_problem(answer, answer.status)
        document = self.expect_problem(self.server.get("/shop/absent.jpg"), 404, "not-found")
        self.assertNotIn(str(self.folder), str(document))
        self.assertEqual(self.server.get("/shop/absent.jpg").max_age, 30)

    def test_methods(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            with self.subTest(method=method):
                answer = self.server.get("/shop/good.jpg", "-X", method)
                self.expect_problem(answer, 405)
                self.assertEqual(answer.headers["allow"], "GET, HEAD")

    def test_unknown_method(self):
        self.assertIn(b" 501 ", self.server.raw(b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n")[:20])

    def test_long_target(self):
        answer = self.server.get("/shop/good.jpg?w=1&x=" + "y" * 9000)
        self.expect_problem(answer, 414)

    def test_long_head(self):
        answer = self.server.get("/shop/good.jpg", "-H", "X: " + "y" * 17000)
        self.expect_problem(answer, 431)

    def test_many_fields(self):
        headers = [part for i in range(120) for part in ("-H", f"X-{i}: 1")]
        self.expect_problem(self.server.get("/shop/good.jpg", *headers), 431)

    def test_a_body_is_refused(self):
        answer = self.server.get("/shop/good.jpg", "-X", "GET", "--data-binary", "x" * 10)
        self.assertIn(answer.status, (400, 413))
        self.expect_problem(answer, answer.status)

    def test_unsupported(self):
        self.put("page.jpg", b"<!doctype html><title>not a picture</title>")
        self.put("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.put("empty.jpg", b"")
        self.put("words.png", b"hello, world\n" * 10)
        for name in ("page.jpg", "drawing.svg", "words.png", "empty.jpg"):
            with self.subTest(name=name):
                answer = self.server.get(f"/shop/{name}?w=100")
                self.assertIn(answer.status, (415, 422))
                self.expect_problem(answer, answer.status)
        answer = self.server.get("/shop/page.jpg?w=100")
        self.expect_problem(answer, 415, "unsupported")
        self.assertEqual(answer.max_age, 60)

    def test_damaged(self):
        whole = pictures.make("JPEG", (400, 300), "red", quality=90)
        self.put("cut.jpg", whole[:len(whole) // 2])
        self.put("header-only.jpg", whole[:200])
        png = pictures.make("PNG", (400, 300), "red")
        self.put("cut.png", png[:len(png) // 2])
        for name in ("cut.jpg", "header-only.jpg", "cut.png"):
            with self.subTest(name=name):
                answer = self.server.get(f"/shop/{name}?w=100")
                self.expect_problem(answer, 422, "corrupt")
        self.assertEqual(self.server.metric("tintype_worker_crashes_total"), 0)

    def test_too_many_pixels(self):
        self.put("big.png", pictures.make("PNG", (1200, 1000)))
        answer = self.server.get("/shop/big.png?w=100")
        self.expect_problem(answer, 422, "too-large")

    def test_bomb(self):
        # 400 megapixels in a few kilobytes: refused by its header, before a pixel is decoded.
        out = io.BytesIO()
        Image.new("1", (20000, 20000)).save(out, "PNG")
        self.put("bomb.png", out.getvalue())
        answer = self.server.get("/shop/bomb.png?w=100")
        self.expect_problem(answer, 422, "too-large")
        self.assertEqual(self.server.metric("tintype_renders_total"), 0)

    def test_too_many_bytes(self):
        self.put("heavy.jpg", pictures.make() + b"\0" * 2_000_001)
        answer = self.server.get("/shop/heavy.jpg?w=100")
        self.assertIn(answer.status, (413, 422))
        self.expect_problem(answer, answer.status, "too-large")

    def test_smuggling_is_refused_and_the_connection_closed(self):
        get = b"GET /shop/good.jpg?w=10 HTTP/1.1\r\n"
        for name, request in {
                "two hosts": get + b"Host: a\r\nHost: b\r\n\r\n",
                "no host": get + b"\r\n",
                "coding": get + b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "both": get + b"Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                "folded": get + b"Host: a\r\nX: b\r\n c\r\n\r\n",
                "bare LF": get + b"Host: a\n\n",
                "space before colon": get + b"Host : a\r\n\r\n",
                "NUL": get + b"Host: a\r\nX: \0\r\n\r\n",
                "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"}.items():
            with self.subTest(name=name):
                received = self.server.raw(request + get + b"Host: a\r\n\r\n")
                statuses = [line.split(b" ")[1] for line in received.split(b"\r\n")
                            if line.startswith(b"HTTP/1.1 ")]
                self.assertEqual(len(statuses), 1, received[:500])
                self.assertIn(statuses[0], (b"400", b"501"))
                self.assertIn(b"connection: close", received.lower())

    def test_malformed_targets(self):
        for path in ("/shop/good.jpg%zz", "/shop/good%00.jpg", "/shop/%ff%fe.jpg",
                     "/shop//good.jpg", "/shop/good.jpg?w=%zz", "/shop/a%0ab.jpg"):
            with self.subTest(path=path):
                self.expect_problem(self.server.get(path), 400, "bad-request")

    def test_errors_are_documented(self):
        text = pathlib.Path(harness.ROOT, "docs/errors.md").read_text(encoding="utf-8")
        for code in ("bad-request", "not-found", "unsupported", "corrupt", "too-large"):
            self.assertIn(f"## {code}\n", text)


if __name__ == "__main__":
    harness.main()
