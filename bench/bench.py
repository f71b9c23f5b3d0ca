# SPDX-License-Identifier: Apache-2.0
"""What the load tests share: the machine's description, CPU time of a group of processes,
percentiles, a running tintype pinned to cores, and the results file. The server is started by the
end-to-end tests' harness."""
import contextlib
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
os.environ.setdefault("TINTYPE_BINARY", str(ROOT / "build/release/tintype"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import harness  # noqa: E402  (needs the path above)


def machine():
    """Enough to judge a figure by; nothing that names the machine."""
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.processor())
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False).stdout.strip()
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release", encoding="utf-8")
                   if "=" in line)
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release().split("-")[0],
            "system": release.get("PRETTY_NAME", "").strip('"'), "commit": commit,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def processes_of(leader):
    """The process, its children and theirs."""
    pids, at = [leader], 0
    while at < len(pids):
        for task in pathlib.Path(f"/proc/{pids[at]}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                pids += [int(p) for p in task.read_text().split() if int(p) not in pids]
        at += 1
    return pids


def cpu_ns(pids):
    """On-CPU time of all threads so far, in nanoseconds (scheduler statistics, first field)."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(task.read_text().split()[0])
    return total


def rss_bytes(pids):
    """Resident memory with shared pages counted once (PSS where the kernel tells)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values):
    """Median with the range, as every figure here is given."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


@contextlib.contextmanager
def pinned(*cores):
    """Processes started inside run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def tintype(sites, settings, cores=None):
    """A running server, with logging and metrics on as in production, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="tintype-bench-") as folder:
        server = harness.Server(folder, sites, {"log": {"level": "info"}, **settings})
        with pinned(*(cores or os.sched_getaffinity(0))):
            server.start()
        try:
            yield server
        finally:
            server.stop()


def save(name, document):
    RESULTS.mkdir(parents=True, exist_ok=True)
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    path = RESULTS / f"{name}-{day}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"\nraw results: {path.relative_to(ROOT)}; "
          f"again as a table: python3 bench/report.py {path.relative_to(ROOT)}")
    return path
