#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The production shape on this machine (./dev up, ./dev down; docs/operating/shape.md):

    edge 1, edge 2 -> bucket of variants (Ceph), else -> balancer -> task 1, task 2
                                                          -> bucket of originals, policy table

The engines are those of the end-to-end tests (tests/e2e/engines.py). What runs is written down in
build/shape/shape.json, and ended by it."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import engines  # noqa: E402  (needs the path above)

HERE = ROOT / "build" / "shape"
STATE = HERE / "shape.json"
TABLE = "tintype-policy"
# What listens where, counted from --port.
PORTS = ["edge 1", "edge 2", "balancer", "task 1", "task 1 admin", "task 2", "task 2 admin", "S3",
         "DynamoDB", "Ceph monitor"]
SITES = {"shop": {"origin": {"s3": "originals", "region": engines.aws.REGION}}}


def fail(message, hint=""):
    sys.exit(f"dev: {message}" + (f"\n     {hint}" if hint else ""))


def started_at(pid):
    """When the process began, in clock ticks since boot: with it a process id names one process
    for ever. None when there is none."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


class State:
    """What runs, written with each process, so that also an interrupted `up` can be taken down."""

    def __init__(self, port):
        self.port, self.processes = port, []
        self.lock = threading.Lock()

    def watch(self, engine):
        def note(name, process):
            with self.lock:
                self.processes.append({"name": name, "pid": process.pid,
                                       "ending": int(engine.ending),
                                       "started": started_at(process.pid)})
                document = {"port": self.port, "processes": self.processes}
                STATE.write_text(json.dumps(document, indent=1))
        engine.on_spawn = note
        return engine


def running():
    """(port, the processes of shape.json that are alive, how many there were)."""
    try:
        state = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return 0, [], 0
    alive = [one for one in state["processes"] if started_at(one["pid"]) == one["started"]]
    return state["port"], alive, len(state["processes"])


def down():
    _, alive, _ = running()
    for one in reversed(alive):
        os.kill(one["pid"], one["ending"])
    end = time.monotonic() + 30
    while alive and time.monotonic() < end:
        time.sleep(0.05)
        alive = [one for one in alive if started_at(one["pid"]) == one["started"]]
    for one in alive:
        print(f"{one['name']} (process {one['pid']}) does not end: it is killed")
        os.kill(one["pid"], signal.SIGKILL)
    shutil.rmtree(HERE, ignore_errors=True)


def check_ports(port):
    for name, number in zip(PORTS, range(port, port + len(PORTS))):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", number))
            except OSError:
                fail(f"something already listens on port {number}, which {name} is to have",
                     f"choose others: ./dev up --port N takes N to N+{len(PORTS) - 1}")


class Task(engines.Engine):
    """One `tintype serve`; its folder is its own disk."""

    def __init__(self, folder, port, order):
        super().__init__(folder)
        self.port = port
        settings = {
            "server": {"port": port, "admin_port": port + 1, "edge_secret": order["secret"],
                       "edge_only": True, "access_log": str(self.folder / "access.log"),
                       "drain_accept": "0s"},
            "variants": {"s3": {"bucket": "variants", "region": engines.aws.REGION,
                                "endpoint": order["s3"]}},
            "cache": {"sources": {"folder": str(self.folder / "sources"), "size": "1GB"}},
            "policy_table": {"name": TABLE, "region": engines.aws.REGION,
                             "endpoint": order["dynamodb"],
                             "snapshot": str(self.folder / "policy.json"), "refresh": "5s"},
            "log": {"level": "info", "format": "json"}}
        self.config = self.folder / "tintype.yaml"
        self.config.touch(mode=0o600)
        self.config.write_text(json.dumps(settings, indent=1))

    def start(self):
        self.spawn("task", engines.harness.BINARY, "serve", "--config", self.config)
        self.wait_for(self.port + 1, "task", "/_/ready")
        return self


def start_engines(state, port):
    """Both at the same time, as neither needs the other."""
    ceph = state.watch(engines.Ceph(HERE / "ceph", port + 7, port + 9))
    dynalite = state.watch(engines.Dynalite(HERE / "dynamodb", port + 8))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for begun in [pool.submit(ceph.start), pool.submit(dynalite.start)]:
            begun.result()
    return ceph, dynalite


def fill(ceph, dynalite):
    """The buckets, the sample pictures, the policy."""
    ceph.s3.make_bucket("originals")
    ceph.s3.make_bucket("variants")
    ceph.s3.allow_reading("variants")
    ceph.s3.expire_after("variants", 30)
    for picture in sorted((ROOT / "samples").iterdir()):
        if picture.suffix in (".jpg", ".png"):
            ceph.s3.put("originals", picture.name, picture.read_bytes())
    sites = json.loads(json.dumps(SITES))
    sites["shop"]["origin"]["endpoint"] = ceph.endpoint
    config = HERE / "policy.yaml"
    config.write_text(json.dumps({"sites": sites}, indent=1))
    dynalite.db.make_policy_table(TABLE)
    engines.push_policy(config, TABLE, dynalite.endpoint)
    return sites


def start_all(port):
    state = State(port)
    os.environ.update({"AWS_ACCESS_KEY_ID": engines.CREDENTIALS.access_key,
                       "AWS_SECRET_ACCESS_KEY": engines.CREDENTIALS.secret_key,
                       "AWS_EC2_METADATA_DISABLED": "true"})
    ceph, dynalite = start_engines(state, port)
    sites = fill(ceph, dynalite)
    secret = secrets.token_urlsafe(24)
    order = {"secret": secret, "s3": ceph.endpoint, "dynamodb": dynalite.endpoint}
    for i in (1, 2):
        state.watch(Task(HERE / f"task-{i}", port + 1 + 2 * i, order)).start()
    balancer = engines.Balancer(HERE / "balancer", [port + 3, port + 5], port + 2)
    state.watch(balancer).start()
    for i in (1, 2):
        state.watch(engines.Edge(HERE / f"edge-{i}", {
            "sites": sites, "service": balancer.url, "store": ceph.endpoint + "/variants",
            "secret": secret, "port": port + i - 1})).start()


def tell(port):
    at = "http://127.0.0.1:"
    print(f"""
The production shape is up. Ask an edge twice, the other edge once, and around the edges:

  curl -si '{at}{port}/shop/dress.jpg?w=600&f=webp' | head -20      MISS, then HIT
  curl -si '{at}{port + 1}/shop/dress.jpg?w=600&f=webp' | head -20      from the bucket
  curl -si '{at}{port + 3}/shop/dress.jpg?w=600&f=webp' | head -1       403

  edges     {at}{port} {at}{port + 1}
  balancer  {at}{port + 2}
  tasks     {at}{port + 3} {at}{port + 5}; /_/metrics, /_/ready on {port + 4} and {port + 6}
  S3        {at}{port + 7}, buckets originals and variants (30 days)
  DynamoDB  {at}{port + 8}, table {TABLE}

  export AWS_ACCESS_KEY_ID={engines.CREDENTIALS.access_key}
  export AWS_SECRET_ACCESS_KEY={engines.CREDENTIALS.secret_key}

Logs are below build/shape. What happens when a part is gone: docs/operating/shape.md.
./dev down ends it.
""")


def up(port):
    at, alive, all_of_them = running()
    if alive and len(alive) == all_of_them and at == port:
        tell(port)
        return
    if HERE.exists():
        print("what an earlier ./dev up left is taken down first")
        down()
    check_ports(port)
    HERE.mkdir(parents=True)
    begun = time.monotonic()
    try:
        start_all(port)
    except (AssertionError, OSError) as error:
        # The folder stays: its logs say more. ./dev down, or the next ./dev up, removes it.
        for one in reversed(running()[1]):
            os.kill(one["pid"], signal.SIGKILL)
        fail(f"{error}", "the logs are below build/shape")
    print(f"started in {time.monotonic() - begun:.1f} s")
    tell(port)


def main():
    flags = argparse.ArgumentParser(prog="./dev up", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("task", choices=["up", "down"], help=argparse.SUPPRESS)
    flags.add_argument("--port", type=int, default=8100, metavar="N",
                       help=f"the first of {len(PORTS)} ports (default 8100)")
    arguments = flags.parse_args()
    if arguments.task == "down":
        down()
    elif 1024 <= arguments.port <= 65535 - len(PORTS):
        up(arguments.port)
    else:
        fail(f"--port wants a number from 1024 to {65535 - len(PORTS)}, not {arguments.port}")


if __name__ == "__main__":
    main()
