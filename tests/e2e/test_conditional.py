#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Conditional requests, ranges and HEAD (RFC 9110 sections 9.3.2, 13 and 14)."""
import harness

PATH = "/shop/dress.jpg?w=300&f=jpeg"


class Conditional(harness.Case):
    def setUp(self):
        self.server = self.serve({"shop": {"origin": {"folder": harness.SAMPLES}}})
        self.whole = self.server.get(PATH)
        self.expect_picture(self.whole, "image/jpeg")
        self.etag = self.whole.headers["etag"]

    def ask(self, *headers):
        return self.server.get(PATH, *(part for h in headers for part in ("-H", h)))

    def expect_not_modified(self, answer):
        self.assertEqual(answer.status, 304)
        self.assertEqual(answer.body, b"")
        self.assertEqual(answer.headers["etag"], self.etag)
        self.assertEqual(answer.headers["cache-control"], self.whole.headers["cache-control"])

    def expect_whole(self, answer):
        self.expect_picture(answer, "image/jpeg")
        self.assertEqual(answer.body, self.whole.body)

    def test_etag(self):
        for value in (self.etag, "W/" + self.etag, f'"x", {self.etag}', "*"):
            with self.subTest(value=value):
                self.expect_not_modified(self.ask(f"If-None-Match: {value}"))
        for value in ('"x"', self.etag.strip('"'), '""'):
            with self.subTest(value=value):
                self.expect_whole(self.ask(f"If-None-Match: {value}"))

    def test_date(self):
        modified = self.whole.headers["last-modified"]
        self.expect_not_modified(self.ask(f"If-Modified-Since: {modified}"))
        self.expect_not_modified(self.ask("If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"))
        self.expect_whole(self.ask("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"))
        self.expect_whole(self.ask("If-Modified-Since: yesterday"))

    def test_etag_wins_over_date(self):
        self.expect_whole(self.ask('If-None-Match: "x"',
                                   "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"))

    def test_range(self):
        size = len(self.whole.body)
        for text, first, last in (("0-99", 0, 99), ("100-100", 100, 100), ("10-", 10, size - 1),
                                  ("-50", size - 50, size - 1), (f"5-{size + 999}", 5, size - 1)):
            with self.subTest(range=text):
                answer = self.ask(f"Range: bytes={text}")
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.headers["content-range"], f"bytes {first}-{last}/{size}")
                self.assertEqual(answer.body, self.whole.body[first:last + 1])
                self.assertEqual(answer.headers["etag"], self.etag)

    def test_ranges_that_are_ignored(self):
        for text in ("bytes=0-1,5-6", "bytes=9-5", "lines=1-2", "bytes=a-b", "bytes="):
            with self.subTest(range=text):
                self.expect_whole(self.ask(f"Range: {text}"))

    def test_range_beyond_the_end(self):
        answer = self.ask(f"Range: bytes={len(self.whole.body)}-")
        self.assertEqual(answer.status, 416)
        self.assertEqual(answer.headers["content-range"], f"bytes */{len(self.whole.body)}")
        self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_if_range(self):
        self.assertEqual(self.ask("Range: bytes=0-9", f"If-Range: {self.etag}").status, 206)
        self.expect_whole(self.ask("Range: bytes=0-9", 'If-Range: "x"'))
        self.expect_whole(self.ask("Range: bytes=0-9", f"If-Range: W/{self.etag}"))

    def test_head(self):
        answer = self.server.head(PATH)
        self.assertEqual(answer.status, 200)
        for name in ("content-type", "content-length", "etag", "cache-control", "last-modified",
                     "accept-ranges"):
            self.assertEqual(answer.headers[name], self.whole.headers[name], name)

    def test_head_of_a_miss_renders_and_keeps(self):
        answer = self.server.head("/shop/dress.jpg?w=77&f=jpeg")
        self.assertEqual(answer.status, 200)
        self.assertGreater(int(answer.headers["content-length"]), 100)
        body = self.server.get("/shop/dress.jpg?w=77&f=jpeg")
        self.assertIn("hit", body.headers["cache-status"])
        self.assertEqual(len(body.body), int(answer.headers["content-length"]))

    def test_head_of_an_error_has_no_body(self):
        answer = self.server.head("/shop/dress.jpg?w=wide")
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.headers["content-type"], harness.PROBLEM)

    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /shop/dress.jpg?w=64&f=jpeg HTTP/1.1\r\nHost: a\r\n\r\n"
        two = b"GET /shop/dress.jpg?w=bad HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET /nobody/x.jpg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        head = one.replace(b"GET", b"HEAD")
        answers = self.server.exchange([one, two, head, one, last])
        self.assertEqual([a.status for a in answers], [200, 400, 200, 200, 404])
        self.assertEqual(answers[0].body, answers[3].body)
        self.assertEqual(answers[2].headers["content-length"], str(len(answers[0].body)))


if __name__ == "__main__":
    harness.main()
