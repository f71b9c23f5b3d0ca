#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy: holds the house rules that a compiler does not see. Run it as `python3 tools/tidy [ROOT]`.

It reads the layer() lines of src/CMakeLists.txt, which are the architecture, and every source
file, and prints one line for each breach: file, line, rule and reason. Exits 1 when there is one;
warnings are printed and do not count. The rules and their numbers are explained in CONTRIBUTING.md;
its own test, with planted mistakes, is tools/tidy_test.py. No dependencies.
"""
import os
import pathlib
import subprocess
import sys

import rules
from layers import read_layers

SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__", "corpus"}


def keep_ours(names):
    return sorted(n for n in names if not SKIPPED_FOLDERS & set(n.parts))


def list_files(root):
    """Files that are, or would be, under version control; without git all but build output."""
    if (root / ".git").exists():
        try:
            command = ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "-z",
                       "--cached", "--others", "--exclude-standard"]
            out = subprocess.run(command, check=True, capture_output=True).stdout
            names = {pathlib.PurePath(name) for name in os.fsdecode(out).split("\0") if name}
            return keep_ours(n for n in names if (root / n).is_file())
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"tidy: git does not list the files ({error}); reading the folders instead")
    return keep_ours(p.relative_to(root) for p in root.rglob("*") if p.is_file())


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]
    layers, findings = read_layers(root)
    files = list_files(root)
    for name in files:
        findings += rules.check_file(root, name, layers)
    findings += rules.check_type_names(root, files)
    breaches = [f for f in findings if not f.is_warning]
    for finding in sorted(findings):
        print(finding)
    warnings = len(findings) - len(breaches)
    print(f"tidy: {len(files)} files, {len(breaches)} breaches, {warnings} warnings")
    if not files:
        print(f"tidy: there is nothing in {root}", file=sys.stderr)
        return 1
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
