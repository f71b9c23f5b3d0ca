#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The format follows Accept, says so in Vary, and only where it does."""
import harness
import pictures

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
SAFARI_15 = "image/webp,image/avif,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
FIREFOX_OLD = "image/webp,*/*"

ACCEPTS = [
    # Accept, source, format
    (CHROME, "dress.jpg", "AVIF"),
    (SAFARI_15, "dress.jpg", "AVIF"),
    (FIREFOX_OLD, "dress.jpg", "WEBP"),
    ("*/*", "dress.jpg", "JPEG"),
    ("image/*", "dress.jpg", "JPEG"),
    (None, "dress.jpg", "JPEG"),
    ("", "dress.jpg", "JPEG"),
    ("text/html", "dress.jpg", "JPEG"),
    # Without an alpha channel there is nothing that JPEG could not hold.
    ("*/*", "cat.png", "JPEG"),
    ("*/*", "juice.png", "PNG"),
    (None, "juice.png", "PNG"),
    ("image/avif;q=0, image/webp", "dress.jpg", "WEBP"),
    ("image/avif;q=0,image/webp;q=0,*/*", "dress.jpg", "JPEG"),
    ("image/avif;q=0.5, image/webp;q=0.9", "dress.jpg", "WEBP"),
    ("IMAGE/WEBP", "dress.jpg", "WEBP"),
    ("image/webp;;;=,,;q=q", "dress.jpg", None),
    (",".join(f"x/y{i}" for i in range(900)), "dress.jpg", "JPEG"),
]


class Negotiation(harness.Case):
    def setUp(self):
        self.server = self.serve({
            "shop": {"origin": {"folder": harness.SAMPLES}},
            "plain": {"origin": {"folder": harness.SAMPLES}, "formats": ["webp"],
                      "width_ladder": [100, 200, 400]},
            "small": {"origin": {"folder": harness.SAMPLES}, "limits": {"max_width": 150}}})

    def test_accept_decides(self):
        for accept, source, expected in ACCEPTS:
            with self.subTest(accept=accept, source=source):
                answer = self.server.get(f"/shop/{source}?w=60", accept=accept)
                self.expect_picture(answer)
                self.assertIn("accept", answer.headers["vary"].lower())
                kind = pictures.describe(answer.body)[0]
                if expected:
                    self.assertEqual(kind, expected)
                self.assertEqual(answer.headers["content-type"], pictures.MEDIA_TYPES[kind])

    def test_a_named_format_does_not_vary(self):
        for path in ("/shop/dress.jpg?w=60&f=webp", "/shop/dress.jpg/_/w-60.webp"):
            answers = [self.server.get(path, accept=a) for a in (CHROME, "*/*", None)]
            for answer in answers:
                self.expect_picture(answer, "image/webp")
                self.assertNotIn("vary", answer.headers)
            self.assertEqual(len({a.headers["etag"] for a in answers}), 1)

    def test_same_format_same_bytes(self):
        one = self.server.get("/shop/dress.jpg?w=61", accept=FIREFOX_OLD)
        other = self.server.get("/shop/dress.jpg?w=61", accept="image/webp,image/png;q=0.2")
        self.assertEqual(one.headers["etag"], other.headers["etag"])
        self.assertIn("hit", other.headers["cache-status"])

    def test_two_accept_lines_are_one(self):
        answer = self.server.get("/shop/dress.jpg?w=62", "-H", "Accept: image/png",
                                 "-H", "Accept: image/webp")
        self.assertEqual(answer.headers["content-type"], "image/webp")

    def test_not_modified_varies_too(self):
        first = self.server.get("/shop/dress.jpg?w=63", accept=CHROME)
        again = self.server.get("/shop/dress.jpg?w=63", "-H",
                                f"If-None-Match: {first.headers['etag']}", accept=CHROME)
        self.assertEqual(again.status, 304)
        self.assertEqual(again.headers["vary"], first.headers["vary"])

    def test_a_site_chooses_its_formats(self):
        answer = self.server.get("/plain/dress.jpg?w=60", accept=CHROME)
        self.assertEqual(answer.headers["content-type"], "image/webp")

    def hinted(self, query, *headers):
        arguments = [part for header in headers for part in ("-H", header)]
        answer = self.server.get(f"/plain/dress.jpg?f=webp&{query}", *arguments)
        self.expect_picture(answer, "image/webp")
        return answer

    def test_width_and_ratio_follow_the_screen(self):
        for query, headers, width in [
                ("w=auto", ["Sec-CH-Width: 150"], 200),
                ("w=auto", ["Width: 201"], 400),
                ("w=auto", ["Sec-CH-Viewport-Width: 75", "Sec-CH-DPR: 1.25"], 200),
                ("w=auto", ["Sec-CH-Width: 9999"], 400),
                ("w=100&dpr=auto", ["Sec-CH-DPR: 2.625"], 300),
                ("w=100&dpr=auto", ["DPR: 1"], 100),
                ("w=100&dpr=auto", [], 100)]:
            with self.subTest(query=query, headers=headers):
                answer = self.hinted(query, *headers)
                self.assertEqual(pictures.describe(answer.body)[1][0], width)
                self.assertIn("sec-ch-dpr", answer.headers["vary"].lower())
                self.assertIn("Sec-CH-DPR", answer.headers["accept-ch"])

    def test_quality_has_two_classes(self):
        dear = [self.hinted("w=300&q=auto", header)
                for header in ("Save-Data: on", "ECT: 3g", "Downlink: 0.5", "RTT: 700")]
        cheap = [self.hinted("w=300&q=auto", *headers)
                 for headers in ([], ["ECT: 4g"], ["Save-Data: off"], ["RTT: 20"])]
        self.assertEqual(len({answer.headers["etag"] for answer in dear}), 1)
        self.assertEqual(len({answer.headers["etag"] for answer in cheap}), 1)
        self.assertLess(len(dear[0].body), 0.85 * len(cheap[0].body))
        self.assertIn("Save-Data", dear[0].headers["vary"])

    def test_a_screen_never_breaks_the_sites_limits(self):
        for query, header, width in [("w=100&dpr=auto&up=1", "Sec-CH-DPR: 3", 100),
                                     ("w=auto&up=1", "Sec-CH-Width: 3000", None),
                                     ("w=auto&ar=1:100", "Sec-CH-Width: 150", None)]:
            with self.subTest(query=query):
                answer = self.server.get(f"/small/dress.jpg?f=webp&{query}", "-H", header)
                self.expect_picture(answer, "image/webp")
                if width:
                    self.assertEqual(pictures.describe(answer.body)[1][0], width)

    def test_hints_nobody_asked_for_change_nothing(self):
        plain = self.hinted("w=300")
        again = self.hinted("w=300", "Sec-CH-DPR: 3", "Save-Data: on", "Sec-CH-Width: 50")
        self.assertEqual(plain.headers["etag"], again.headers["etag"])
        self.assertNotIn("vary", again.headers)
        self.assertNotIn("accept-ch", again.headers)


if __name__ == "__main__":
    harness.main()
