#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cache misses against npm's sharp behind a minimal node server: the same photographs, widths,
formats and qualities over HTTP, every URL new. Method: bench/README.md.

With --soak N instead: N misses in a row, and what the processes' memory does meanwhile.
"""
import argparse
import concurrent.futures
import contextlib
import http.client
import io
import itertools
import json
import math
import os
import pathlib
import subprocess
import threading
import time

import bench
import report
from PIL import Image, ImageChops, ImageStat

MODULES = bench.ROOT / "build" / "bench"
# Qualities that look alike: both sides get the same number.
QUALITY = {"jpeg": 80, "webp": 80, "avif": 50}
SOURCES = ["dress.jpg", "jeans.jpg", "tshirt.jpg", "juice.png", "plimsolls.png"]


def install_sharp():
    if not (MODULES / "node_modules" / "sharp").is_dir():
        print("fetching sharp with npm …", flush=True)
        MODULES.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(MODULES),
                        "sharp@latest"], check=True)


@contextlib.contextmanager
def sharp_server(folder, at_once):
    """(port, pid, versions)"""
    process = subprocess.Popen(
        ["node", str(bench.ROOT / "bench/sharp-server.mjs"), str(folder),
         str(MODULES / "node_modules")],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "UV_THREADPOOL_SIZE": str(at_once)})
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the sharp server does not start: node 20 or newer is needed")
        hello = json.loads(line)
        yield hello["port"], process.pid, hello["versions"]
    finally:
        process.terminate()
        process.wait(20)


def jobs_of_round(kind, number, count):
    """The same for both sides, and never the same width of a source twice."""
    sources = itertools.cycle(SOURCES)
    return [{"file": next(sources), "w": 480 + number * count + i, "f": kind, "q": QUALITY[kind]}
            for i in range(count)]


def url_of(side, job):
    query = f"w={job['w']}&f={job['f']}&q={job['q']}"
    return f"/shop/{job['file']}?{query}" if side == "tintype" else f"/{job['file']}?{query}"


class Client:
    """Asks on one connection a thread."""

    def __init__(self, side, port):
        self.side, self.port, self.local = side, port, threading.local()

    def fetch(self, job):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        begun = time.perf_counter()
        self.local.connection.request("GET", url_of(self.side, job))
        answer = self.local.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{self.side}: {job}: {answer.status} {body[:300]}")
        return (time.perf_counter() - begun) * 1000, body


def run_round(side, rival, jobs, at_once):
    port, pid = rival
    client = Client(side, port)
    # The time of a worker that is replaced meanwhile would be lost: main() switches that off.
    pids = bench.processes_of(pid)
    before, begun = bench.cpu_ns(pids), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(client.fetch, jobs))
    wall_s = time.perf_counter() - begun
    cpu_ms = (bench.cpu_ns(pids) - before) / 1e6
    latencies = [ms for ms, _ in answers]
    return {"per_second": len(jobs) / wall_s, "cpu_ms": cpu_ms / len(jobs),
            "p50_ms": bench.percentile(latencies, 0.5), "p99_ms": bench.percentile(latencies, 0.99),
            "bytes": sum(len(body) for _, body in answers) / len(jobs)}, answers


def fidelity_db(job, body):
    """Peak signal-to-noise ratio against Pillow's Lanczos of the original at full resolution. It
    does not say which looks better; it says that neither side was let off the work."""
    if job["f"] == "avif":
        return None  # Debian 12's Pillow does not read it
    with Image.open(pathlib.Path(bench.harness.SAMPLES, job["file"])) as source:
        if source.mode in ("RGBA", "P"):
            source = source.convert("RGBA")
            source = Image.alpha_composite(Image.new("RGBA", source.size, "white"), source)
        source = source.convert("RGB")
    picture = Image.open(io.BytesIO(body)).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    reference = source.resize(picture.size, Image.Resampling.LANCZOS)
    rms = ImageStat.Stat(ImageChops.difference(picture, reference)).rms
    return 20 * math.log10(255 / max(1e-6, math.sqrt(sum(r * r for r in rms) / 3)))


def compare(rivals, options):
    results = {}
    for kind in options.kinds.split(","):
        count = max(8, options.pictures // 5) if kind == "avif" else options.pictures
        rounds = {side: [] for side in rivals}
        fidelity = {side: [] for side in rivals}
        for number in range(-1, options.rounds):  # round -1 warms both up
            jobs = jobs_of_round(kind, number + 1, count)
            for side, rival in rivals.items():
                result, answers = run_round(side, rival, jobs, options.at_once)
                if number < 0:
                    scores = [fidelity_db(j, b) for j, (_, b) in zip(jobs[:10], answers)]
                    fidelity[side] = [s for s in scores if s is not None]
                    continue
                rounds[side].append(result)
                print(f"{kind}, round {number + 1}, {side}: {result['per_second']:.1f} pictures/s, "
                      f"{result['cpu_ms']:.1f} ms CPU, p50 {result['p50_ms']:.0f} ms, "
                      f"{result['bytes'] / 1000:.1f} KB", flush=True)
        results[kind] = {
            side: {key: bench.spread([r[key] for r in rounds[side]]) for key in rounds[side][0]}
                  | {"psnr_db": bench.spread(fidelity[side]) if fidelity[side] else None}
            for side in rivals}
    return results


def soak(server, count, at_once):
    """Memory over `count` misses: [[misses, bytes of the server, bytes of all processes], …]."""
    client, series = Client("tintype", server.port), []
    step = max(1, count // 40)
    pairs = itertools.product(range(40, 40 + count // len(SOURCES) // 4 + 1), range(1, 5), SOURCES)
    jobs = [{"file": f, "w": w, "f": "jpeg", "q": 60 + q} for w, q, f in pairs][:count]
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for begin in range(0, count, step):
            list(pool.map(client.fetch, jobs[begin:begin + step]))
            main = bench.rss_bytes([server.process.pid])
            whole = bench.rss_bytes(bench.processes_of(server.process.pid))
            done = min(begin + step, len(jobs))
            series.append([done, main, whole])
            print(f"{done} misses: server {main / 1e6:.1f} MB, all {whole / 1e6:.1f} MB",
                  flush=True)
    return series


SITES = {"shop": {"origin": {"folder": bench.harness.SAMPLES}}}


def show_comparison(options):
    install_sharp()
    settings = {"workers": {"count": os.cpu_count(), "recycle_after": 1_000_000}}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(bench.tintype(SITES, settings))
        port, pid, versions = stack.enter_context(
            sharp_server(bench.harness.SAMPLES, options.at_once))
        rivals = {"sharp": (port, pid), "tintype": (server.port, server.process.pid)}
        results = compare(rivals, options)
    report.show(bench.save("misses", {
        "kind": "misses", "machine": bench.machine(), "rounds": options.rounds,
        "pictures_a_round": options.pictures, "at_once": options.at_once, "quality": QUALITY,
        "sharp": versions, "misses": results}))


def show_soak(options):
    # A memory tier that is soon full: what grows afterwards is no cache.
    settings = {"workers": {"count": os.cpu_count()}, "cache": {"memory": "16MB"}}
    with bench.tintype(SITES, settings) as server:
        series = soak(server, options.soak, options.at_once)
    report.show(bench.save("soak", {"kind": "soak", "machine": bench.machine(), "rounds": 1,
                                    "soak": series}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=40, help="a round")
    parser.add_argument("--kinds", default="jpeg,webp,avif")
    parser.add_argument("--at-once", type=int, default=os.cpu_count())
    parser.add_argument("--soak", type=int, default=0, metavar="N")
    options = parser.parse_args()
    show_soak(options) if options.soak else show_comparison(options)


if __name__ == "__main__":
    main()
