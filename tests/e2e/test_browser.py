#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real browser shows our pictures, in the format it negotiates, and the studio works in it."""
import devtools
import harness
from origin import Origin

PAGE = """<!doctype html><title>shop</title>
<img src="{shop}/dress.jpg?w=300" id="negotiated">
<img src="{shop}/dress.jpg?w=300&f=jpeg" id="jpeg">
<img src="{shop}/dress.jpg?w=300&f=webp" id="webp">
<img src="{shop}/dress.jpg?w=300&f=avif" id="avif">
<img src="{shop}/juice.png?w=300&f=png" id="png">
<img srcset="{shop}/cat.png?w=200 200w, {shop}/cat.png?w=400 400w" sizes="200px" id="srcset">
"""
# Pictures that have arrived and have pixels: [id, width].
WIDTHS = """[...document.images].every(i => i.complete) &&
            Object.fromEntries([...document.images].map(i => [i.id, i.naturalWidth]))"""


class InTheBrowser(harness.Case):
    def setUp(self):
        program = devtools.find_browser()
        self.assertTrue(program, "there is no chromium: ./dev setup test")
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.server = self.serve({"shop": {"origin": {"folder": harness.SAMPLES}}},
                                 {"server": {"studio": True}})
        self.browser = self.enterContext(devtools.Browser(program))

    def test_pictures_of_all_formats(self):
        page = PAGE.format(shop=self.server.url("/shop")).encode()
        self.origin.put("/page.html", page, "text/html")
        self.browser.open(self.origin.url + "page.html")
        widths = self.browser.wait_for(WIDTHS)
        self.assertEqual(widths, {"negotiated": 300, "jpeg": 300, "webp": 300, "avif": 300,
                                  "png": 300, "srcset": 200})
        log = (self.server.folder / "access.log")
        self.server.wait_until(lambda: log.exists() and "w-300.avif" in log.read_text(),
                               "the access log to show that AVIF was negotiated")

    def test_script_may_read_the_pixels(self):
        self.origin.put("/empty.html", b"<!doctype html><title>x</title>", "text/html")
        self.browser.open(self.origin.url + "empty.html")
        url = self.server.url("/shop/dress.jpg?w=40&f=png")
        pixel = self.browser.evaluate(f"""(async () => {{
            const bitmap = await createImageBitmap(await (await fetch('{url}')).blob());
            const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
            canvas.drawImage(bitmap, 0, 0);
            return [bitmap.width, canvas.getImageData(20, 20, 1, 1).data[3]];
        }})()""")
        self.assertEqual(pixel, [40, 255])

    def test_the_studio(self):
        self.browser.open(self.server.url("/"))
        shown = self.browser.wait_for("[...document.images].filter(i => i.naturalWidth > 0).length")
        self.assertGreater(shown, 0)
        self.assertEqual(self.browser.complaints, [])

    def test_an_error_opened_by_itself_is_readable(self):
        self.browser.open(self.server.url("/shop/dress.jpg?w=wide"))
        self.assertIn("1 to 16383", self.browser.evaluate("document.body.innerText"))


if __name__ == "__main__":
    harness.main()
