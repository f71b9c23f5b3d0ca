#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line without a server: check-config, convert, translate, explain and others."""
import hashlib
import json
import pathlib
import re
import subprocess

import harness
import pictures


class CommandLine(harness.Case):
    def setUp(self):
        self.folder = self.temporary_folder()
        self.config = self.folder / "tintype.yaml"
        self.config.write_text(
            f"sites:\n  shop:\n    origin: {{ folder: '{harness.SAMPLES}' }}\n"
            "    presets: { thumb: 'w=50&h=50&fit=cover' }\n", encoding="utf-8")

    def run_tintype(self, *arguments):
        done = subprocess.run([harness.BINARY, *map(str, arguments)], capture_output=True,
                              text=True, timeout=harness.PATIENCE_S, check=False, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def test_version_and_help(self):
        code, out, _ = self.run_tintype("version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^tintype \d+\.\d+\.\d+\n$")
        code, out, _ = self.run_tintype("--help")
        self.assertEqual(code, 0)
        for command in ("serve", "check-config", "convert", "explain", "options"):
            self.assertIn(command, out)

    def test_unknown_command(self):
        code, out, err = self.run_tintype("serf")
        self.assertNotEqual(code, 0)
        self.assertTrue(out + err)

    def test_options_and_settings_are_tables(self):
        code, out, _ = self.run_tintype("options")
        self.assertEqual(code, 0)
        for option in ("fit", "crop", "dpr"):
            self.assertIn(f"`{option}`", out)
        code, out, _ = self.run_tintype("settings")
        self.assertEqual(code, 0)
        self.assertIn("TINTYPE_SERVER_PORT", out)

    def test_check_config(self):
        code, out, err = self.run_tintype("check-config", self.config)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("shop", out)
        self.config.write_text("sites:\n  shop:\n    origin: { folder: . }\n"
                               "    presets: { x: 'q=900' }\n", encoding="utf-8")
        code, _, err = self.run_tintype("check-config", self.config)
        self.assertEqual(code, 1)
        for word in ("line 4", "900", "1 to 100"):
            self.assertIn(word, err)
        code, _, err = self.run_tintype("check-config", "absent.yaml")
        self.assertEqual(code, 1)
        self.assertIn("absent.yaml", err)

    def test_the_documented_settings_are_right(self):
        text = (harness.ROOT / "docs/start.md").read_text(encoding="utf-8")
        examples = re.findall(r"```yaml\n(.*?)```", text, re.S)
        self.assertTrue(examples)
        for example in examples:
            self.config.write_text(example, encoding="utf-8")
            code, out, err = self.run_tintype("check-config", self.config)
            self.assertEqual((code, err), (0, ""), out)

    def test_convert_a_picture(self):
        source = pathlib.Path(harness.SAMPLES, "dress.jpg")
        code, _, err = self.run_tintype("convert", source, "small.webp", "--as", "w=120")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(pictures.describe((self.folder / "small.webp").read_bytes()),
                         ("WEBP", (120, 160)))

    def test_convert_avif_there_and_back(self):
        source = pathlib.Path(harness.SAMPLES, "dress.jpg")
        self.assertEqual(self.run_tintype("convert", source, "a.avif", "--as", "w=120&q=90")[0], 0)
        self.assertEqual(self.run_tintype("convert", "a.avif", "a.png")[0], 0)
        there = pictures.open_rgb((self.folder / "a.png").read_bytes())
        reference = pictures.open_rgb(source.read_bytes()).resize((120, 160), 1)
        self.assertLess(pictures.distance(there, reference), 5)

    def test_convert_a_folder(self):
        inside = self.folder / "in" / "deep"
        inside.mkdir(parents=True)
        for i in range(5):
            (inside / f"{i}.jpg").write_bytes(pictures.make("JPEG", (200, 100)))
        (inside / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no")
        code, _, err = self.run_tintype("convert", "in", "out", "--as", "w=50&f=webp")
        self.assertEqual(code, 1)  # one of them failed
        self.assertIn("broken.jpg", err)
        out = self.folder / "out"
        made = sorted(str(p.relative_to(out)) for p in out.rglob("*.*"))
        self.assertEqual(made, [f"deep/{i}.webp" for i in range(5)])
        for name in made:
            self.assertEqual(pictures.describe((out / name).read_bytes()), ("WEBP", (50, 25)))

    def test_convert_failures_leave_nothing(self):
        (self.folder / "no.jpg").write_bytes(b"not a picture")
        for arguments in (("no.jpg", "x.webp"), ("absent.jpg", "x.webp"),
                          (pathlib.Path(harness.SAMPLES, "dress.jpg"), "x.webp", "--as", "w=zero")):
            code, _, err = self.run_tintype("convert", *arguments)
            self.assertNotEqual(code, 0)
            self.assertTrue(err)
            self.assertFalse((self.folder / "x.webp").exists())

    def test_translate(self):
        self.config.write_text(
            f"sites:\n  shop:\n    origin: {{ folder: '{harness.SAMPLES}' }}\n"
            "    defaults: 'g=smart'\n"
            "    mounts:\n"
            "      - { path: /img, dialect: imgix, keys: [tok123] }\n"
            "      - { path: /t, dialect: thumbor }\n", encoding="utf-8")
        native = "/shop/dress.jpg?w=40&h=30&fit=cover&up=1&g=c&q=70&f=webp"
        code, out, err = self.run_tintype("translate", native, "--to", "imgix", "-c", self.config)
        plain = "/dress.jpg?w=40&h=30&fit=crop&crop=center&fm=webp&q=70"
        digest = hashlib.md5(b"tok123" + plain.encode()).hexdigest()
        self.assertEqual((code, out, err), (0, f"/img{plain}&s={digest}\n", ""))
        # And back: what the thumbor URL names at its default is said, as the site has another.
        code, out, err = self.run_tintype("translate", "/t/unsafe/40x30/dress.jpg",
                                          "http://img.example/t/unsafe/fit-in/40x30/dress.jpg",
                                          "-c", self.config)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, "/shop/dress.jpg?f=jpeg&fit=cover&g=c&h=30&q=80&small=cut&up=1&w=40\n"
                              "/shop/dress.jpg?f=jpeg&g=c&h=30&q=80&w=40\n")

    def test_translate_says_why_not(self):
        for arguments, expected_code, words in (
                (("/shop/dress.jpg?w=40", "--to", "imgproxy"), 1, "no imgproxy mount"),
                (("/show/dress.jpg?w=40",), 1, "no site named show"),
                (("/shop/dress.jpg", "--to", "french"), 2, "must be one of native, imgix")):
            code, out, err = self.run_tintype("translate", *arguments, "-c", self.config)
            self.assertEqual((code, out), (expected_code, ""), arguments)
            self.assertIn(words, err)

    def test_explain(self):
        url = "/shop/dress.jpg?p=thumb&dpr=2"
        code, out, _ = self.run_tintype("explain", url, "--config", self.config, "--json",
                                        "-H", "Accept: image/webp")
        self.assertEqual(code, 0)
        explained = json.loads(out)
        self.assertEqual(explained["canonical_path"],
                         "/shop/dress.jpg/_/fit-cover_h-100_w-100.webp")
        self.assertEqual((explained["plan"]["width"], explained["plan"]["height"]), (100, 100))
        self.assertEqual(explained["source"]["width"], 1200)
        code, text, _ = self.run_tintype("explain", "http://shop.example" + url, "--config",
                                         self.config)
        self.assertEqual(code, 0)
        self.assertIn("fit-cover_h-100_w-100", text)

    def test_explain_says_why_not(self):
        code, out, _ = self.run_tintype("explain", "/shop/dress.jpg?w=no", "--config", self.config)
        self.assertEqual(code, 1)
        self.assertIn("1 to 16383", out)


if __name__ == "__main__":
    harness.main()
