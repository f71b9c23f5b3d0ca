#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documentation holds what the code says, and its links lead somewhere."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

RULE = re.compile(
    r"FailureRule\{ErrorCode::(\w+), (\d+), (\d+), LogLevel::(\w+),\s*\"([^\"]+)\"\}")
NAME = re.compile(r"case ErrorCode::(\w+):\s*return \"([a-z-]+)\";")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def anchor_of(heading):
    """GitHub's: lower case, spaces to hyphens, punctuation dropped."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def without_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`|^    .*$", "", text, flags=re.S | re.M)


class Docs(unittest.TestCase):
    def test_the_table_of_errors_is_the_code(self):
        names = dict(NAME.findall(read("src/base/error.cc")))
        rules = RULE.findall(read("src/delivery/failure.cc"))
        self.assertEqual(len(rules), len(names))
        expected = []
        for code, status, seconds, level, title in rules:
            name, kept = names[code], "no" if seconds == "0" else f"{seconds} s"
            row = [f"[{name}](#{name})", status, kept, level.lower(), title]
            expected.append("| " + " | ".join(row) + " |")
        text = read("docs/errors.md")
        table = re.search(r"<!-- codes: begin.*?-->\n(.*?)<!-- codes: end -->", text, re.S).group(1)
        self.assertEqual(table.strip().split("\n")[2:], expected)
        for name in names.values():
            self.assertIn(f"\n## {name}\n", text)

    def test_links_lead_somewhere(self):
        broken, seen = [], 0
        for path in sorted(ROOT.rglob("*.md")):
            if {"build", "node_modules", ".git"} & set(path.relative_to(ROOT).parts):
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text("utf-8"))):
                if re.match(r"[a-z]+:", target):
                    continue
                seen += 1
                name, _, fragment = target.partition("#")
                there = (path.parent / name).resolve() if name else path
                headings = (re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.M)
                            if fragment and there.is_file() else [])
                if not there.exists() or (fragment and
                                          fragment not in map(anchor_of, headings)):
                    broken.append(f"{path.relative_to(ROOT)}: {target}")
        self.assertEqual(broken, [])
        self.assertGreater(seen, 20)

    def test_every_linked_library_is_installed_and_explained(self):
        group = re.search(r"\[build\]\n(.*?)\n\[", read("tools/dev/packages.txt"), re.S).group(1)
        explained = read("docs/dependencies.md")
        libraries = [line.split()[0] for line in group.splitlines()
                     if re.match(r"(lib|node-|nlohmann|prometheus|zlib)", line)
                     and "plugin" not in line.split()[0]]
        self.assertGreater(len(libraries), 15)
        self.assertEqual([name for name in libraries if name not in explained], [])

    def test_every_sample_has_its_licence(self):
        listed = read("samples/LICENSES.md")
        files = [p.name for p in (ROOT / "samples").iterdir() if p.suffix != ".md"]
        self.assertGreater(len(files), 5)
        self.assertEqual([name for name in files if f"| {name} |" not in listed], [])

    def test_the_list_of_tasks_is_complete(self):
        listed = subprocess.run([str(ROOT / "dev")], capture_output=True, text=True, check=True)
        for script in (ROOT / "tools/dev").glob("*.sh"):
            if script.stem != "common":
                self.assertRegex(listed.stdout, rf"(?m)^  {script.stem}\b")


if __name__ == "__main__":
    unittest.main()
