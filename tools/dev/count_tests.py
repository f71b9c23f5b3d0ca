#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums what ctest wrote (JUnit XML) over several runs; the last line is "N passed, N failed".

One ctest entry is a program that may hold many cases (GoogleTest, unittest). Where the program's
own summary can be read, its cases are counted; otherwise the entry counts as one. An entry that
ctest calls failed counts at least one failure, whatever its text says. Exits 1 unless all passed.
"""
import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

GTEST_RAN = re.compile(r"\[==========\] (\d+) tests? from \d+ test (?:suite|case)s? ran", re.M)
GTEST_PASSED = re.compile(r"\[  PASSED  \] (\d+) tests?\.", re.M)
GTEST_SKIPPED = re.compile(r"\[  SKIPPED \] (\d+) tests?, listed below", re.M)
GTEST_FAILED = re.compile(r"\[  FAILED  \] (\d+) tests?, listed below", re.M)
UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.M)
UNITTEST_NOTE = re.compile(r"(failures|errors|skipped|unexpected successes)=(\d+)")


def last(pattern, text):
    found = pattern.findall(text)
    return int(found[-1]) if found else 0


def cases_of(text):
    """(passed, failed, skipped) from a program's own summary, or None when it has none."""
    if UNITTEST_RAN.search(text):
        ran = sum(int(n) for n in UNITTEST_RAN.findall(text))
        notes = {}
        for name, count in UNITTEST_NOTE.findall(text):
            notes[name] = notes.get(name, 0) + int(count)
        failed = sum(notes.get(n, 0) for n in ("failures", "errors", "unexpected successes"))
        skipped = notes.get("skipped", 0)
        return max(ran - failed - skipped, 0), failed, skipped
    if GTEST_RAN.search(text) or GTEST_PASSED.search(text):
        return last(GTEST_PASSED, text), last(GTEST_FAILED, text), last(GTEST_SKIPPED, text)
    return None


def count_entry(case):
    """(passed, failed, skipped) of one <testcase>."""
    text = "".join(node.text or "" for node in case.iter("system-out"))
    status = case.get("status", "run")
    if case.find("skipped") is not None or status in ("notrun", "disabled"):
        return (0, 0, 1) if status == "disabled" else (0, 1, 0)
    is_failed = status == "fail" or case.find("failure") is not None
    passed, failed, skipped = cases_of(text) or ((0, 0, 0) if is_failed else (1, 0, 0))
    if is_failed and failed == 0:
        failed = 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--broken", type=int, default=0, help="failures that left no XML behind")
    options = parser.parse_args()
    total = [0, options.broken, 0]
    troubled = []
    for path in sorted(options.folder.glob("*.xml")):
        run = [0, 0, 0]
        for case in ET.parse(path).getroot().iter("testcase"):
            counts = count_entry(case)
            run = [a + b for a, b in zip(run, counts)]
            if counts[1]:
                troubled.append(f"failed:  {path.stem}: {case.get('name')} ({counts[1]})")
            if counts[2]:
                troubled.append(f"skipped: {path.stem}: {case.get('name')} ({counts[2]})")
        print(f"{path.stem}: {run[0]} passed, {run[1]} failed, {run[2]} skipped")
        total = [a + b for a, b in zip(total, run)]
    for line in troubled:
        print(line)
    print(f"{total[0]} passed, {total[1]} failed", flush=True)
    sys.exit(0 if total[1] == 0 and total[0] > 0 else 1)


if __name__ == "__main__":
    main()
