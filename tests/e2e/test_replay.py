#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tintype replay: logs of every kind in, the report out; synthetic traffic; what it refuses."""
import gzip
import json
import subprocess
import xml.dom.minidom

import harness

SPELLINGS = ["/shop/a.jpg?w=800&h=600&fit=cover", "/shop/a.jpg?h=600&w=800&fit=cover",
             "/shop/a.jpg?width=800&height=600&fit=cover", "/shop/a.jpg?W=800&H=600&FIT=cover",
             "/shop/a.jpg?w=0800&h=600&fit=cover&utm_source=mail"]

CONFIG = """
sites:
  shop:
    origin: { folder: . }
    mounts:
      - { path: /is/image, dialect: scene7 }
"""


class Replay(harness.Case):
    def setUp(self):
        self.folder = self.temporary_folder()
        (self.folder / "tintype.yaml").write_text(CONFIG, encoding="utf-8")

    def run_replay(self, *arguments, stdin=""):
        done = subprocess.run([harness.BINARY, "replay", *map(str, arguments)], input=stdin,
                              capture_output=True, text=True, timeout=harness.PATIENCE_S,
                              check=False, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def report(self, *arguments, stdin=""):
        code, out, err = self.run_replay(*arguments, "--json", stdin=stdin)
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def test_urls_from_standard_input(self):
        report = self.report("-", stdin="\n".join(SPELLINGS * 3) + "\n")
        self.assertEqual(report["requests"], 15)
        self.assertEqual((report["raw_keys"], report["canonical_paths"]), (5, 1))
        self.assertEqual(report["raw"]["renders"], 5)
        self.assertEqual(report["canonical"]["renders"], 1)
        seen = {row["difference"] for row in report["differences"]}
        for difference in ("parameter order", "alias of an option", "upper case",
                           "spelling of a number", "unknown parameter dropped"):
            self.assertIn(difference, seen)
        self.assertEqual([row["name"] for row in report["dropped"]], ["utm_source"])

    def test_a_gzip_log_of_cloudfront_under_the_sites_mounts(self):
        head = ("#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method "
                "cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query\n")
        lines = [f"2026-11-24\t12:00:{i:02}\tFRA{i}-P1\t9000\t192.0.2.1\tGET\th\t/is/image/a\t"
                 f"200\t-\t-\t{query}\n"
                 for i, query in enumerate(["wid=400&hei=300", "hei=300&wid=400",
                                            "wid=400&hei=300"])]
        with gzip.open(self.folder / "log.gz", "wt") as out:
            out.write(head + "".join(lines) + "cut off\n")
        report = self.report("log.gz", "--config", "tintype.yaml")
        self.assertEqual(report["requests"], 3)
        self.assertEqual(report["read"]["unreadable"], 1)
        self.assertIn("line 6:", report["read"]["unreadable_examples"][0])
        self.assertEqual((report["raw"]["renders"], report["canonical"]["renders"]), (2, 1))
        self.assertEqual(report["canonical"]["edge_hits"], 2)  # one city is one edge

    def test_a_language_named_on_the_command_line(self):
        report = self.report("-", "--mount", "/=imgix",
                             stdin="/a.jpg?w=300&h=200&fit=crop\n/a.jpg?h=200&w=300&fit=crop\n")
        self.assertEqual((report["raw"]["renders"], report["canonical"]["renders"]), (2, 1))

    def test_combined_and_fields(self):
        line = ('192.0.2.7 - - [24/Nov/2026:12:00:00 +0000] "GET /a.jpg?w=100 HTTP/1.1" 200 5 '
                '"-" "-" "image/avif"\n')
        self.assertEqual(self.report("-", stdin=line)["requests"], 1)
        report = self.report("-", "--fields", "target=http.url,time=at",
                             stdin='{"http":{"url":"/a.jpg?w=100"},"at":1795521600}\n')
        self.assertEqual(report["first_unix_seconds"], 1795521600)

    def test_more_logs_than_descriptors(self):
        for i in range(100):
            (self.folder / f"{i}.log").write_text(f"/{i}.jpg?w=100\n", encoding="utf-8")
        names = [f"{i}.log" for i in range(100)]
        done = subprocess.run(["sh", "-c", 'ulimit -n 40; exec "$@"', "sh", harness.BINARY,
                               "replay", *names, "--json"], capture_output=True, text=True,
                              timeout=harness.PATIENCE_S, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["requests"], 100)

    def test_text_and_chart(self):
        code, out, err = self.run_replay("--synthetic", "--requests", 30000, "--ladder", "--svg",
                                         "chart.svg")
        self.assertEqual(code, 0, err)
        for words in ("Hit ratio", "canonical paths", "renders per 1,000", "Why they collapse",
                      "Parameters that split the cache", "utm_source", "Widths"):
            self.assertIn(words, out)
        self.assertIn("30000/30000 requests", err)  # the bar, as plain lines
        chart = xml.dom.minidom.parse(str(self.folder / "chart.svg"))
        self.assertEqual(chart.documentElement.tagName, "svg")

    def test_synthetic_shows_both_cases_from_the_same_traffic(self):
        arguments = ("--synthetic", "--requests", 200000, "--seed", 1)
        report = self.report(*arguments)
        self.assertEqual(report["requests"], 200000)
        self.assertEqual(report["unnamed"], 0)
        # Ten products only: wide bounds, see src/replay/replay_test.cc.
        self.assertGreater(report["canonical"]["edge_and_shield_pct"], 96)
        self.assertLess(report["raw"]["edge_pct"], 86)
        self.assertEqual(report, self.report(*arguments))

    def test_what_it_refuses(self):
        for arguments, words in (
                ((), "--synthetic"),
                (("absent.log",), "absent.log: cannot be read"),
                ((".",), "is a folder"),
                (("-", "--synthetic"), "--synthetic"),
                (("-", "--format", "csv"), "cloudfront, cloudfront-realtime, combined"),
                (("-", "--mount", "/=klingon"), "languages are"),
                (("-", "--edge-cache", "lots"), "--edge-cache lots: must be a size"),
                (("-", "--ttl", "forever"), "--ttl forever: must be a duration"),
                (("-", "--edges", "0"), "1 to 1000"),
                (("--synthetic", "--requests", "200000000"), "1 to 100000000"),
                (("-", "--store-entries", "1"), "2 to 1000000000"),
                (("-", "--fields", "colour=x"), "must be what=name"),
                (("-", "--config", "absent.yaml"), "absent.yaml"),
                (("-",), "no request for a picture")):
            code, out, err = self.run_replay(*arguments)
            self.assertEqual(code, 2, arguments)
            self.assertIn(words, err)
            self.assertTrue(err.startswith("tintype: "), err)

    def test_hostile_lines_are_counted(self):
        noise = "\0\0\0\n" + "x" * 200000 + "\n\x1b[31m\n/a.jpg?w=%zz\n/a.jpg?w=100\n"
        report = self.report("-", "--format", "urls", stdin=noise)
        self.assertEqual(report["requests"], 1)
        self.assertEqual(report["read"]["unreadable"], 3)
        self.assertEqual(report["unnamed"], 1)

    def test_help_has_examples(self):
        code, out, _ = self.run_replay("--help")
        self.assertEqual(code, 0)
        self.assertIn("zcat", out)


if __name__ == "__main__":
    harness.main()
