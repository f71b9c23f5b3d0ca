#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The production shape on this machine: a miss through edge, bucket, balancer and task, and where
its time goes; a hit in the bucket through the edge against plain nginx; write-back on and off;
source and policy at the same time. Method: bench/README.md."""
import argparse
import concurrent.futures
import contextlib
import http.client
import io
import itertools
import json
import os
import pathlib
import random
import re
import subprocess
import tempfile
import threading
import time

import bench
import engines
import faults
import report
from PIL import Image

SECRET = "only-the-edge-knows-this"
WIDTH = 800
# A variant of a photograph, as in bench/hits.py.
BODY_BYTES = 20_000
DELAY_S = 0.04  # of S3 and DynamoDB each, where it is shown that they are waited for together
PLAIN_CONF = """{user}worker_processes 2;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 1024; }}
http {{
    access_log access.log;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    upstream s3 {{ server 127.0.0.1:{s3_port}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass http://s3/variants$request_uri;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host 127.0.0.1:{s3_port};
        }}
    }}
}}
"""
# Each object once: what is asked twice would be the edge cache's.
WRK = """
local number = {first}
request = function()
  number = number + 1
  return wrk.format('GET', '/shop/' .. number .. '.jpg/_/w-600.webp')
end
done = function(summary, latency)
  io.write(string.format('{{"requests": %d, "wrong": %d, "p50_us": %d, "p99_us": %d}}\\n',
    summary.requests, summary.errors.status + summary.errors.read + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def photograph():
    """12 megapixels that weigh what a camera's do, about 4 MB: a sample, enlarged, with grain."""
    with Image.open(pathlib.Path(bench.harness.SAMPLES, "dress.jpg")) as sample:
        picture = sample.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(picture.size, 40).convert("RGB")
    out = io.BytesIO()
    Image.blend(picture, grain, 0.2).save(out, "JPEG", quality=90)
    return out.getvalue()


class Shape:
    """Everything up, in a folder that is removed at the end."""

    def __init__(self, stack):
        self.stack = stack
        self.folder = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="tintype-bench-")))
        self.count = itertools.count()
        self.ceph = self.run(engines.Ceph(self.sub("ceph")))
        self.dynalite = self.run(engines.Dynalite(self.sub("dynamodb")))
        for bucket in ("originals", "variants"):
            self.ceph.s3.make_bucket(bucket)
        self.ceph.s3.allow_reading("variants")
        self.dynalite.db.make_policy_table("policy")

    def sub(self, name):
        folder = self.folder / f"{name}-{next(self.count)}"
        folder.mkdir()
        return folder

    def run(self, engine):
        self.stack.callback(engine.stop)
        return engine.start()

    def sites(self, endpoint=None):
        return {"shop": {"origin": {"s3": "originals", "region": engines.aws.REGION,
                                    "endpoint": endpoint or self.ceph.endpoint}}}

    def task(self, sites, **sections):
        """As in production: metrics and logs on; no cache of sources, so that each miss fetches."""
        settings = {"server": {"edge_secret": SECRET, "edge_only": True, "loops": os.cpu_count()},
                    "workers": {"count": os.cpu_count(), "recycle_after": 1_000_000},
                    "log": {"level": "info"}, **sections}
        server = bench.harness.Server(self.sub("task"), sites, settings, {
            "AWS_ACCESS_KEY_ID": engines.CREDENTIALS.access_key,
            "AWS_SECRET_ACCESS_KEY": engines.CREDENTIALS.secret_key,
            "AWS_REGION": engines.aws.REGION, "AWS_EC2_METADATA_DISABLED": "true"})
        self.stack.callback(server.stop)
        return server.start()

    def variants(self):
        return {"s3": {"bucket": "variants", "region": engines.aws.REGION,
                       "endpoint": self.ceph.endpoint}}

    def balancer(self, tasks):
        return self.run(engines.Balancer(self.sub("balancer"), [task.port for task in tasks]))

    def edge(self, service):
        # A short name: the path of its socket has a limit.
        return self.run(engines.Edge(self.sub("edge"), {
            "sites": self.sites(), "service": service, "secret": SECRET,
            "store": self.ceph.endpoint + "/variants"}))


# --- misses


class Client:
    """One connection a thread; notes what an answer said of its time."""

    def __init__(self, port, headers=None):
        self.port, self.headers, self.local = port, headers or {}, threading.local()

    def ask(self, target, due=None):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        begun = time.perf_counter() if due is None else due
        self.local.connection.request("GET", target, headers=self.headers)
        answer = self.local.connection.getresponse()
        answer.read()
        total = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise SystemExit(f"{target}: {answer.status}")
        parts = re.findall(r"(\w+);dur=([\d.]+)", answer.getheader("Server-Timing") or "")
        return {"ms": total, **{f"service_{name}": float(ms) for name, ms in parts}}


def targets():
    """Canonical paths that nobody has asked for: another quality or width of another source."""
    for number in itertools.count():
        width, quality = WIDTH - number // 50 % 100, 50 + number % 50
        options = f"q-{quality}_w-{width}" if quality != 80 else f"w-{width}"
        yield f"/shop/photo-{number % 8}.jpg/_/{options}.webp"


def closed_loop(port, paths, count, at_once):
    """Pictures a second when each client asks as soon as it has been answered."""
    client, begun = Client(port), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(client.ask, paths[:count]))
    return count / (time.perf_counter() - begun)


def open_loop(port, paths, per_second):
    """Asks at random moments, whoever is still waiting; time counts from when a request was due."""
    client, chance = Client(port), random.Random(4)
    begun, due, waiting = time.perf_counter(), 0.0, []
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        for path in paths:
            due += chance.expovariate(per_second)
            time.sleep(max(0.0, begun + due - time.perf_counter()))
            waiting.append(pool.submit(client.ask, path, begun + due))
        return [one.result() for one in waiting]


def absent_ms(port, count):
    """What the bucket's 403 costs on its own."""
    connection, spent = http.client.HTTPConnection("127.0.0.1", port), []
    for number in range(count):
        begun = time.perf_counter()
        connection.request("GET", f"/variants/shop/absent-{number}.jpg/_/w-800.webp")
        answer = connection.getresponse()
        answer.read()
        spent.append((time.perf_counter() - begun) * 1000)
        if answer.status != 403:
            raise SystemExit(f"an absent object is {answer.status}, not 403")
    connection.close()
    return spent


def figures(answers):
    """p50 and p99 of the whole, and the median of each part."""
    whole = [one["ms"] for one in answers]
    out = {"p50_ms": bench.percentile(whole, 0.5), "p99_ms": bench.percentile(whole, 0.99)}
    names = sorted({name for one in answers for name in one if name.startswith("service_")})
    for name in names:
        out[name + "_ms"] = bench.percentile([one.get(name, 0.0) for one in answers], 0.5)
    out["around_the_service_ms"] = bench.percentile(
        [one["ms"] - one.get("service_total", 0.0) for one in answers], 0.5)
    return out


def spread_of(rounds):
    return {name: bench.spread([one[name] for one in rounds]) for name in rounds[0]}


def misses(shape, options):
    """Two sets of tasks, with and without write-back, asked in turn at 70 % of the capacity."""
    picture, sites = photograph(), shape.sites()
    for number in range(8):
        shape.ceph.s3.put("originals", f"photo-{number}.jpg", picture)
    cores = {"workers": {"count": max(1, os.cpu_count() // 2), "recycle_after": 1_000_000}}
    sides = {"with write-back": {"variants": shape.variants(), **cores}, "without": cores}
    edges = {}
    for side, sections in sides.items():
        tasks = [shape.task(sites, **sections) for _ in range(2)]
        edges[side] = shape.edge(shape.balancer(tasks).url)
    # A side's variants are in the bucket for the other: each round has targets of its own.
    fresh, rounds = targets(), {side: [] for side in sides}
    count = options.pictures
    for edge in edges.values():
        closed_loop(edge.port, list(itertools.islice(fresh, 16)), 16, os.cpu_count())
    capacity = closed_loop(edges["without"].port, list(itertools.islice(fresh, count)), count,
                           os.cpu_count())
    print(f"capacity: {capacity:.1f} pictures/s", flush=True)
    for number in range(options.rounds):
        for side, edge in edges.items():
            paths = list(itertools.islice(fresh, count))
            result = figures(open_loop(edge.port, paths, 0.7 * capacity))
            result["s3_miss_ms"] = bench.percentile(absent_ms(shape.ceph.port, 50), 0.5)
            rounds[side].append(result)
            print(f"misses, round {number + 1}, {side}: p50 {result['p50_ms']:.0f} ms, "
                  f"p99 {result['p99_ms']:.0f} ms", flush=True)
    return {"capacity_per_second": capacity, "source_bytes": len(picture),
            "sides": {side: spread_of(one) for side, one in rounds.items()}}


# --- hits in the bucket


def wrk(port, first, connections, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK.format(first=first))
        script.flush()
        done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name,
                               f"http://127.0.0.1:{port}"], check=True, capture_output=True,
                              text=True)
    said = json.loads(done.stdout.splitlines()[-1])
    if said["wrong"]:
        raise SystemExit(f"{said['wrong']} of {said['requests']} requests failed")
    return said


def plain_nginx(shape):
    folder, port = shape.sub("plain"), engines.free_ports(1)[0]
    plain = engines.Nginx(folder)
    plain.port = port
    (folder / "nginx.conf").write_text(PLAIN_CONF.format(
        user="user root;\n" if os.geteuid() == 0 else "", port=port, s3_port=shape.ceph.port))
    return shape.run(plain)


def hits(shape, options):
    """An edge is new each round, so that its cache is empty; nginx has none."""
    body = os.urandom(BODY_BYTES)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: shape.ceph.s3.put(
            "variants", f"shop/{n}.jpg/_/w-600.webp", body,
            {"content-type": "image/webp", "cache-control": "public, max-age=2592000"}),
            range(1, options.objects + 1)))
    plain, rounds = plain_nginx(shape), {"plain nginx": [], "edge": []}
    for number in range(options.rounds):
        edge = shape.edge("http://127.0.0.1:9")  # no service: all of it is in the bucket
        for side, port in (("plain nginx", plain.port), ("edge", edge.port)):
            said = wrk(port, 0, 1, 1)
            if said["requests"] >= options.objects:
                raise SystemExit("there are too few objects: --objects")
            rounds[side].append({"p50_ms": said["p50_us"] / 1000, "p99_ms": said["p99_us"] / 1000})
            print(f"bucket hits, round {number + 1}, {side}: p50 {said['p50_us'] / 1000:.2f} ms",
                  flush=True)
        edge.stop()
    return {side: spread_of(one) for side, one in rounds.items()}


# --- source and policy together


def together(shape, options):
    """Both are slow by DELAY_S; the service's phase of fetching is one delay, not two."""
    slow_s3, slow_table = faults.Fault(shape.ceph.port), faults.Fault(shape.dynalite.port)
    shape.stack.callback(slow_s3.close)
    shape.stack.callback(slow_table.close)
    sites = shape.sites(slow_s3.endpoint)
    config = shape.sub("policy") / "policy.yaml"
    config.write_text(json.dumps({"sites": sites}))
    engines.push_policy(config, "policy", shape.dynalite.endpoint)
    shape.ceph.s3.put("originals", "small.jpg",
                      pathlib.Path(bench.harness.SAMPLES, "tshirt.jpg").read_bytes())
    task = shape.task(None, policy_table={
        "name": "policy", "region": engines.aws.REGION, "endpoint": slow_table.endpoint,
        "refresh": "1s"})
    client, rounds = Client(task.port, {"X-Origin-Verify": SECRET}), {}
    cases = {"neither slow": (), "source slow": (slow_s3,), "policy slow": (slow_table,),
             "both slow": (slow_s3, slow_table)}
    width = itertools.count(40)
    for _ in range(options.rounds):
        for name, slow in cases.items():
            for proxy in (slow_s3, slow_table):
                proxy.play(*(("slow",) if proxy in slow else ("pass",)), seconds=DELAY_S)
            time.sleep(1.2)  # the policy is older than its refresh
            fetched = client.ask(f"/shop/small.jpg/_/w-{next(width)}.webp")
            rounds.setdefault(name, []).append({"fetch_ms": fetched["service_fetch"],
                                                "ms": fetched["ms"]})
    return {"delay_ms": DELAY_S * 1000,
            "cases": {name: spread_of(one) for name, one in rounds.items()}}


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--rounds", type=int, default=5)
    flags.add_argument("--pictures", type=int, default=150, help="misses a round and side")
    flags.add_argument("--objects", type=int, default=6000, help="in the bucket, for hits")
    flags.add_argument("--only", choices=["misses", "hits", "together"])
    options = flags.parse_args()
    parts = {"misses": misses, "hits": hits, "together": together}
    document = {"kind": "shape", "machine": bench.machine(), "rounds": options.rounds,
                "pictures_a_round": options.pictures}
    for name, part in parts.items():
        if options.only in (None, name):
            with contextlib.ExitStack() as stack:
                document[name] = part(Shape(stack), options)
    report.show(bench.save("shape", document))


if __name__ == "__main__":
    main()
