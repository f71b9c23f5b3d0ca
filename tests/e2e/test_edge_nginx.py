#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The edge on nginx: what the real binary wrote for it, in front of the real server, or of an
origin that plays one."""
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
import unittest

import harness
import pictures
from origin import Origin, status
from test_edge import AVIF, SECRET, SITE, build

WEBP = "image/webp,*/*"
KEY = "0123456789abcdef-of-the-vip"
MODULE = "/usr/lib/nginx/modules/ngx_http_js_module.so"
HAS_NGINX = shutil.which("nginx") and os.path.exists(MODULE)


def lasting(code, body, max_age_s, delay_s=0):
    """What a service answers that says for how long it holds."""
    def behave(handler):
        time.sleep(delay_s)
        handler.send_response(code)
        handler.send_header("Cache-Control", f"public, max-age={max_age_s}")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    return behave


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
        out.mkdir()
        if os.geteuid() == 0:
            shutil.chown(out, "nobody")  # its processes run as the folder's owner
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
        edge.out = out
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
        failed = edge.get("/shop/dress.jpg?w=201&f=webp")
        self.expect_problem(failed, 502, "origin-failed")
        self.assertEqual(failed.max_age, 3)
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

    def scripted(self):
        """An edge before an origin that plays the service; the path that it answers, and how to
        ask for it."""
        service = Origin()
        self.addCleanup(service.close)
        edge = self.edge(self.SITES, service.port)
        return service, edge, "/shop/a.jpg/_/w-20.webp", lambda: edge.get("/shop/a.jpg?w=20&f=webp")

    def test_failures_are_never_stale(self):
        picture = pictures.make("WEBP", (20, 20), "blue")
        for code, name in [(404, "not-found"), (502, "origin-failed"), (504, "timeout")]:
            with self.subTest(code=code):
                service, edge, path, ask = self.scripted()
                service.play(path, lasting(code, b"{}", 1))
                self.expect_problem(ask(), code, name)
                service.play(path, lasting(200, picture, 60))
                seen = []

                def is_served(seen=seen, ask=ask):
                    seen.append(ask())
                    return seen[-1].status == 200
                edge.wait_until(is_served, "the picture")
                # Whoever comes when the failure's time is over waits for the picture.
                self.assertLessEqual({answer.headers["x-cache"] for answer in seen[:-1]}, {"HIT"})
                self.assertEqual(seen[-1].headers["x-cache"], "MISS")
                self.assertEqual(service.count(path), 2)

    def test_pictures_may_be_stale_when_the_service_fails(self):
        service, edge, path, ask = self.scripted()
        picture = pictures.make("WEBP", (20, 20), "blue")
        service.play(path, lasting(200, picture, 1))
        self.assertEqual(ask().body, picture)
        service.play(path, lasting(502, b"{}", 1))
        answer = edge.wait_until(lambda: next((a for a in [ask()] if a.headers["x-cache"] != "HIT"),
                                              None), "the picture to be old")
        self.assertEqual((answer.status, answer.headers["x-cache"]), (200, "STALE"))
        self.assertEqual(answer.body, picture)

    def test_a_failure_is_one_request(self):
        service, edge, path, ask = self.scripted()
        service.play(path, lasting(502, b"{}", 60, delay_s=1))
        answers = harness.crowd(edge.port, "/shop/a.jpg?w=20&f=webp", 20)
        self.assertEqual({code for code, _ in answers}, {502})
        self.assertEqual(service.count(path), 1)
        service.play("/shop/b.jpg/_/w-20.webp", status(503))
        busy = edge.get("/shop/b.jpg?w=20&f=webp")
        self.expect_problem(busy, 503, "busy")
        self.assertEqual((busy.headers["cache-control"], busy.headers["retry-after"]),
                         ("no-store", "1"))
        del ask

    def test_what_nginx_refuses_is_a_problem_too(self):
        server, edge = self.start()
        before = self.requests_of(server)
        get, close = b"GET /shop/dress.jpg?w=20&f=webp HTTP/1.1\r\nHost: a\r\n", b"\r\n\r\n"
        bodies = [b"Content-Length: 5\r\n\r\nhello", b"Content-Length: 5000\r\n\r\n" + b"a" * 5000,
                  b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  b"Transfer-Encoding: chunked\r\n\r\n1388\r\n" + b"a" * 5000 + b"\r\n0\r\n\r\n"]
        wrong = [(get + b"Connection: close\r\n" + body, 400) for body in bodies]
        wrong += [(b"nonsense\r\n\r\n", 400), (get + b"Content-Length: x" + close, 400),
                  (get + b"Connection: close\r\nX: " + b"a" * 40_000 + close, 431),
                  (b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close" + close, 405),
                  (b"GET / HTTP/3.0\r\nHost: a" + close, 505)]
        for request, code in wrong:
            with self.subTest(request=request[:120]):
                answer = edge.exchange([request])[0]
                self.expect_problem(answer, code)
                self.assertEqual(answer.headers["cache-control"], "no-store",
                                 "the target is not to blame")
        self.assertEqual(self.requests_of(server), before)
        empty = get + b"Content-Length: 0\r\nConnection: close" + close
        self.expect_picture(edge.exchange([empty])[0])

    def test_no_way_past_the_function(self):
        _, edge = self.start()
        for target in ["/shop/../_edge/health", "/%5Fedge/health", "//_edge/health",
                       "/_edge/./health", "/_edge/malformed", "/x/../_edge/too-long",
                       "/@variant", "/shop/%2e%2e/_edge/malformed"]:
            with self.subTest(target=target):
                answer = edge.get(target)
                self.assertIn(answer.status, (400, 404))
                self.assertIn(answer.problem()["code"], ("bad-request", "not-found"))
        self.assertEqual(edge.get("/_edge/health").problem(), {"status": "ok"})
        self.assertNotIn("/_edge/health", [line["target"] for line in edge.access()])

    def test_one_location(self):
        sites = {"shop": {**SITE, "spellings": "redirect"}}
        edge = self.edge(sites, self.serve(sites).port)
        answer = edge.get("/shop/dress.jpg?width=20&f=webp")
        self.assertEqual((answer.status, answer.headers["location"]),
                         (302, "/shop/dress.jpg/_/w-20.webp"), "several would be joined")
        self.expect_picture(edge.get(answer.headers["location"]))

    def test_signatures_are_not_logged(self):
        _, edge = self.start()
        for sign in ("s=livesign", "%73=livesign", "S=livesign"):
            edge.get(f"/shop/dress.jpg?w=20&{sign}&f=webp")
        edge.get("/shop/dress.jpg?s=livesign")
        edge.get("/shop/dress.jpg?ss=kept")
        targets = [line["target"] for line in edge.access()]
        self.assertEqual(targets, ["/shop/dress.jpg?w=20&s=***&f=webp",
                                   "/shop/dress.jpg?w=20&%73=***&f=webp",
                                   "/shop/dress.jpg?w=20&S=***&f=webp",
                                   "/shop/dress.jpg?s=***", "/shop/dress.jpg?ss=kept"])
        for log in ("access.log", "error.log"):
            self.assertEqual(stat.S_IMODE((edge.out / log).stat().st_mode), 0o640, log)

    def test_the_origins_are_for_the_edge_alone(self):
        _, edge = self.start()
        at = (edge.out / "socket").stat()
        self.assertEqual((stat.S_IMODE(at.st_mode), at.st_uid),
                         (0o700, edge.out.stat().st_uid))
        if os.geteuid() != 0:
            self.skipTest("only root can ask as another user")
        knock = ("import socket; socket.socket(socket.AF_UNIX).connect("
                 f"{str(edge.out / 'socket/origins.sock')!r})")
        for user, is_let_in in (("nobody", True), (54321, False)):
            done = subprocess.run(["python3", "-c", knock], user=user, capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode == 0, is_let_in, done.stderr)
        self.assertIn("PermissionError", done.stderr)

    def sealed(self):
        """A site whose signatures the service checks, its edge with a store of variants in front
        and the service's secret, and how to sign."""
        store = Origin()
        self.addCleanup(store.close)
        sites = {"vip": {**SITE, "signing": {"keys": [KEY], "verify_at": "service"}}}
        server = self.serve(sites, {"server": {"edge_secret": SECRET}})
        edge = self.edge(sites, server.port, "--store", f"http://127.0.0.1:{store.port}/variants",
                         secret=SECRET)

        def sign(url, *flags):
            done = subprocess.run([harness.BINARY, "sign", url, "-c", str(server.config), *flags],
                                  capture_output=True, text=True, check=True)
            return done.stdout.strip()
        return store, server, edge, sign

    def test_the_service_verifies(self):
        store, server, edge, sign = self.sealed()
        self.assertNotIn(KEY.encode().hex(), (edge.out / "edge.js").read_text())
        self.assertEqual(stat.S_IMODE((edge.out / "edge.js").stat().st_mode), 0o644)
        # The store has the variant: it must not be a way in.
        store.put("/variants/vip/dress.jpg/_/w-20.webp", b"a secret picture", "image/webp")
        for target in ("/vip/dress.jpg?w=20&f=webp", "/vip/dress.jpg/_/w-20.webp",
                       "/v%69p/dress.jpg/_/w-20.webp", "/vip/dress.jpg/_/w-20.webp?s="):
            self.expect_refusal(edge.get(target), 403, "forbidden")
        self.expect_refusal(edge.get("/_/ask/,,,/%2Fvip%2Fdress.jpg%2F_%2Fw-20.webp"), 400,
                            "bad-request")
        self.assertEqual(self.requests_of(server), 0, "what bears no signature ends at the edge")
        for target in ("/vip/dress.jpg?w=20&f=webp&s=x", "/vip/dress.jpg/_/w-20.webp?s=x"):
            self.assertEqual(edge.get(target).status, 403)
        for target in ("/vip/dress.jpg?w=20&f=webp", "/vip/dress.jpg/_/w-20.webp"):
            with self.subTest(target=target):
                url = sign(target)
                self.expect_picture(edge.get(url), "image/webp")
                self.assertEqual(edge.get(url).headers["x-cache"], "HIT")
                self.assertEqual(edge.get(url.replace("20", "21")).status, 403)
        # Not even the edge's secret opens the site.
        canonical = server.get("/vip/dress.jpg/_/w-20.webp", "-H", f"X-Origin-Verify: {SECRET}")
        self.assertEqual(canonical.status, 403)
        self.assertEqual(store.count("/variants/vip/dress.jpg/_/w-20.webp"), 0)

    def test_what_the_service_verifies_is_negotiated(self):
        _, _, edge, sign = self.sealed()
        url = sign("/vip/dress.jpg?w=20")
        self.expect_picture(edge.get(url, accept=AVIF), "image/avif")
        self.expect_picture(edge.get(url, accept="*/*"), "image/jpeg")

    def test_what_is_cached_expires_with_its_url(self):
        _, server, edge, sign = self.sealed()
        url = sign("/vip/dress.jpg?w=20&f=webp", "--expires-in", "2s")
        self.assertEqual(edge.get(url).status, 200)
        time.sleep(3.1)
        self.expect_refusal(edge.get(url), 403, "forbidden")
        # Neither log holds a signature, in whatever spelling.
        signature = url.split("s=")[-1]
        server.wait_until(lambda: self.requests_of(server) > 0, "the service's log")
        for log in (server.folder / "access.log", edge.out / "access.log"):
            self.assertNotIn(signature, log.read_text(), log)
        self.assertIn("***", edge.access()[0]["path"])

    def test_an_address_of_ipv6(self):
        folder = self.temporary_folder()
        done = build(folder, {"shop": SITE}, "--target", "nginx", "--out", str(folder / "edge"),
                     "--service", "https://[::1]:8443")
        self.assertEqual(done.returncode, 0, done.stderr)
        conf = folder / "edge/nginx.conf"
        self.assertIn("proxy_ssl_name [::1];", conf.read_text())
        done = subprocess.run(["nginx", "-e", "error.log", "-t", "-p", str(conf.parent), "-c",
                               str(conf)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

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
