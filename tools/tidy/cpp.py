# SPDX-License-Identifier: Apache-2.0
"""A reader of C++ that knows just enough to find functions: it blanks comments and literals and
then follows braces. It is not a parser; it is right for code laid out by clang-format."""
import dataclasses
import re

RAW = re.compile(r'R"([^()\\ ]{0,16})\(')
TYPE = re.compile(r"\b(class|struct|union|enum)\b")
SPACE = re.compile(r"\b(namespace\b|extern\s*$)")


def blank(text):
    """The text with comments, strings and characters replaced by spaces; line breaks stay."""
    out, i, size = [], 0, len(text)

    def skip_to(end):
        nonlocal i
        out.append(re.sub(r"[^\n]", " ", text[i:end]))
        i = end

    while i < size:
        pair, char = text[i:i + 2], text[i]
        if pair == "//":
            end = text.find("\n", i)
            skip_to(size if end < 0 else end)
        elif pair == "/*":
            end = text.find("*/", i + 2)
            skip_to(size if end < 0 else end + 2)
        elif raw := RAW.match(text, i):
            end = text.find(")" + raw.group(1) + '"', raw.end())
            skip_to(size if end < 0 else end + len(raw.group(1)) + 2)
        elif char == '"' or (char == "'" and not (i and text[i - 1].isalnum())):
            end = i + 1
            while end < size and text[end] not in (char, "\n"):
                end += 2 if text[end] == "\\" else 1
            skip_to(min(end + 1, size))
        else:
            out.append(char)
            i += 1
    return "".join(out)


@dataclasses.dataclass
class Function:
    name: str
    first_line: int
    last_line: int
    parameters: int

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


def count_parameters(head):
    """Of the first parenthesised list in the head of a function."""
    depth = angle = commas = 0
    begin = head.find("(")
    for char in head[begin:]:
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                break
        elif depth == 1 and char in "<>":
            angle += 1 if char == "<" else -1
        elif char == "," and depth == 1 and angle <= 0:
            commas += 1
    inside = head[begin + 1:].split(")")[0].strip()
    return commas + 1 if inside else 0


def name_in(head):
    match = re.search(r"([~\w:]+|operator\S+)\s*\(", head)
    return match.group(1) if match else "?"


def kind_of(head, scopes):
    """What a brace opens: "space", "type", "function" or "other"."""
    if any(scope[0] not in ("space", "type") for scope in scopes):
        return "other"
    if SPACE.search(head) and "(" not in head:
        return "space"
    if TYPE.search(head.split("(")[0]) and not head.rstrip().endswith(")"):
        return "type"
    if "(" in head and "=" not in head.split("(")[0]:
        return "function"
    return "other"


TYPE_NAME = re.compile(r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+"
                       r"(?:\[\[[^\]]*\]\]\s*)?(?:alignas\([^)]*\)\s*)?(\w[\w:]*)")


def types(text):
    """(name, line) of every type defined at namespace scope with a name that the linker sees: with
    its namespaces, without types nested in others or in unnamed namespaces."""
    found, scopes, line, head = [], [], 1, ""
    text = re.sub(r"(?m)^[ \t]*#.*", "", blank(text))
    for char in text:
        if char == "{":
            words = head.split()
            # "struct Size f() {" opens a function.
            is_function = words[-1:] and words[-1].endswith((")", "const", "noexcept", "override"))
            name = None if is_function else TYPE_NAME.search(head)
            if words[:1] == ["namespace"] or words[:2] == ["inline", "namespace"]:
                scopes.append(words[-1] if words[-1] != "namespace" else None)
            elif name and None not in scopes and "" not in scopes:
                if "::" not in name.group(1) and "template" not in words:
                    found.append(("::".join([*scopes, name.group(1)]), line))
                scopes.append("")
            else:
                scopes.append(None if None in scopes else "")
            head = ""
        elif char == "}":
            if scopes:
                scopes.pop()
            head = ""
        elif char == ";":
            head = ""
        else:
            head += char
        line += char == "\n"
    return found


def functions(text):
    """Every function with a body at namespace or class scope. Lambdas count to their function."""
    text = re.sub(r"(?m)^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group()),
                  blank(text))
    found, scopes, line, head, head_line = [], [], 1, "", 1
    pending = None  # a constructor whose member list a_{x}, b_{y} is still being read
    for position, char in enumerate(text):
        if char == "{":
            kind = "function" if pending else kind_of(head, scopes)
            start = pending or (head_line, head)
            scopes.append((kind, start))
            head, pending = "", None
        elif char == "}":
            kind, start = scopes.pop() if scopes else ("other", (line, ""))
            if kind == "function":
                after = text[position + 1:position + 200].lstrip()
                if after[:1] in (",", "{"):
                    pending = start
                else:
                    first, text_of_head = start
                    found.append(Function(name_in(text_of_head), first, line,
                                          count_parameters(text_of_head)))
            head = ""
        elif char == ";":
            head, pending = "", None
        else:
            if not head.strip() and not char.isspace():
                head, head_line = "", line
            head += char
        line += char == "\n"
    return found
