#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The edge: functions built by the real binary, their sizes, and the shortened against the readable
one. nginx is in test_edge_nginx.py."""
import json
import shutil
import stat
import subprocess
import unittest

import harness

ROOT = harness.ROOT
COMPARE = ROOT / "tests/edge/compare.mjs"
VECTORS = ROOT / "spec/vectors"
LIMIT_BYTES = 10_240
SITE = {"origin": {"folder": harness.SAMPLES}}
SECRET = "b3BlbnNzbCByYW5kIC1iYXNlNjQ="
AVIF = "image/avif,image/webp,*/*"


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

    def lambda_answers(self, sites, requests):
        """What `exports.handler` of the built file answers, by its events."""
        out = self.folder / "index.js"
        done = build(self.folder, sites, "--target", "lambda", "--out", str(out))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"written to {out}: {out.stat().st_size // 1000}", done.stdout)
        events = [{"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": {
            "clientIp": "192.0.2.1", "method": "GET", "headers": {"accept": [
                {"key": "Accept", "value": "text/html"}, {"key": "accept", "value": AVIF}]},
            **request}}}]} for request in requests]
        script = f"""
const {{handler}} = require({json.dumps(str(out))});
(async () => {{
  const answers = [];
  for (const event of {json.dumps(events)}) answers.push(await handler(event));
  console.log(JSON.stringify(answers));
}})();"""
        done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_lambda_at_edge(self):
        mounts = [{"path": "/is/image", "dialect": "scene7"}, {"path": "/cdn", "dialect": "imgix"},
                  {"path": "/cl", "dialect": "cloudinary"}]
        sites = {"shop": {**SITE, "mounts": mounts}, "moved": {**SITE, "spellings": "redirect"}}
        requests = [{"uri": "/shop/a%20b.jpg", "querystring": "w=%38&utm=x"},
                    {"uri": "/is/image/dress.jpg", "querystring": "wid=80&fmt=webp"},
                    {"uri": "/cdn/dress.jpg", "querystring": "w=80&fm=webp&fit=max"},
                    {"uri": "/cl/image/upload/w_80,c_limit,f_webp/dress.jpg", "querystring": ""},
                    {"uri": "/shop/a.jpg", "querystring": "w=0"},
                    {"uri": "/shop/a.jpg", "querystring": "", "method": "POST"},
                    {"uri": "/moved/a.jpg", "querystring": "w=8"}]
        *pictures, wrong, posted, moved = self.lambda_answers(sites, requests)
        self.assertEqual([one["uri"] for one in pictures],
                         ["/shop/a%20b.jpg/_/w-8.avif", "/shop/dress.jpg/_/bg-ffffff_w-80.webp",
                          "/shop/dress.jpg/_/q-75_w-80.webp", "/shop/dress.jpg/_/w-80.webp"])
        for one in pictures:
            self.assertEqual((one["querystring"], one["method"]), ("", "GET"))
            self.assertEqual(len(one["headers"]["accept"]), 2, "the request itself goes on")
        self.assertEqual((wrong["status"], wrong["statusDescription"]), ("400", "Bad Request"))
        self.assertEqual(wrong["headers"]["content-type"],
                         [{"key": "content-type", "value": harness.PROBLEM}])
        self.assertEqual(json.loads(wrong["body"])["option"], "w")
        self.assertEqual(posted["status"], "405")
        self.assertEqual((moved["status"], moved["headers"]["location"][0]["value"],
                          moved["headers"]["vary"][0]["value"]),
                         ("302", "/moved/a.jpg/_/w-8.avif", "Accept"))

    def test_lambda_at_edge_holds_keys(self):
        mounts = [{"path": "/cdn", "dialect": "imgix", "keys": ["secret"]}]
        signing = {"signing": {"keys": ["0123456789abcdef"]}}
        requests = [{"uri": "/cdn/dress.jpg", "querystring": "w=80&s=x"},
                    {"uri": "/vip/dress.jpg", "querystring": "w=80"}]
        answers = self.lambda_answers({"shop": {**SITE, "mounts": mounts},
                                       "vip": {**SITE, **signing}}, requests)
        self.assertEqual([one["status"] for one in answers], ["403", "403"])
        self.assertEqual(stat.S_IMODE((self.folder / "index.js").stat().st_mode), 0o600)
        done = build(self.folder, {"shop": SITE}, "--target", "lambda", "--json", "--out",
                     str(self.folder / "open.js"))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["has_secrets"], report["dialects"]), (False, ["native"]))
        self.assertEqual(report["bytes"], (self.folder / "open.js").stat().st_size)
        done = build(self.folder, {"shop": SITE}, "--target", "lambda", "--kvs", "x.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--target cloudfront only", done.stderr)

    def test_where_the_service_verifies_no_key_is_at_the_edge(self):
        signing = {"keys": ["0123456789abcdef"], "verify_at": "service"}
        site = {**SITE, "signing": signing,
                "mounts": [{"path": "/cdn", "dialect": "imgix", "keys": ["secret"]}]}
        asked = {"uri": "/shop/dress.jpg", "querystring": "w=80&s=x"}
        mounted = {"uri": "/cdn/dress.jpg", "querystring": "w=80&s=x"}
        out = [one["uri"] for one in self.lambda_answers({"shop": site}, [asked, mounted])]
        self.assertEqual(out, ["/_/ask/avif,,,/%2Fshop%2Fdress.jpg%3Fw%3D80%26s%3Dx",
                               "/_/ask/avif,,,/%2Fcdn%2Fdress.jpg%3Fw%3D80%26s%3Dx"])
        self.build_both({"shop": site})
        signed = "s=qDzpAFGYIyHouY3aK5wSBZM_AHiG9gh18_0S32Y6Vyo"
        self.compare(["/shop/a.jpg?w=8", f"/shop/a.jpg?w=8&{signed}", "/shop/a.jpg/_/w-8.webp",
                      f"/shop/a.jpg/_/w-8.webp?{signed}", f"/shop/a.jpg?w=auto&{signed}",
                      f"/shop/a.jpg?expires=1&{signed}", "/cdn/dress.jpg?w=80&s=x"])
        for file in ("index.js", "short.js", "nginx/edge.js"):
            text = (self.folder / file).read_text()
            self.assertNotIn(b"0123456789abcdef".hex(), text, file)
            self.assertNotIn(b"secret".hex(), text, file)
            self.assertEqual(stat.S_IMODE((self.folder / file).stat().st_mode), 0o644, file)
        done = build(self.folder, {"shop": site}, "--out", str(self.folder / "edge.js"))
        self.assertEqual((done.returncode, done.stderr), (0, ""), "nothing to warn of")

    def test_keys_are_for_their_owner(self):
        mount = {"path": "/cdn", "dialect": "imgix", "keys": ["secret"]}
        out = self.folder / "edge.js"
        done = build(self.folder, {"shop": {**SITE, "mounts": [mount]}}, "--out", str(out),
                     "--no-limit")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o600)
        self.assertIn("holds keys", done.stderr)

    def test_what_needs_a_known_edge_says_so(self):
        sites = {"shop": SITE, "keyed": {**SITE, "signing": {"keys": ["0123456789abcdef"]}},
                 "few": {**SITE, "allowed_options": ["w"]}}
        secret = self.folder / "secret"
        secret.write_text(SECRET + "\n")
        nginx = ["--target", "nginx", "--out", str(self.folder / "nginx")]
        for flags in (["--out", str(self.folder / "edge.js")], nginx):
            done = build(self.folder, sites, *flags)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("WARNING: sites that sign or have allowed_options: few, keyed.",
                          done.stderr)
            self.assertNotIn("WARNING", build(self.folder, {"shop": SITE}, *flags).stderr)
        done = build(self.folder, sites, *nginx, "--secret-file", str(secret))
        self.assertNotIn("WARNING", done.stderr)

    def test_names_that_are_not_there(self):
        done = build(self.folder, {"shop": SITE}, "--site", "shoes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no site shoes", done.stderr)


if __name__ == "__main__":
    harness.main()
