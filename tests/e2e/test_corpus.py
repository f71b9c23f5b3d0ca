#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hundreds of pictures, many of them hostile, go through the real server: every one gets a picture
or a sensible refusal in time, and the server is as well afterwards as before."""
import concurrent.futures
import pathlib
import urllib.parse

import harness
import pictures

# A render is killed after 10 s; a request has 20 s; the rest is patience for a busy machine.
DEADLINE_S = 40
# What may be said about a source that is hostile or foreign: not found wanting in the server (500),
# not its capacity (503).
REFUSALS = {400, 413, 415, 422, 502, 504}
READ = {".jpg", ".jpeg", ".png", ".webp", ".avif"}


def is_picture_file(path):
    return path.is_file() and path.suffix.lower() not in (".md", ".txt", ".icc", ".icm")


class Corpus(harness.Case):
    def run_folder(self, folder, names):
        server = self.serve({"corpus": {"origin": {"folder": str(folder)}},
                             "shop": {"origin": {"folder": harness.SAMPLES}}})

        def ask(name):
            path = urllib.parse.quote(str(name))
            return name, server.get(f"/corpus/{path}?w=200&h=200&f=webp", timeout_s=DEADLINE_S)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(ask, names))
        self.assertEqual(len(answers), len(names))
        for name, answer in answers:
            with self.subTest(name=str(name)):
                if answer.status == 200:
                    kind, size = pictures.describe(answer.body)
                    self.assertEqual(kind, "WEBP")
                    self.assertLessEqual(max(size), 200)
                else:
                    self.assertIn(answer.status, REFUSALS)
                    self.expect_problem(answer, answer.status)
        self.expect_picture(server.get("/shop/dress.jpg?w=100"))
        self.assertEqual(server.admin("/_/ready").status, 200)
        return dict(answers)

    def test_samples(self):
        folder = pathlib.Path(harness.SAMPLES)
        names = [p.relative_to(folder) for p in sorted(folder.iterdir()) if is_picture_file(p)]
        answers = self.run_folder(folder, names)
        self.assertEqual({a.status for a in answers.values()}, {200})

    def test_corpora(self):
        if not harness.CORPORA.is_dir():
            self.skipTest(f"not here, left out: {harness.CORPORA}")
        names = [p.relative_to(harness.CORPORA) for p in sorted(harness.CORPORA.rglob("*"))
                 if is_picture_file(p)]
        self.assertGreater(len(names), 100)
        answers = self.run_folder(harness.CORPORA, names)
        tally = {}
        for name, answer in answers.items():
            tally.setdefault(name.parts[0], {}).setdefault(answer.status, []).append(name)
        for folder, statuses in sorted(tally.items()):
            print(folder, {status: len(which) for status, which in sorted(statuses.items())})
        refused = [str(n) for n, a in answers.items()
                   if n.parts[0] == "photo" and n.suffix.lower() in READ and a.status != 200]
        self.assertEqual(refused, [], "sound photographs were refused")


if __name__ == "__main__":
    harness.main()
