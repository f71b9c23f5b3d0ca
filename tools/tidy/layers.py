# SPDX-License-Identifier: Apache-2.0
"""The architecture as src/CMakeLists.txt states it, and who may include whose headers."""
import re

from finding import Finding

LAYER_FILE = "src/CMakeLists.txt"

# Who may include a third-party header: prefix -> (folders, what others do instead). "tests" stands
# for *_test.cc and everything below tests/; "benches" for *_bench.cc.
OWNERS = {
    "asio": ({"base", "server", "worker", "net", "main", "tests"}, "include base/async.h"),
    "vips/": ({"engine"}, "go through engine/render.h"),
    "glib": ({"engine"}, "go through engine/render.h"),
    "gmodule.h": ({"engine"}, "go through engine/render.h"),
    "curl/": ({"net"}, "go through net/http_client.h"),
    "seccomp.h": ({"worker"}, "only the sandbox installs filters"),
    "sqlite3.h": ({"cache"}, "go through cache/disk_tier.h"),
    "yaml-cpp/": ({"policy"}, "read YAML through policy/yaml_reader.h"),
    "prometheus/": ({"telemetry"}, "count through telemetry/metrics.h"),
    "spdlog/": ({"telemetry"}, "log through telemetry/log.h"),
    "fmt/": ({"telemetry"}, "use base/text.h"),
    "llhttp.h": ({"server"}, "only the server parses HTTP"),
    "openssl/": ({"base"}, "hash through base/hash.h"),
    "xxhash.h": ({"base"}, "hash through base/hash.h"),
    "tl/": ({"base"}, "include base/result.h"),
    "nlohmann/": ({"cli", "delivery", "net", "store", "tests"},
                  "write JSON with append_json_string of base/text.h"),
    "zlib.h": ({"replay", "tests"}, "read lines through replay/line_source.h"),
    "CLI/": ({"main"}, "only main/ reads the command line"),
    "gtest/": ({"tests"}, "tests only"),
    "gmock/": ({"tests"}, "tests only"),
    "rapidcheck": ({"tests"}, "tests only"),
    "benchmark/": ({"benches"}, "*_bench.cc only"),
}
# The C++ library has no dot in its names; these are the operating system's and the C library's.
SYSTEM = re.compile(
    r"^([a-z_0-9]+|(sys|linux|netinet|arpa|net|asm|bits|sanitizer)/[a-z_0-9/]+\.h|"
    r"(aio|assert|ctype|dirent|dlfcn|endian|errno|execinfo|fcntl|fnmatch|ftw|getopt|glob|grp|"
    r"ifaddrs|inttypes|limits|malloc|math|mqueue|netdb|poll|pthread|pwd|sched|semaphore|setjmp|"
    r"signal|spawn|stdarg|stddef|stdint|stdio|stdlib|string|strings|sysexits|syslog|termios|time|"
    r"ucontext|unistd|utime|wait)\.h)$")

LAYER = re.compile(r"^[ \t]*layer\(([^)]*)\)", re.M)
KEYWORDS = {"USES", "FUZZ_SOURCES"}  # what follows them are no folders
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_layers(root):
    """{folder: set of folders it may include}, in file order, and what is wrong with the lines."""
    layers, findings = {}, []
    path = root / LAYER_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for match in LAYER.finditer(text):
        number = text.count("\n", 0, match.start()) + 1
        name, *deps = match.group(1).split()
        deps = deps[:next((i for i, word in enumerate(deps) if word in KEYWORDS), len(deps))]
        for dep in deps:
            # Only folders named above may be used: that alone makes cycles impossible.
            if dep not in layers:
                reason = f"{name} uses {dep}, which is not above it: a cycle or a typo"
                findings.append(Finding(LAYER_FILE, number, "layer-order", reason))
        layers[name] = set(deps)
    if not layers:
        findings.append(Finding(LAYER_FILE, 1, "layer-order", "no layer() line found"))
    return layers, findings


def roles_of(name):
    """What a file counts as when a third-party header asks for its owner."""
    roles = {name.parts[1]} if name.parts[0] == "src" and len(name.parts) > 2 else set()
    if name.parts[0] == "tests" or name.name.endswith(("_test.cc", "_test.h", "_testing.h")):
        roles.add("tests")
    if name.name.endswith("_bench.cc"):
        roles.add("benches")
    return roles


def check_own_include(name, number, target, layers):
    folder = name.parts[1] if name.parts[0] == "src" else None
    wanted = target.split("/")[0]
    if folder is None or folder == "main" or wanted == folder:
        return
    if wanted not in layers:
        yield Finding(str(name), number, "include-path",
                      f'"{target}" does not begin with a layer: includes start at src/')
    elif folder not in layers:
        yield Finding(str(name), number, "include-direction", f"{folder} has no layer() line")
    elif wanted not in layers[folder]:
        yield Finding(str(name), number, "include-direction",
                      f"{folder} may not include {wanted}: its layer() line allows "
                      f"{' '.join(sorted(layers[folder])) or 'nothing'}")


def check_foreign_include(name, number, target):
    for prefix, (owners, instead) in OWNERS.items():
        if target.startswith(prefix):
            if not owners & roles_of(name):
                yield Finding(str(name), number, "foreign-header",
                              f"<{target}> belongs to {' '.join(sorted(owners))}: {instead}")
            return
    if not SYSTEM.match(target):
        yield Finding(str(name), number, "foreign-header",
                      f"<{target}> has no owner: name one in tools/tidy/layers.py")


def check_includes(name, lines, layers):
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        if quote == '"':
            yield from check_own_include(name, number, target, layers)
        else:
            yield from check_foreign_include(name, number, target)
