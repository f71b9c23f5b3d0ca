#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The edge: functions built by the real binary, their sizes, the shortened against the readable
one, and nginx with what was written for it in front of the real server."""
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import unittest

import harness
import pictures
from origin import Origin, status

ROOT = harness.ROOT
COMPARE = ROOT / "tests/edge/compare.mjs"
VECTORS = ROOT / "spec/vectors"
LIMIT_BYTES = 10_240
SITE = {"origin": {"folder": harness.SAMPLES}}
MODULE = "/usr/lib/nginx/modules/ngx_http_js_module.so"
HAS_NGINX = shutil.which("nginx") and os.path.exists(MODULE)
SECRET = "b3BlbnNzbCByYW5kIC1iYXNlNjQ="
AVIF, WEBP = "image/avif,image/webp,*/*", "image/webp,*/*"


# The dialects that have signatures of their own.
SIGNED = ("cloudinary", "dit", "imgix", "imgproxy", "thumbor")


def build(folder, sites, *flags):
    """tintype edge build with these sites; returns what it printed, and its exit code."""
    config = folder / "tintype.yaml"
    config.write_text(json.dumps({"sites": sites}), encoding="utf-8")
    done = subprocess.run([harness.BINARY, "edge", "build", "--config", str(config), *flags],
                          capture_output=True, text=True, check=False)
    return done


def mounts_of(lines):
    """The first mount of each path in a file of vectors, as in a settings file; of the reversed
    lines that is the last, with other keys."""
    mounts = {}
    for words in (line.split() for line in lines if line.startswith("mount ")):
        if words[1] in mounts:
            continue
        mount = {"path": words[1], "dialect": words[2]}
        given = dict(word.split("=", 1) for word in words[4:])
        if words[2] not in SIGNED:
            pass
        elif "salthex" in given:
            mount["keys"] = [{"key": given["keyhex"], "salt": given["salthex"]}]
        elif "key" in given:
            mount["keys"] = [given["key"]]
        if "source" in given:
            mount["sources"] = [given["source"]]
        mounts[words[1]] = mount
    return list(mounts.values())


def vectors_of(dialect):
    """([mounts, others], targets) of a dialect's vectors."""
    lines = (VECTORS / f"{dialect}.txt").read_text(encoding="utf-8").splitlines()
    requests = [line.rpartition(" -> ")[0] for line in lines
                if " -> " in line and not line.startswith("#")]
    targets = [request.partition(" | ")[0].strip() for request in requests]
    both = [mounts_of(lines), mounts_of(lines[::-1])]
    return both, [target for target in targets if target.startswith("/")]


DIALECTS = sorted(path.stem for path in VECTORS.glob("*.txt")
                  if path.stem not in ("native", "policy"))


@unittest.skipUnless(shutil.which("node"), "node is not installed")
class Functions(harness.Case):
    def setUp(self):
        self.folder = self.temporary_folder()

    def compare(self, targets, *flags):
        (self.folder / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
        done = subprocess.run(["node", str(COMPARE), str(self.folder / "short.js"),
                               str(self.folder / "nginx/edge.js"),
                               str(self.folder / "targets.json"), *flags],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def build_both(self, sites, *flags):
        short = self.folder / "short.js"
        done = build(self.folder, sites, "--out", str(short), "--no-limit", "--json", *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["bytes"], len(short.read_bytes()))
        done = build(self.folder, sites, "--target", "nginx", "--out", str(self.folder / "nginx"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return report

    def test_each_dialect_answers_alike_shortened(self):
        for dialect in ["native", *DIALECTS]:
            (mounts, others), targets = vectors_of(dialect)
            for listed in [mounts, others] if mounts != others else [mounts]:
                self.build_and_compare(dialect, listed, targets)

    def build_and_compare(self, dialect, mounts, targets):
        with self.subTest(dialect=dialect):
            report = self.build_both({"shop": {**SITE, "mounts": mounts}})
            said = self.compare(targets)
            fits = "fits" if report["bytes"] <= LIMIT_BYTES else "too large for CloudFront"
            print(f"{dialect}: {report['bytes']} bytes, {fits}; {said.strip()}")

    def test_all_policies_answer_alike(self):
        site = {**SITE, "presets": {"card": "w=400&h=400&fit=cover", "wide": {"ar": "16:9"}},
                "defaults": {"q": 70}, "formats": ["webp"], "width_ladder": [320, 640, 1280],
                "unknown_parameters": "refuse", "limits": {"max_width": 2000, "max_height": 2000}}
        self.build_both({"shop": site, "other": SITE})
        targets = vectors_of("native")[1]
        self.compare(targets + ["/shop/a.jpg?p=card", "/shop/a.jpg?p=wide&w=100", "/shop/a.jpg?p=x",
                                "/other/a.jpg?p=card", "/other/a.jpg?x=1", "/nobody/a.jpg"])

    def test_policies_in_a_store(self):
        presets = {f"preset-{i}": f"w={100 + i}&fit=cover&h=90" for i in range(60)}
        sites = {"shop": {**SITE, "presets": presets}, "other": SITE}
        store = self.folder / "policies.json"
        self.build_both(sites, "--kvs", str(store))
        entries = json.loads(store.read_text())["data"]
        self.assertGreater(len(entries), 3, "the policy should need several values")
        self.compare(["/shop/a.jpg?p=preset-59", "/other/a.jpg?w=10", "/nobody/a.jpg", "/",
                      "/shop/a.jpg/_/w-10.webp", "/shop/1/a.jpg"], "--store", str(store))

    def test_what_is_too_large_is_refused_whole(self):
        presets = {f"preset-{i}": "w=100&h=100&fit=cover" for i in range(200)}
        out = self.folder / "edge.js"
        done = build(self.folder, {"shop": {**SITE, "presets": presets}}, "--out", str(out))
        self.assertEqual(done.returncode, 2)
        self.assertFalse(out.exists())
        for word in ["10240", "core and native", "policy", "--kvs", "--target nginx", "--mount"]:
            self.assertIn(word, done.stderr)

    def test_what_does_not_fit_is_passed_on(self):
        mounts = [{"path": "/is/image", "dialect": "scene7"},
                  {"path": "/cdn", "dialect": "imgix", "keys": ["secret"]}]
        out = self.folder / "edge.js"
        done = build(self.folder, {"shop": {**SITE, "mounts": mounts}}, "--out", str(out), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(sorted(report["passed_on"] + report["dialects"]),
                         ["imgix", "native", "scene7"])
        self.assertIn("imgix", report["passed_on"], "the largest goes first")
        self.assertLessEqual(out.stat().st_size, LIMIT_BYTES)
        self.assertFalse(report["has_secrets"], "what is passed on is the service's to check")
        event = {"request": {"method": "GET", "uri": "/cdn/dress.jpg", "querystring":
                             {"w": {"value": "80"}}, "headers": {"accept": {"value": AVIF}}}}
        script = out.read_text() + f"console.log(handler({json.dumps(event)}).uri)"
        done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout.strip(),
                         "/_/ask/avif,,,/%2Fcdn%2Fdress.jpg%3Fw%3D80", done.stderr)
        # The service reads it as if the viewer had asked it.
        mounts[1].pop("keys")
        server = self.serve({"shop": {**SITE, "mounts": mounts}})
        passed, direct = server.get(done.stdout.strip()), server.get("/cdn/dress.jpg?w=80",
                                                                     accept=AVIF)
        self.expect_picture(passed)
        self.assertEqual(passed.body, direct.body)

    def test_keys_are_for_their_owner(self):
        mount = {"path": "/cdn", "dialect": "imgix", "keys": ["secret"]}
        out = self.folder / "edge.js"
        done = build(self.folder, {"shop": {**SITE, "mounts": [mount]}}, "--out", str(out),
                     "--no-limit")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o600)
        self.assertIn("holds keys", done.stderr)

    def test_names_that_are_not_there(self):
        done = build(self.folder, {"shop": SITE}, "--site", "shoes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no site shoes", done.stderr)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@unittest.skipUnless(HAS_NGINX, "nginx or its JavaScript module is not installed")
class Nginx(harness.Case):
    SITES = {"shop": {**SITE, "mounts": [{"path": "/cdn", "dialect": "imgix"}],
                      "limits": {"max_width": 2000}}}

    def edge(self, sites, service_port, *flags, secret=""):
        """Builds and starts an edge; it is stopped with the test. Returns something to ask."""
        folder = self.temporary_folder()
        folder.chmod(0o755)
        port = free_port()
        if secret:
            (folder / "secret").write_text(secret + "\n")
            flags = (*flags, "--secret-file", str(folder / "secret"))
        out = folder / "edge"
        done = build(folder, sites, "--target", "nginx", "--out", str(out), "--listen",
                     f"127.0.0.1:{port}", "--service", f"http://127.0.0.1:{service_port}", *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        process = subprocess.Popen(["nginx", "-e", "error.log", "-p", str(out), "-c",
                                    str(out / "nginx.conf"), "-g", "daemon off;"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        edge = harness.Server(folder, {})
        edge.process, edge.port = process, port
        edge.log = lambda: (out / "error.log").read_text() if (out / "error.log").exists() else ""

        def stop():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(harness.PATIENCE_S)
        self.addCleanup(stop)

        def is_up():
            if process.poll() is not None:
                raise AssertionError("nginx ended\n" + edge.log())
            try:
                return edge.get("/_edge/health").status == 200
            except ConnectionError:
                return False
        edge.wait_until(is_up, "nginx to be up")
        edge.access = lambda: [json.loads(line) for line
                               in (out / "access.log").read_text().splitlines()]
        return edge

    def start(self, **settings):
        server = self.serve(self.SITES, **settings)
        return server, self.edge(self.SITES, server.port)

    def expect_refusal(self, answer, code, name):
        """What the edge says of a wrong request: problem details, and nothing else."""
        self.assertEqual(answer.status, code, answer)
        self.assertEqual(answer.headers["content-type"], harness.PROBLEM)
        self.assertIn("cache-control", answer.headers)
        document = answer.problem()
        self.assertEqual((document["status"], document["code"]), (code, name))
        self.assertEqual(document["type"], "urn:tintype:error:" + name)

    def requests_of(self, server):
        return (server.folder / "access.log").read_text().count("\n")

    def test_spellings_are_one_entry(self):
        server, edge = self.start()
        first = edge.get("/shop/dress.jpg?w=200&f=webp")
        self.expect_picture(first, "image/webp")
        self.assertEqual(first.headers["x-cache"], "MISS")
        self.assertIn("fwd=uri-miss", first.headers["cache-status"])
        for target in ["/shop/dress.jpg?format=WEBP&width=0200&utm_source=x",
                       "/shop/dress.jpg/_/w-200.webp", "/cdn/dress.jpg?w=200&fm=webp&q=80&fit=max",
                       "/shop/dr%65ss.jpg?w=%32%30%30&f=webp"]:
            with self.subTest(target=target):
                again = edge.get(target)
                self.assertEqual(again.headers.get("x-cache"), "HIT", again)
                self.assertEqual(again.headers["cache-status"], "tintype-edge; hit")
                self.assertEqual(again.body, first.body)
        self.assertEqual(server.metric("tintype_renders_total"), 1)
        lines = edge.access()
        self.assertEqual({line["path"] for line in lines}, {"/shop/dress.jpg/_/w-200.webp"})
        self.assertEqual([line["cache"] for line in lines], ["MISS"] + ["HIT"] * 4)

    def test_negotiated_formats(self):
        server, edge = self.start()
        for accept, media_type in [(AVIF, "image/avif"), (WEBP, "image/webp"),
                                   ("*/*", "image/jpeg")]:
            answer = edge.get("/shop/dress.jpg?w=100", accept=accept)
            self.expect_picture(answer, media_type)
            self.assertEqual(answer.headers["vary"], "Accept")
        self.assertNotIn("vary", edge.get("/shop/dress.jpg?w=100&f=webp").headers)
        self.assertIn("Sec-CH-DPR", edge.get("/shop/dress.jpg?w=100&dpr=auto").headers["vary"])
        del server

    def test_many_misses_are_one_render(self):
        origin = Origin()
        self.addCleanup(origin.close)
        origin.put("/hero.jpg", pictures.make("JPEG", (1600, 1200), "red"), delay_s=2)
        sites = {"shop": {"origin": origin.rule()}}
        server = self.serve(sites)
        edge = self.edge(sites, server.port)
        answers = harness.crowd(edge.port, "/shop/hero.jpg?w=400&f=jpeg", 20)
        self.assertEqual({s for s, _ in answers}, {200})
        self.assertEqual(len({body for _, body in answers}), 1)
        self.assertEqual(server.metric("tintype_renders_total"), 1)
        server.wait_until(lambda: self.requests_of(server) == 1, "one request in the log")

    def test_wrong_requests_end_at_the_edge(self):
        server, edge = self.start()
        before = self.requests_of(server)
        wrong = [("/shop/dress.jpg?w=0", 400, "bad-request"),
                 ("/shop/dress.jpg?w=2001", 400, "bad-request"),
                 ("/shop/%zz.jpg", 400, "bad-request"), ("/shop/a/../b.jpg", 400, "bad-request"),
                 ("/shop//b.jpg", 400, "bad-request"), ("/nobody/b.jpg", 404, "not-found"),
                 ("/cdn/dress.jpg?blend=x", 400, "unsupported-option")]
        for target, code, name in wrong:
            with self.subTest(target=target):
                self.expect_refusal(edge.get(target), code, name)
        posted = edge.get("/shop/dress.jpg", "-X", "POST", "-d", "")
        self.expect_refusal(posted, 405, "method-not-allowed")
        raw = edge.raw(b"GET /shop/\xff.jpg HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertIn(b" 400 ", raw.split(b"\r\n")[0])
        self.expect_refusal(edge.get("/shop/" + "a" * 9000), 414, "too-long")
        self.expect_refusal(edge.get("/shop/" + "a" * 20000), 414, "too-long")
        self.assertEqual(self.requests_of(server), before, "none of them may reach the service")

    def test_bytes_of_a_path_arrive_as_they_are(self):
        origin = Origin()
        self.addCleanup(origin.close)
        origin.put("/m%C3%BCnchen%20a%2Bb.jpg", pictures.make("JPEG", (100, 80), "red"))
        sites = {"shop": {"origin": origin.rule()}}
        edge = self.edge(sites, self.serve(sites).port)
        raw = edge.raw("GET /shop/münchen%20a+b.jpg?f=jpeg HTTP/1.1\r\nHost: a\r\n"
                       "Connection: close\r\n\r\n".encode())
        self.assertIn(b" 200 ", raw.split(b"\r\n")[0], raw[:300])
        again = edge.get("/shop/m%c3%bcnchen%20a%2Bb.jpg?f=jpeg")
        self.assertEqual(again.headers["x-cache"], "HIT")

    def test_cached_pictures_survive_the_service(self):
        server, edge = self.start()
        first = edge.get("/shop/dress.jpg?w=200&f=webp")
        self.expect_picture(first)
        server.stop()
        again = edge.get("/shop/dress.jpg?width=200&f=webp")
        self.assertEqual((again.status, again.headers["x-cache"]), (200, "HIT"))
        self.assertEqual(again.body, first.body)
        self.assertEqual(edge.get("/shop/dress.jpg?w=201&f=webp").status, 502)
        self.expect_refusal(edge.get("/shop/dress.jpg?w=0"), 400, "bad-request")

    def test_heads_ranges_and_conditions(self):
        _, edge = self.start()
        path = "/shop/dress.jpg?w=200&f=webp"
        head = edge.head(path)
        self.assertEqual((head.status, head.body), (200, b""))
        whole = edge.get(path)
        self.assertEqual(whole.headers["x-cache"], "HIT", "HEAD and GET share an entry")
        self.assertEqual(head.headers["content-length"], str(len(whole.body)))
        part = edge.get(path, "-r", "10-19")
        self.assertEqual((part.status, part.body), (206, whole.body[10:20]))
        same = edge.get(path, "-H", f"If-None-Match: {whole.headers['etag']}")
        self.assertEqual((same.status, same.body), (304, b""))
        self.assertIn("max-age=", whole.headers["cache-control"])

    def test_missing_pictures_are_remembered(self):
        server, edge = self.start()
        for _ in range(3):
            self.expect_problem(edge.get("/shop/nothing.jpg?f=jpeg"), 404, "not-found")
        server.wait_until(lambda: self.requests_of(server) == 1, "one request in the log")

    def test_the_store_is_asked_first(self):
        store = Origin()
        self.addCleanup(store.close)
        variant = pictures.make("WEBP", (20, 20), "blue")
        store.put("/variants/shop/dress.jpg/_/w-20.webp", variant, "image/webp")
        store.play("/variants/shop/dress.jpg/_/w-21.webp", status(403))
        store.play("/variants/shop/dress.jpg/_/w-22.webp", status(503))
        server = self.serve(self.SITES)
        edge = self.edge(self.SITES, server.port, "--store",
                         f"http://127.0.0.1:{store.port}/variants")
        self.assertEqual(edge.get("/shop/dress.jpg?w=20&f=webp").body, variant)
        self.assertEqual(self.requests_of(server), 0)
        for width in (21, 22, 23):  # forbidden, failing, not there
            self.expect_picture(edge.get(f"/shop/dress.jpg?w={width}&f=webp"), "image/webp")
        server.wait_until(lambda: self.requests_of(server) == 3, "three requests in the log")
        store.close()
        self.expect_picture(edge.get("/shop/dress.jpg?w=24&f=webp"), "image/webp")

    def test_the_service_knows_its_edge(self):
        server = self.serve(self.SITES, {"server": {"edge_secret": SECRET, "edge_only": True}})
        stranger = self.edge(self.SITES, server.port)
        self.assertEqual(stranger.get("/shop/dress.jpg?w=20&f=webp").status, 403)
        edge = self.edge(self.SITES, server.port, secret=SECRET)
        self.expect_picture(edge.get("/shop/dress.jpg?w=20&f=webp"), "image/webp")

    def test_nothing_of_the_client_goes_on(self):
        service = Origin()
        self.addCleanup(service.close)
        heads = []
        picture = pictures.make("WEBP", (20, 20), "blue")

        def behave(handler):
            heads.append({name.lower(): value for name, value in handler.headers.items()})
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(picture)))
            handler.end_headers()
            handler.wfile.write(picture)
        service.play("/shop/dress.jpg/_/w-20.webp", behave)
        edge = self.edge(self.SITES, service.port)
        answer = edge.get("/shop/dress.jpg?w=20&f=webp", "-H", "Cookie: a=b", "-H",
                          "Authorization: Basic x", "-H", "X-Origin-Verify: guess", accept=AVIF)
        self.assertEqual(answer.status, 200)
        self.assertEqual(set(heads[0]), {"host", "x-request-id"})


if __name__ == "__main__":
    harness.main()
