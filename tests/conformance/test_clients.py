#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""URLs as shops' own URL builders make them (urls.mjs) get from the running server what the vendor
would answer: format and size, 403 for a forged signature, 400 for what Tintype cannot do.

Needs Node and npm, and the registry once: the builders of package-lock.json are put into
build/conformance, never into the source tree.
"""
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import harness  # noqa: E402
import pictures  # noqa: E402

BUILT = harness.ROOT / "build/conformance"
ROWS = []


def run(*command):
    done = subprocess.run(command, cwd=BUILT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} failed in {BUILT}:\n{done.stdout}{done.stderr}")
    return done.stdout


def install():
    """Brings the builders to where urls.mjs, copied beside them, finds them."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            raise AssertionError(f"there is no {tool}: install it (./dev setup test), then again")
    BUILT.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "mounts.json", "urls.mjs"):
        shutil.copy(HERE / name, BUILT)
    # Written last: what an interrupted npm leaves is not taken for an installation.
    stamp, wanted = BUILT / "installed", (HERE / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write_text(wanted)


def setUpModule():
    install()
    ROWS.extend(json.loads(line) for line in run("node", "urls.mjs").splitlines())


class Clients(harness.Case):
    def setUp(self):
        self.server = self.serve({"shop": {
            "origin": {"folder": harness.SAMPLES},
            "mounts": json.loads((HERE / "mounts.json").read_text()),
            "presets": {"pdp": "w=400&h=400&fit=pad"}}})

    def ask_each(self, rows, check):
        self.assertTrue(rows)
        for row in rows:
            with self.subTest(client=row["client"], target=row["target"]):
                check(row, self.server.get(row["target"], accept=row.get("accept")))

    def check_picture(self, row, answer):
        self.expect_picture(answer, row["type"])
        kind, size = pictures.describe(answer.body)
        self.assertEqual(pictures.MEDIA_TYPES[kind], row["type"])
        self.assertEqual(size, (row["width"], row["height"]))

    def check_refusal(self, row, answer):
        document = self.expect_problem(answer, row["status"], row["code"])
        if row["code"] == "unsupported-option":
            self.assertTrue(document["option"], "the option at fault is not named")

    def test_pictures_are_the_vendors(self):
        self.ask_each([row for row in ROWS if "type" in row], self.check_picture)

    def test_forged_urls_are_forbidden(self):
        self.ask_each([row for row in ROWS if row.get("status") == 403], self.check_refusal)

    def test_what_tintype_cannot_do_is_said(self):
        self.ask_each([row for row in ROWS if row.get("status") == 400], self.check_refusal)


if __name__ == "__main__":
    harness.main()
