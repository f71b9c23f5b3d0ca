#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cache hits against nginx serving the same bytes as static files. Method: bench/README.md.

Server on core 1 with one event loop, wrk on core 0, rounds interleaved, medians. The figure to
trust is CPU time per request; throughput and p99 are weak on few cores.
"""
import argparse
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import bench
import report
from PIL import Image

# What Chrome sends through a CDN: 16 fields, about 750 bytes.
HEADERS = {
    "Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/130.0.0.0 Safari/537.36",
    "Sec-CH-UA": '"Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"',
    "Sec-CH-UA-Mobile": "?0",
    "Sec-CH-UA-Platform": '"Linux"',
    "Sec-CH-DPR": "2",
    "Sec-CH-Width": "800",
    "Sec-Fetch-Dest": "image",
    "Sec-Fetch-Mode": "no-cors",
    "Sec-Fetch-Site": "same-site",
    "Referer": "https://shop.example/women/dresses?page=2",
    "Via": "2.0 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)",
    "X-Forwarded-For": "203.0.113.7",
    "X-Amz-Cf-Id": "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdEfGhIjKlMnOpQ==",
}
NGINX = """daemon off; master_process on; worker_processes 1; pid {folder}/nginx.pid;
error_log {folder}/error.log; events {{ worker_connections 1024; }}
http {{ access_log {folder}/access.log combined buffer=64k flush=1s; sendfile on; tcp_nopush on;
  keepalive_requests 1000000000; types {{ image/jpeg jpg; image/webp webp; }} {extra}
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}/www; etag on; expires 1d; }} }}
"""
OPEN_FILE_CACHE = "open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;"
SERVER_CORE, CLIENT_CORE = 1, 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def nginx(bodies, extra=""):
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory(prefix="tintype-bench-") as folder:
        os.chmod(folder, 0o755)  # nginx's worker is another user
        www = pathlib.Path(folder, "www")
        www.mkdir()
        for name, body in bodies.items():
            (www / f"{name}.jpg").write_bytes(body)
        port = free_port()
        config = pathlib.Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, port=port, extra=extra), encoding="utf-8")
        with bench.pinned(SERVER_CORE):
            process = subprocess.Popen([program, "-c", str(config), "-p", folder])
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(20)


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"GET {path}: {answer.status} {body[:200]}")
    return body


def find_body(server, target_bytes):
    """A variant of a noisy picture as near to a size as quality allows: (query, bytes)."""
    width = 200 if target_bytes < 40_000 else 420
    tried = {}
    for quality in range(20, 100, 2):
        query = f"/shop/noise.png?w={width}&f=jpeg&q={quality}"
        tried[query] = ask(server.port, query)
    query = min(tried, key=lambda q: abs(len(tried[q]) - target_bytes))
    return query, tried[query]


def run_wrk(port, path, seconds):
    command = ["taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", "-c64", f"-d{seconds}s",
               "--latency"]
    for name, value in HEADERS.items():
        command += ["-H", f"{name}: {value}"]
    out = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True,
                         text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    scale = {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return {"requests": int(re.search(r"(\d+) requests in", out).group(1)),
            "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p99_ms": float(number) * scale}


def measure(rival, seconds):
    port, pid, path = rival
    pids = bench.processes_of(pid)
    run_wrk(port, path, 1)  # warm
    before = bench.cpu_ns(pids)
    result = run_wrk(port, path, seconds)
    result["cpu_us"] = (bench.cpu_ns(pids) - before) / 1000 / result["requests"]
    return result


def compare(rivals, options):
    """{size: {rival: {cpu_us, rps, p99_ms}}}, rounds interleaved."""
    rounds = {size: {name: [] for name in by_name} for size, by_name in rivals.items()}
    for number in range(options.rounds):
        for size, by_name in rivals.items():
            for name, rival in by_name.items():
                result = measure(rival, options.seconds)
                rounds[size][name].append(result)
                print(f"round {number + 1}, {size}, {name}: {result['cpu_us']:.2f} us CPU, "
                      f"{result['rps']:.0f} requests/s, p99 {result['p99_ms']:.2f} ms", flush=True)
    return {size: {name: {key: bench.spread([r[key] for r in results])
                          for key in ("cpu_us", "rps", "p99_ms")}
                   for name, results in by_name.items()} for size, by_name in rounds.items()}


@contextlib.contextmanager
def unhindered():
    """At real-time priority where that is allowed: what the probe itself would wait for a core that
    renders is no wait for the server. Yields whether it was allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(50))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def probe(port, path, seconds, rate_per_second=200):
    """Latencies in ms of hits asked at a fixed rate on one connection, whatever the answers do."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    latencies, begun = [], time.perf_counter()
    for number in range(int(seconds * rate_per_second)):
        due = begun + number / rate_per_second
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        answer.read()
        # From when it was due: a stall counts for every request that it delays.
        latencies.append((time.perf_counter() - due) * 1000)
    connection.close()
    return latencies


def storm(port, clients=16):
    """Keeps every worker busy with pictures nobody has asked for before, until it is killed."""
    def work(index):
        number = 0
        while True:
            width = 300 + (index * 1009 + number * 17) % 900
            path = f"/shop/dress.jpg?w={width}&h={3000 + index * 500 + number % 500}&f=webp"
            number += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", path)
                connection.getresponse().read()
                connection.close()
    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    threads[0].join()


@contextlib.contextmanager
def storm_process(port):
    """In a process of its own, so that the probe does not wait for the storm's interpreter, and of
    the lowest weight: in production those who ask are on other machines, so the time that asking
    takes is not the server's to give."""
    process = subprocess.Popen([sys.executable, "-B", __file__, "--storm", str(port)],
                               start_new_session=True)
    with contextlib.suppress(OSError):  # without autogroups nice alone decides
        pathlib.Path(f"/proc/{process.pid}/autogroup").write_text("19", encoding="ascii")
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    try:
        time.sleep(2)
        yield
    finally:
        process.kill()
        process.wait()


def measure_storm(sites, path, realtime_loops, options):
    """p99 of hits, idle and while all workers render, in turns; everything on all cores, as many
    loops and workers as there are, as in production."""
    settings = {"server": {"loops": 0, "realtime_loops": realtime_loops}, "workers": {"count": 0}}
    idle, stormy, seconds = [], [], options.seconds * 4
    with bench.tintype(sites, settings) as server:
        ask(server.port, path)
        for number in range(options.rounds):
            with unhindered() as is_unhindered:
                idle.append(bench.percentile(probe(server.port, path, seconds), 0.99))
            with storm_process(server.port), unhindered():
                stormy.append(bench.percentile(probe(server.port, path, seconds), 0.99))
            time.sleep(2)  # what was under way ends
            kind = "real-time" if realtime_loops else "ordinary"
            print(f"round {number + 1}, {kind} loops, p99 of a hit: idle {idle[-1]:.2f} ms, "
                  f"in the storm {stormy[-1]:.2f} ms", flush=True)
        made = server.metric("tintype_renders_total")
    return {"idle_p99_ms": bench.spread(idle), "storm_p99_ms": bench.spread(stormy),
            "pictures_made": made, "probe_is_realtime": is_unhindered}


def make_sources(folder):
    source = pathlib.Path(bench.harness.SAMPLES, "dress.jpg")
    shutil.copy(source, folder)
    # Noise cannot be compressed, so quality steers the size finely.
    Image.effect_noise((800, 600), 80).convert("RGB").save(pathlib.Path(folder, "noise.png"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--storm", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.storm:
        storm(options.storm)
    if os.cpu_count() < 2:
        raise SystemExit("two cores are needed: one for the server, one for wrk")
    with contextlib.ExitStack() as stack:
        sources = stack.enter_context(tempfile.TemporaryDirectory())
        make_sources(sources)
        sites = {"shop": {"origin": {"folder": sources}}}
        server = stack.enter_context(bench.tintype(
            sites, {"server": {"loops": 1}, "workers": {"count": 1}}, cores=(SERVER_CORE,)))
        found = {name: find_body(server, size) for name, size in
                 (("20KB", 20_000), ("80KB", 80_000))}
        bodies = {name: body for name, (_, body) in found.items()}
        plain = stack.enter_context(nginx(bodies))
        cached = stack.enter_context(nginx(bodies, OPEN_FILE_CACHE))
        rivals = {}
        for name, (query, body) in found.items():
            width, quality = re.search(r"w=(\d+).*q=(\d+)", query).groups()
            canonical = f"/shop/noise.png/_/q-{quality}_w-{width}.jpeg"
            rivals[name] = {
                "nginx static": (*plain, f"/{name}.jpg"),
                "nginx + open_file_cache": (*cached, f"/{name}.jpg"),
                "tintype, query": (server.port, server.process.pid, query),
                "tintype, canonical path": (server.port, server.process.pid, canonical)}
            for rival, (port, _, path) in rivals[name].items():
                if ask(port, path) != body:
                    raise SystemExit(f"{rival} does not serve the same bytes")
        compared = compare(rivals, options)
        query = found["20KB"][0]
        server.stop()
        stormed = {name: measure_storm(sites, query, realtime_loops, options)
                   for name, realtime_loops in
                   (("ordinary loops", False), ("real-time loops", True))}
    path = bench.save("hits", {
        "kind": "hits", "machine": bench.machine(), "rounds": options.rounds,
        "seconds": options.seconds, "body_bytes": {n: len(b) for n, b in bodies.items()},
        "request_bytes": sum(len(n) + len(v) + 4 for n, v in HEADERS.items()),
        "hits": compared, "storm": stormed})
    report.show(path)


if __name__ == "__main__":
    main()
