#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The settings file is read again while serving: a good version takes effect, a bad one is refused
whole and said so with line and reason."""
import json

import harness
import pictures


class PolicyReload(harness.Case):
    def setUp(self):
        self.folder = self.temporary_folder()
        (self.folder / "a.jpg").write_bytes(pictures.make("JPEG", (640, 480)))
        self.shop = {"origin": {"folder": str(self.folder)}, "presets": {"thumb": "w=100&f=jpeg"}}
        self.server = self.serve({"shop": self.shop})

    def width(self):
        answer = self.server.get("/shop/a.jpg?p=thumb")
        return pictures.describe(answer.body)[1][0] if answer.status == 200 else answer.status

    def test_a_preset_changes(self):
        self.assertEqual(self.width(), 100)
        self.server.write_settings({"shop": {**self.shop, "presets": {"thumb": "w=50&f=jpeg"}}})
        self.server.wait_until(lambda: self.width() == 50, "the new preset")

    def test_a_site_comes_and_goes(self):
        self.assertEqual(self.server.get("/new/a.jpg?w=10").status, 404)
        self.server.write_settings({"shop": self.shop, "new": self.shop})
        self.server.wait_until(lambda: self.server.get("/new/a.jpg?w=10").status == 200,
                               "the new site")
        self.server.write_settings({"shop": self.shop})
        self.server.wait_until(lambda: self.server.get("/new/a.jpg?w=11").status == 404,
                               "the site to be gone")

    def refused(self, text):
        """Writes a bad version and returns the log line that says why it was refused."""
        before = len(self.server.log_lines())
        self.server.write_settings_text(text)

        def find():
            lines = [line for line in self.server.log_lines()[before:]
                     if line["level"] in ("warn", "error")]
            return json.dumps(lines) if "line" in json.dumps(lines) else None
        return self.server.wait_until(find, "the refusal in the log")

    def test_a_bad_version_is_refused_whole(self):
        head = "sites:\n  shop:\n    origin: { folder: '%s' }\n" % self.folder
        for text, words in (
                (head + "    presets: { thumb: 'w=50' }\n    colour: red\n", ["line 5", "colour"]),
                (head + "    presets:\n      thumb: w=abc\n", ["line 5", "abc"]),
                (head + "    limits: { max_width: 0 }\n", ["line 4", "max_width"]),
                ("sites:\n  shop:\n    origin: { }\n", ["line 3"]),
                ("sites: [\n", ["line"]),
                ("server: { port: seven }\n" + head, ["line 1", "port"])):
            with self.subTest(text=text):
                line = self.refused(text)
                for word in words:
                    self.assertIn(word, line)
                self.assertEqual(self.width(), 100)
                self.server.write_settings({"shop": self.shop})

    def test_after_a_bad_version_a_good_one_is_taken(self):
        self.refused("sites: 7 # line\n")
        self.server.write_settings({"shop": {**self.shop, "presets": {"thumb": "w=70&f=jpeg"}}})
        self.server.wait_until(lambda: self.width() == 70, "the good version")

    def test_a_missing_file_changes_nothing(self):
        self.server.config.unlink()
        for width in range(20, 30):
            self.assertEqual(self.server.get(f"/shop/a.jpg?w={width}").status, 200)
        self.server.write_settings({"shop": self.shop})

    def test_a_bad_file_at_the_start_ends_the_start(self):
        folder = self.temporary_folder()
        server = harness.Server(folder, {"shop": self.shop})
        server.write_settings_text("sites:\n  shop:\n    orgin: { folder: /x }\n")
        with self.assertRaisesRegex(AssertionError, "(?s)ended with 1.*line 3.*orgin"):
            server.start()

    def test_environment_wins(self):
        server = self.serve({"shop": self.shop}, {"server": {"port": 1, "admin_port": 1}},
                            {"TINTYPE_SERVER_PORT": "0", "TINTYPE_SERVER_ADMIN_PORT": "0"})
        self.assertGreater(server.port, 1)
        self.expect_picture(server.get("/shop/a.jpg?w=10"))


if __name__ == "__main__":
    harness.main()
