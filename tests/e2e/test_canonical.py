#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every spelling of a request has one canonical path, and that path serves the same bytes."""
import json
import subprocess

import harness

SPELLINGS = [
    "w=200&h=150&fit=cover&f=webp",
    "f=webp&fit=cover&h=150&w=200",
    "width=200&height=150&fit=cover&format=webp",
    "W=200&H=150&FIT=cover&FM=WEBP",
    "w=200&w=200&h=150&fit=cover&f=webp",
    "w=100&h=75&dpr=2&fit=cover&f=webp",
    "w=200&ar=4:3&fit=cover&f=webp",
    "w=200&h=150&fit=cover&f=webp&utm_source=mail&gclid=x",
    "w=%32%30%30&h=150&fit=cover&f=webp",
    "w=200&h=150&fit=cover&f=webp&g=c&rot=0&up=0&meta=none",
    "w=0200&h=150&fit=cover&f=webp",
]


class Canonical(harness.Case):
    def setUp(self):
        self.server = self.serve({"shop": {"origin": {"folder": harness.SAMPLES}}})

    def explain(self, target):
        done = subprocess.run(
            [harness.BINARY, "explain", target, "--config", str(self.server.config), "--json"],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_all_spellings_are_one_variant(self):
        etags = set()
        for query in SPELLINGS:
            with self.subTest(query=query):
                answer = self.server.get(f"/shop/dress.jpg?{query}")
                self.expect_picture(answer, "image/webp")
                etags.add(answer.headers["etag"])
        self.assertEqual(len(etags), 1)
        self.assertEqual(self.server.metric("tintype_renders_total"), 1)

    def test_the_canonical_path_serves_the_same(self):
        path = self.explain("/shop/dress.jpg?" + SPELLINGS[0])["canonical_path"]
        self.assertEqual(path, "/shop/dress.jpg/_/fit-cover_h-150_w-200.webp")
        by_query = self.server.get("/shop/dress.jpg?" + SPELLINGS[0])
        by_path = self.server.get(path)
        self.expect_picture(by_path, "image/webp")
        self.assertEqual(by_path.body, by_query.body)
        self.assertEqual(by_path.headers["etag"], by_query.headers["etag"])
        self.assertIn("hit", by_path.headers["cache-status"])

    def test_canonical_of_canonical_is_itself(self):
        for query in SPELLINGS + ["", "q=40", "blur=0.5&bg=fff&fit=pad&w=9&h=9", "v=17"]:
            with self.subTest(query=query):
                path = self.explain(f"/shop/dress.jpg?{query}")["canonical_path"]
                self.assertEqual(self.explain(path)["canonical_path"], path)

    def test_other_spellings_of_a_canonical_path_are_refused(self):
        for options in ("w-200_h-150.webp", "w-0200.webp", "W-200.webp", "w-200.WEBP",
                        "w-200.jpg", "w-200_w-200.webp", "w-200", ".webp", "w-200.webp.webp",
                        "rot-0_w-200.webp", "utm-x_w-200.webp", "full_w-200.webp"):
            with self.subTest(options=options):
                answer = self.server.get(f"/shop/dress.jpg/_/{options}")
                self.expect_problem(answer, 400, "bad-request")

    def test_the_query_of_a_canonical_path_is_not_read(self):
        one = self.server.get("/shop/dress.jpg/_/w-99.jpeg")
        other = self.server.get("/shop/dress.jpg/_/w-99.jpeg?w=5&x=y")
        self.assertEqual(one.headers["etag"], other.headers["etag"])


if __name__ == "__main__":
    harness.main()
