#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A picture comes out, of the asked size, format and content."""
import io
import pathlib

import harness
import pictures
from PIL import Image

# dress.jpg is 1200 x 1600.
SIZES = {
    "": (1200, 1600),
    "w=600": (600, 800),
    "h=400": (300, 400),
    "w=400&h=400": (300, 400),
    "w=400&h=400&fit=cover": (400, 400),
    "w=400&h=400&fit=pad": (400, 400),
    "w=400&h=300&fit=stretch": (400, 300),
    "w=400&h=400&fit=outside": (400, 533),
    "w=400&ar=16:9": (400, 225),
    "w=300&dpr=2": (600, 800),
    "w=5000": (1200, 1600),
    "w=1500&up=1": (1500, 2000),
    "w=800&rot=90": (800, 600),
    "crop=0,0,600,600&w=300": (300, 300),
    "crop=25p,25p,50p,50p&w=300": (300, 400),
    "w=400&h=400&fit=cover&g=smart": (400, 400),
    "w=400&h=400&fit=cover&g=fp-0.5-0.2": (400, 400),
    "w=1": (1, 1),
    "w=300&blur=3": (300, 400),
    "w=300&sharp=1": (300, 400),
    "w=300&flip=h": (300, 400),
}


class FirstPicture(harness.Case):
    @classmethod
    def setUpClass(cls):
        cls.sample = pathlib.Path(harness.SAMPLES, "dress.jpg").read_bytes()

    def setUp(self):
        self.folder = self.temporary_folder()
        for name in ("dress.jpg", "juice.png", "cat.png"):
            (self.folder / name).write_bytes(pathlib.Path(harness.SAMPLES, name).read_bytes())
        self.server = self.serve({"shop": {"origin": {"folder": str(self.folder)},
                                           "presets": {"thumb": "w=120&h=120&fit=cover"}}})

    def test_sizes(self):
        for query, size in SIZES.items():
            with self.subTest(query=query):
                answer = self.server.get(f"/shop/dress.jpg?{query}&f=jpeg")
                self.expect_picture(answer, "image/jpeg")
                self.assertEqual(pictures.describe(answer.body), ("JPEG", size))

    def test_formats(self):
        for name in ("jpeg", "png", "webp", "avif"):
            with self.subTest(format=name):
                answer = self.server.get(f"/shop/dress.jpg?w=200&f={name}")
                self.expect_picture(answer, f"image/{name}")
                self.assertEqual(pictures.describe(answer.body), (name.upper(), (200, 267)))

    def test_it_is_the_same_picture(self):
        reference = pictures.open_rgb(self.sample).resize((300, 400), Image.Resampling.LANCZOS)
        for name in ("jpeg", "png", "webp"):
            with self.subTest(format=name):
                answer = self.server.get(f"/shop/dress.jpg?w=300&f={name}&q=90")
                difference = pictures.distance(pictures.open_rgb(answer.body), reference)
                # Another resampler and a lossy encoding: a few steps of 255. A mirrored or shifted
                # picture is above 20.
                self.assertLess(difference, 4)

    def test_quality_changes_bytes(self):
        sizes = [len(self.server.get(f"/shop/dress.jpg?w=600&f=jpeg&q={q}").body)
                 for q in (20, 60, 95)]
        self.assertEqual(sizes, sorted(set(sizes)))

    def test_padding_has_its_colour(self):
        answer = self.server.get("/shop/dress.jpg?w=400&h=400&fit=pad&bg=ff0000&f=png")
        corner = pictures.open_rgb(answer.body).getpixel((2, 200))
        self.assertEqual(corner, (255, 0, 0))

    def test_transparency(self):
        kept = self.server.get("/shop/juice.png?w=200&f=webp")
        self.assertEqual(Image.open(io.BytesIO(kept.body)).mode, "RGBA")
        laid = self.server.get("/shop/juice.png?w=200&f=jpeg")
        self.assertGreater(min(pictures.open_rgb(laid.body).getpixel((1, 1))), 250)

    def test_preset(self):
        answer = self.server.get("/shop/dress.jpg?p=thumb&f=jpeg")
        self.assertEqual(pictures.describe(answer.body), ("JPEG", (120, 120)))
        wider = self.server.get("/shop/dress.jpg?p=thumb&w=240&f=jpeg")
        self.assertEqual(pictures.describe(wider.body), ("JPEG", (240, 120)))

    def test_upright(self):
        flat = Image.new("RGB", (300, 100), "red")
        flat.paste("blue", (150, 0, 300, 100))
        exif = Image.Exif()
        exif[0x0112] = 6  # turn by 90 degrees clockwise to stand upright
        flat.save(self.folder / "turned.jpg", exif=exif, quality=95)
        answer = self.server.get("/shop/turned.jpg?f=png")
        self.assertEqual(pictures.describe(answer.body), ("PNG", (100, 300)))
        picture = pictures.open_rgb(answer.body)
        self.assertGreater(picture.getpixel((50, 50))[0], 200)   # red on top
        self.assertGreater(picture.getpixel((50, 250))[2], 200)  # blue below

    def test_nothing_private_stays_in(self):
        exif = Image.Exif()
        exif[0x010F] = "SecretCameraMaker"
        exif[0x8298] = "(c) Ada"
        Image.new("RGB", (50, 50), "green").save(self.folder / "exif.jpg", exif=exif)
        plain = self.server.get("/shop/exif.jpg?w=20&f=jpeg")
        self.assertNotIn(b"SecretCameraMaker", plain.body)
        self.assertNotIn(b"Ada", plain.body)
        kept = self.server.get("/shop/exif.jpg?w=20&f=jpeg&meta=copyright")
        self.assertIn(b"Ada", kept.body)
        self.assertNotIn(b"SecretCameraMaker", kept.body)

    def test_second_time_is_a_hit(self):
        first = self.server.get("/shop/dress.jpg?w=321")
        second = self.server.get("/shop/dress.jpg?w=321")
        self.assertIn("fwd=miss", first.headers["cache-status"])
        self.assertIn("hit", second.headers["cache-status"])
        self.assertEqual(first.body, second.body)
        self.assertEqual(first.headers["etag"], second.headers["etag"])
        self.assertIn("render;dur=", first.headers["server-timing"])

    def test_source_with_awkward_name(self):
        (self.folder / "été & co #1.jpg").write_bytes(pictures.make())
        answer = self.server.get("/shop/%C3%A9t%C3%A9%20%26%20co%20%231.jpg?w=100&f=jpeg")
        self.expect_picture(answer, "image/jpeg")


if __name__ == "__main__":
    harness.main()
