# SPDX-License-Identifier: Apache-2.0
"""The real engines that the production shape is tested against, on loopback: Ceph's RADOS gateway
as S3, dynalite as DynamoDB, nginx as the edge and as the load balancer. Each has a folder and ports
of its own, and its processes are started, paused, killed and stopped by their ids. ./dev up starts
the same ones (tools/dev/shape.py)."""
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time
import uuid

import aws
import harness

CREDENTIALS = aws.Credentials("tintype-local", "tintype-local-secret")
NGINX_JS = "/usr/lib/nginx/modules/ngx_http_js_module.so"
DYNALITE = pathlib.Path(__file__).resolve().parent / "dynalite"


def free_ports(count):
    """Ports that were free a moment ago, no two alike; below those that connections are given
    (32768 and up), so that they still are when they are listened on."""
    found = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise AssertionError(f"not installed: {', '.join(missing)}; ./dev setup shape installs it")


def answers(port, path="/"):
    """Whether anything at all answers HTTP there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Engine:
    """What its processes share. The folder is the engine's own, and empty."""
    ending = signal.SIGTERM
    on_spawn = None  # a function of (name, process), called at once

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.processes = {}

    def spawn(self, name, *command):
        with open(self.folder / f"{name}.out", "ab") as out:
            self.processes[name] = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.folder, start_new_session=True)
        if self.on_spawn:
            self.on_spawn(name, self.processes[name])

    def wait_for(self, port, name, path="/"):
        end = time.monotonic() + harness.PATIENCE_S
        while not answers(port, path):
            code = self.processes[name].poll()
            if code is not None:
                raise AssertionError(f"{name} ended with {code}\n{self.log(name)}")
            if time.monotonic() > end:
                raise AssertionError(f"{name} does not answer on {port}\n{self.log(name)}")
            time.sleep(0.02)

    def log(self, name):
        out = self.folder / f"{name}.out"
        return out.read_text(errors="replace")[-3000:] if out.exists() else ""

    def signal(self, number, *names):
        for name in names or self.processes:
            if self.processes[name].poll() is None:
                self.processes[name].send_signal(number)

    def pause(self, *names):
        """Connections are still taken by the kernel, and nothing is answered."""
        self.signal(signal.SIGSTOP, *names)

    def resume(self, *names):
        self.signal(signal.SIGCONT, *names)

    def kill(self, *names):
        """From now on connections are refused."""
        self.signal(signal.SIGKILL, *names)
        for name in names or self.processes:
            self.processes[name].wait(harness.PATIENCE_S)

    def stop(self):
        self.resume()
        self.signal(self.ending)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# No authentication between its own daemons, one copy of everything, in memory. The monitor waits a
# second before each change of its map unless told otherwise, and a start makes a dozen of them.
# tcp_nodelay: else each GET waits 40 ms for a delayed acknowledgement. The watch timeout: else a
# gateway that is started again waits 30 s for the one that was killed.
CEPH_CONF = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_port}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
keyring = {folder}/keyring
run dir = {folder}
admin socket =
pid file =
log file = {folder}/$name.log
crash dir = {folder}
paxos propose interval = 0.02
paxos min wait = 0.01
mon allow pool size one = true
mon max pg per osd = 2000
mon data avail crit = 0
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
[mon]
mon data = {folder}/mon
mon initial members = a
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd op num shards = 2
osd client watch timeout = 1
osd class load list = *
osd class default list = *
[client.rgw.a]
rgw data = {folder}
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
ms mon client mode = crc secure
rgw enable usage log = false
rgw enable ops log = false
rgw enable gc threads = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw thread pool size = 64
rgw lc debug interval = {day_s}
rgw s3 auth use sts = true
rgw sts key = 0123456789abcdef
"""


class Ceph(Engine):
    """S3. `day_s`: how long a day of its lifecycle rules lasts, for tests of expiry."""
    # The data is thrown away, and its store would wait 5 s for a monitor that is gone.
    ending = signal.SIGKILL

    def __init__(self, folder, port=0, mon_port=0, day_s=-1):
        super().__init__(folder)
        need("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool")
        mon, own = free_ports(2)
        self.port, self.mon_port, self.day_s = port or own, mon_port or mon, day_s
        self.s3 = aws.S3(self.port, CREDENTIALS)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command):
        """One of its commands, which must succeed."""
        done = subprocess.run([str(word) for word in command], cwd=self.folder, check=False,
                              capture_output=True, text=True, timeout=harness.PATIENCE_S)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command[:3]))} …: {done.stdout[-500:]}"
                                 f"{done.stderr[-1500:]}\n{self.log('mon')}")

    def start(self):
        conf, cluster, disk = self.folder / "ceph.conf", uuid.uuid4(), uuid.uuid4()
        for name in ("mon", "osd"):
            (self.folder / name).mkdir()
        (self.folder / "keyring").touch()
        conf.write_text(CEPH_CONF.format(
            fsid=cluster, mon_port=self.mon_port, folder=self.folder, port=self.port,
            day_s=self.day_s))
        monitors = self.folder / "monmap"
        self.run("monmaptool", "--create", "--fsid", cluster, "--addv", "a",
                 f"[v2:127.0.0.1:{self.mon_port}]", monitors)
        self.run("ceph-mon", "-c", conf, "-i", "a", "--mkfs", "--monmap", monitors)
        self.spawn("mon", "ceph-mon", "-c", conf, "-i", "a", "-f")
        self.run("ceph", "-c", conf, "--connect-timeout", "30", "osd", "new", disk)
        self.run("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--osd-uuid", disk)
        self.spawn("osd", "ceph-osd", "-c", conf, "-i", "0", "-f")
        self.start_gateway()
        self.run("radosgw-admin", "-c", conf, "--name", "client.rgw.a", "user", "create", "--uid",
                 "tintype", "--display-name", "tintype", "--access-key", CREDENTIALS.access_key,
                 "--secret-key", CREDENTIALS.secret_key, "--caps", "user-policy=*")
        return self

    def start_gateway(self):
        """Again after kill("gateway"): the objects are still there."""
        self.spawn("gateway", "radosgw", "-c", self.folder / "ceph.conf", "-f", "--name",
                   "client.rgw.a")
        self.wait_for(self.port, "gateway")


def install_dynalite():
    """Brings it from npm to build/dynalite, once, as its lock file says; returns its program."""
    need("node", "npm")
    built = harness.ROOT / "build/dynalite"
    built.mkdir(parents=True, exist_ok=True)
    stamp, wanted = built / "installed", (DYNALITE / "package-lock.json").read_text()
    # Written last: what an interrupted npm leaves is not taken for an installation.
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(DYNALITE / name, built)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                              cwd=built, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"npm ci failed in {built}:\n{done.stdout}{done.stderr}")
        stamp.write_text(wanted)
    return built / "node_modules/dynalite/cli.js"


class Dynalite(Engine):
    """DynamoDB. It checks no signatures; Ceph does. What it holds outlives kill() and start()."""

    def __init__(self, folder, port=0):
        super().__init__(folder)
        self.program = install_dynalite()
        self.port = port or free_ports(1)[0]
        self.db = aws.DynamoDb(self.port, CREDENTIALS)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.spawn("dynalite", "node", self.program, "--host", "127.0.0.1", "--port", self.port,
                   "--path", self.folder / "tables", "--createTableMs", "0", "--deleteTableMs", "0")
        self.wait_for(self.port, "dynalite")
        return self


def push_policy(config, table, endpoint):
    """The `sites` of a settings file into the table."""
    done = subprocess.run(
        [harness.BINARY, "policy", "push", "--config", str(config), "--table", table, "--region",
         aws.REGION, "--endpoint", endpoint], capture_output=True, text=True, check=False,
        env={**os.environ, "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
             "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key})
    if done.returncode != 0:
        raise AssertionError(f"tintype policy push: {done.stdout}{done.stderr}")


class Nginx(Engine):
    """nginx in the foreground; the folder holds nginx.conf before start()."""

    def start(self, path="/"):
        self.spawn("nginx", "nginx", "-e", "error.log", "-p", self.folder, "-c",
                   self.folder / "nginx.conf", "-g", "daemon off;")
        self.wait_for(self.port, "nginx", path)
        return self

    def log(self, name):
        errors = self.folder / "error.log"
        return super().log(name) + (errors.read_text()[-3000:] if errors.exists() else "")


class Edge(Nginx):
    """The edge that `tintype edge build --target nginx` writes. `order`: sites, service (a URL),
    store (a URL or none), secret, port."""

    def __init__(self, folder, order):
        super().__init__(folder)
        need("nginx")
        self.port = order.get("port") or free_ports(1)[0]
        self.config, secret = self.folder / "sites.yaml", self.folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text(order["secret"] + "\n")
        self.config.write_text(json.dumps({"sites": order["sites"]}), encoding="utf-8")
        command = [harness.BINARY, "edge", "build", "--config", self.config, "--target", "nginx",
                   "--out", self.folder, "--listen", f"127.0.0.1:{self.port}", "--service",
                   order["service"], "--cache-size", "1g", "--secret-file", secret]
        if order.get("store"):
            command += ["--store", order["store"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"edge build: {done.stderr}")

    def start(self, path="/_edge/health"):
        # What a killed nginx leaves; a new one would not listen.
        (self.folder / "socket/origins.sock").unlink(missing_ok=True)
        return super().start(path)


BALANCER_CONF = """load_module {module};
{user}worker_processes 2;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    js_path "{folder}";
    js_import tasks.js;
    js_set $task tasks.choose;
    keepalive_timeout 3600s;
    keepalive_requests 1000000;
{upstreams}    server {{
        listen 127.0.0.1:{port} backlog=1024;
        merge_slashes off;
        location = /_balancer {{ return 204; }}
        location / {{
            proxy_pass http://$task;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_next_upstream off;
            proxy_connect_timeout 2s;
            proxy_read_timeout 60s;
        }}
    }}
}}
"""
# Who is registered is read with each request: a reload would cut the edges' connections, which a
# load balancer does not do.
BALANCER_JS = """import fs from 'fs';
function choose(r) {
    const tasks = fs.readFileSync('@FOLDER@/registered', 'utf8').split(' ');
    return 'task_' + tasks[parseInt(r.variables.request_id.slice(0, 4), 16) % tasks.length];
}
export default {choose};
"""


class Balancer(Nginx):
    """Plays the ALB: passes requests on to the registered tasks, never twice, and takes no task out
    by itself; register() does what ECS does. `ports`: of all tasks that will ever be."""

    def __init__(self, folder, ports, port=0):
        super().__init__(folder)
        need("nginx")
        self.port = port or free_ports(1)[0]
        # Started by root nginx would run as nobody, who may not read this folder.
        (self.folder / "nginx.conf").write_text(BALANCER_CONF.format(
            module=NGINX_JS, user="user root;\n" if os.geteuid() == 0 else "", port=self.port,
            folder=self.folder, upstreams="".join(
                f"    upstream task_{one} {{ server 127.0.0.1:{one} max_fails=0; keepalive 64; }}\n"
                for one in ports)))
        (self.folder / "tasks.js").write_text(BALANCER_JS.replace("@FOLDER@", str(self.folder)))
        self.register(ports)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, path="/_balancer"):
        return super().start(path)

    def register(self, ports):
        """From now on these tasks get requests and no others; what is under way ends there."""
        new = self.folder / "registered.new"
        new.write_text(" ".join(map(str, ports)))
        os.replace(new, self.folder / "registered")
