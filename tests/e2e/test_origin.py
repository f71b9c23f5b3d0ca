#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Origins that lie, stall, redirect or break: the right status, soon, and nothing half kept."""
import email.utils
import time

import harness
import origin as script
import pictures
from origin import Origin


class LyingOrigin(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.picture = pictures.make("JPEG", (640, 480), "red", quality=95)
        self.server = self.serve({
            "shop": {"origin": self.origin.rule(timeout="2s", max_source="1MB",
                                                headers={"X-Shop": "open sesame"})},
            "guarded": {"origin": {"url": self.origin.url}}})

    def ask(self, path, behave, site="shop"):
        self.origin.play(path, behave)
        return self.server.get(f"/{site}{path}?w=100", timeout_s=30)

    def test_a_good_one(self):
        answer = self.ask("/good.jpg", script.good(self.picture))
        self.expect_picture(answer, "image/jpeg")
        # When the variant was made, not its source: it changes with the site's presets too.
        made = email.utils.parsedate_to_datetime(answer.headers["last-modified"]).timestamp()
        self.assertLess(abs(made - time.time()), 60)

    def test_headers_of_the_policy_are_sent_and_the_viewers_are_not(self):
        self.origin.put("/h.jpg", self.picture)
        self.server.get("/shop/h.jpg?w=9", "-H", "Cookie: secret=1", "-H", "Authorization: x")
        sent = next(head for path, head in self.origin.heads if path == "/h.jpg")
        head = {name.lower(): value for name, value in sent.items()}
        self.assertEqual(head["x-shop"], "open sesame")
        self.assertNotIn("cookie", head)
        self.assertNotIn("authorization", head)

    def test_the_media_type_is_not_believed(self):
        png = pictures.make("PNG", (64, 48))
        self.expect_picture(self.ask("/png.jpg", script.good(png, "text/plain")), "image/jpeg")
        page = script.good(b"<html>maintenance</html>", "image/jpeg")
        self.expect_problem(self.ask("/page.jpg", page), 415, "unsupported")

    def test_wrong_statuses(self):
        for code, ours, name in ((404, 404, "not-found"), (410, 404, "not-found"),
                                 (401, 403, "forbidden"), (403, 403, "forbidden"),
                                 (500, 502, "origin-failed"), (503, 502, "origin-failed"),
                                 (429, 502, "origin-failed"), (204, 502, "origin-failed"),
                                 (206, 502, "origin-failed"), (304, 502, "origin-failed")):
            with self.subTest(status=code):
                body = b"" if code in (204, 304) else b"no"
                answer = self.ask(f"/{code}.jpg", script.status(code, body))
                self.expect_problem(answer, ours, name)

    def test_short_bodies_are_no_pictures(self):
        for name, behave in (("short", script.short_body(self.picture)),
                             ("chunks", script.cut_chunks(self.picture)),
                             ("reset", script.reset()), ("nonsense", script.nonsense())):
            with self.subTest(name=name):
                answer = self.ask(f"/{name}.jpg", behave)
                self.expect_problem(answer, 502, "origin-failed")
        self.assertEqual(self.server.metric("tintype_renders_total"), 0)

    def test_slow_ones(self):
        for name, behave in (("late", script.good(self.picture, delay_s=8)),
                             ("drip", script.drip(self.picture))):
            with self.subTest(name=name):
                answer = self.ask(f"/{name}.jpg", behave)
                self.expect_problem(answer, 504, "timeout")
                self.assertLess(answer.seconds, 8)

    def test_too_much(self):
        for name, behave in (("heavy", script.good(b"\xff" * 1_000_001)),
                             ("endless", script.endless())):
            with self.subTest(name=name):
                answer = self.ask(f"/{name}.jpg", behave)
                self.assertIn(answer.status, (413, 422))
                self.expect_problem(answer, answer.status, "too-large")

    def test_nobody_listens(self):
        server = self.serve({"shop": {"origin": {"url": "http://127.0.0.1:1/",
                                                 "allow_private_addresses": True}}})
        self.expect_problem(server.get("/shop/a.jpg?w=9"), 502, "origin-failed")

    def test_unresolvable_host(self):
        server = self.serve({"shop": {"origin": {"url": "http://nowhere.invalid/"}}})
        answer = server.get("/shop/a.jpg?w=9")
        document = self.expect_problem(answer, 502, "origin-failed")
        self.assertNotIn("nowhere.invalid", str(document))

    def test_private_addresses_are_guarded(self):
        self.origin.put("/a.jpg", self.picture)
        answer = self.server.get("/guarded/a.jpg?w=9")
        self.assertIn(answer.status, (403, 502))
        document = self.expect_problem(answer, answer.status)
        self.assertNotIn("127.0.0.1", str(document))
        self.assertEqual(self.origin.count(), 0)

    def test_redirects(self):
        self.origin.put("/target.jpg", self.picture)
        self.expect_picture(self.ask("/moved.jpg", script.redirect("/target.jpg")))
        self.expect_picture(self.ask("/forever.jpg", script.redirect("/target.jpg", 301)))

    def test_redirects_that_lead_astray(self):
        for name, location in (("loop", "/loop.jpg"), ("file", "file:///etc/passwd"),
                               ("gopher", "gopher://127.0.0.1:25/x"), ("ftp", "ftp://127.0.0.1/x")):
            with self.subTest(name=name):
                answer = self.ask(f"/{name}.jpg", script.redirect(location))
                self.assertIn(answer.status, (403, 502))
                self.expect_problem(answer, answer.status)
        self.assertLess(self.origin.count("/loop.jpg"), 20)

    def test_path_is_not_a_way_out(self):
        answer = self.server.get("/shop/..%2f..%2fadmin?w=9")
        self.assertIn(answer.status, (400, 404))
        self.assertFalse([p for p, _ in self.origin.heads if ".." in p])


if __name__ == "__main__":
    harness.main()
