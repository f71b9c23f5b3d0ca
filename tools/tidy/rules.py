# SPDX-License-Identifier: Apache-2.0
"""The rules that look at one file. Numbers and reasons: CONTRIBUTING.md, "House rules"."""
import ast
import re

import cpp
from finding import Finding
from layers import check_includes

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 500
MAX_LINE = 100
MAX_PARAMETERS = 4
MIN_PROSE_LINES = 3
SHORT_HEADER_LINES = 40  # a header of one small value needs only a sentence

CPP = {".h", ".cc"}
SCRIPTS = {".py", ".sh", ".cmake", ".js", ".mjs", ".css"}
TEXTS = CPP | SCRIPTS | {".md", ".txt", ".json", ".yaml", ".yml", ".svg", ".html", ""}
LICENCE = "SPDX-License-Identifier: Apache-2.0"

# Spelled with brackets so that this file does not break its own rules.
TO_DO = re.compile(r"\b([T]ODO|[F]IXME|[X]XX|[H]ACK)\b(?!\(#\d+\))")
MACHINE_PATH = re.compile(r"(?<![\w.])/([w]ork|[h]ome|[r]oot|[U]sers)/\w")
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
BANNED_TYPE = re.compile(
    r"\b(?:class|struct|enum class|enum|using)\s+(\w*(?:Manager|Helper|Utils?|Impl))\b")
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b(.*)")
# Sanitizers replace the allocator and need address space: what code must ask at compile time.
SANITIZER = re.compile(r"__SANITIZE_|__has_feature")


def check_text(name, lines):
    for number, line in enumerate(lines, 1):
        if match := CONTROL.search(line):
            yield Finding(str(name), number, "control-character",
                          f"U+{ord(match.group()):04X} in the text")
        if match := MACHINE_PATH.search(line):
            yield Finding(str(name), number, "machine-path",
                          f"{match.group()}: a path of one machine means nothing on another")
        if match := TO_DO.search(line):
            yield Finding(str(name), number, "bare-to-do",
                          f"{match.group(1)} without an issue: write {match.group(1)}(#123)")


def check_size(name, lines):
    if len(lines) > MAX_FILE_LINES:
        yield Finding(str(name), len(lines), "file-length",
                      f"{len(lines)} lines, at most {MAX_FILE_LINES}: split it by what it knows")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE and "://" not in line:
            yield Finding(str(name), number, "line-length",
                          f"{len(line)} characters, at most {MAX_LINE}")
        if "\t" in line and name.name != "Makefile":
            yield Finding(str(name), number, "tab", "a tab: indent with spaces")


def check_licence(name, lines):
    at = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) <= at or LICENCE not in lines[at]:
        yield Finding(str(name), at + 1, "licence", f"the first line must say {LICENCE}")


def check_header(name, lines):
    prose = 0
    for line in lines[1:]:
        if not line.startswith("//"):
            break
        prose += bool(line.strip("/ "))
    needed = 1 if len(lines) <= SHORT_HEADER_LINES else MIN_PROSE_LINES
    if prose < needed:
        yield Finding(str(name), 2, "header-prose",
                      f"{prose} lines of prose, at least {needed}: what it is, owns, thread safety")
    if "#pragma once" not in lines:
        yield Finding(str(name), 1, "pragma-once", "no #pragma once")


def check_code(name, lines):
    is_simd = name.stem.endswith("_simd")
    code = cpp.blank("\n".join(lines)).split("\n")
    for number, line in enumerate(code, 1):
        if match := BANNED_TYPE.search(line):
            yield Finding(str(name), number, "banned-word",
                          f"{match.group(1)}: name what it does; "
                          "Manager, Helper, Util, Impl say nothing")
        match = CONDITION.match(line)
        if match and not is_simd and not SANITIZER.search(match.group(2)):
            yield Finding(str(name), number, "ifdef",
                          f"#{match.group(1)}: conditional code only in *_simd files; "
                          "elsewhere CMake chooses files")


def check_functions(name, functions):
    for function in functions:
        if function.lines > MAX_FUNCTION_LINES:
            reason = f"{function.name} has {function.lines} lines, at most {MAX_FUNCTION_LINES}"
            yield Finding(str(name), function.first_line, "function-length", reason)
        if function.parameters > MAX_PARAMETERS:
            reason = f"{function.name} takes {function.parameters}, at most {MAX_PARAMETERS}"
            yield Finding(str(name), function.first_line, "parameters", reason, is_warning=True)


def check_type_names(root, names):
    """One name, one type. Two definitions of a name break the One Definition Rule: each compiles,
    and the linker takes one's inline functions and destructor for both, silently."""
    defined = {}
    for name in names:
        if name.suffix in CPP and name.parts[0] == "src":
            text = (root / name).read_text(encoding="utf-8", errors="replace")
            # Tests, benches and fuzzers of different layers are never one program.
            program = re.search(r"_(test|bench|fuzz)$", name.stem)
            for type_name, line in cpp.types(text):
                key = (type_name, name.parts[1] + program.group() if program else "")
                defined.setdefault(key, []).append((name, line))
    for (type_name, _), places in defined.items():
        for name, line in places[1:]:
            yield Finding(str(name), line, "one-definition",
                          f"{type_name} is defined in {places[0][0]}:{places[0][1]} too: "
                          "rename one, or put it into an unnamed namespace")


def python_functions(name, text):
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return [], [Finding(str(name), error.lineno or 1, "syntax", f"not Python: {error.msg}")]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [cpp.Function(n.name, n.lineno, n.end_lineno, 0)
            for n in ast.walk(tree) if isinstance(n, kinds)], []


def is_ours(name):
    """Shell and Python files, whatever their name, and build files are held to the same sizes."""
    return name.suffix in SCRIPTS or name.name in ("CMakeLists.txt", "dev", "run")


def check_file(root, name, layers):
    if name.suffix not in TEXTS:
        return []
    raw = (root / name).read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[:error.start].count(b"\n") + 1
        return [Finding(str(name), line, "encoding", "not UTF-8")]
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    found = list(check_text(name, lines))
    if name.suffix in CPP:
        found += check_size(name, lines)
        found += check_licence(name, lines)
        found += check_code(name, lines)
        found += check_includes(name, lines, layers)
        found += check_functions(name, cpp.functions(text))
        if name.suffix == ".h":
            found += check_header(name, lines)
    elif is_ours(name):
        found += check_size(name, lines)
        if name.suffix in (".py", ".sh"):
            found += check_licence(name, lines)
        if name.suffix == ".py":
            functions, broken = python_functions(name, text)
            found += broken + list(check_functions(name, functions))
    return found
