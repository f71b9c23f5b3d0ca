#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""count_tests.py must never be more cheerful than ctest."""
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.sax.saxutils as sax

TOOL = pathlib.Path(__file__).resolve().parent / "count_tests.py"


def entry(name, status, text, mark=""):
    return (f'<testcase name="{name}" status="{status}">{mark}'
            f"<system-out>{sax.escape(text)}</system-out></testcase>")


class CountTest(unittest.TestCase):
    def count(self, *entries, broken=0):
        with tempfile.TemporaryDirectory() as folder:
            if entries:
                pathlib.Path(folder, "dev.xml").write_text(
                    "<testsuite>" + "".join(entries) + "</testsuite>", encoding="utf-8")
            done = subprocess.run([sys.executable, str(TOOL), "--broken", str(broken), folder],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()[-1], done.returncode

    def test_sums_cases_of_all_kinds(self):
        gtest = ("[==========] 12 tests from 3 test suites ran. (5 ms total)\n"
                 "[  PASSED  ] 12 tests.\n")
        self.assertEqual(self.count(entry("unit.base", "run", gtest),
                                    entry("e2e.first", "run", "Ran 3 tests in 0.1s\n\nOK\n"),
                                    entry("fuzz.sniff", "run", "33 files replayed")),
                         ("16 passed, 0 failed", 0))

    def test_gtest_failures(self):
        text = ("[==========] 5 tests from 1 test suite ran. (5 ms total)\n[  PASSED  ] 3 tests.\n"
                "[  FAILED  ] 2 tests, listed below:\n[  FAILED  ] A.b\n")
        self.assertEqual(self.count(entry("unit.base", "fail", text)), ("3 passed, 2 failed", 1))

    def test_crash_before_any_summary(self):
        self.assertEqual(self.count(entry("unit.base", "fail", "Segmentation fault")),
                         ("0 passed, 1 failed", 1))

    def test_failed_entry_whose_text_says_all_is_well(self):
        text = "[==========] 5 tests from 1 test suite ran. (5 ms total)\n[  PASSED  ] 5 tests.\n"
        self.assertEqual(self.count(entry("unit.base", "fail", text)), ("5 passed, 1 failed", 1))

    def test_unittest_failures_and_skips(self):
        text = "Ran 9 tests in 2.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n"
        self.assertEqual(self.count(entry("e2e.x", "fail", text)), ("5 passed, 3 failed", 1))

    def test_program_that_could_not_be_started(self):
        self.assertEqual(self.count(entry("unit.x", "notrun", "", "<skipped/>")),
                         ("0 passed, 1 failed", 1))

    def test_build_that_broke(self):
        self.assertEqual(self.count(entry("a", "run", ""), broken=1), ("1 passed, 1 failed", 1))

    def test_nothing_ran(self):
        self.assertEqual(self.count(), ("0 passed, 0 failed", 1))


if __name__ == "__main__":
    unittest.main()
