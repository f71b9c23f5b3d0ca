#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Purges of one task: by source, prefix, tag, preset and site, over HTTP and by the command."""
import json
import subprocess
import time

import harness
import pictures
from origin import Origin

TOKEN = "admin-token-for-tests"
OLD_TOKEN = "the-token-before-that"


class Purge(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.audit = self.temporary_folder() / "audit.jsonl"
        self.server = self.start()

    def start(self, **server):
        rule = self.origin.rule()
        tags = [{"prefix": "sale/", "tags": ["sale"]}, {"tags": ["all"]}]
        presets = {"card": "w=40&h=50&fit=cover"}
        return self.serve(
            {"shop": {"origin": rule, "tags": tags, "presets": presets}, "other": {"origin": rule}},
            {"server": {"admin_token": TOKEN, "old_admin_token": OLD_TOKEN, **server},
             "purge": {"audit_log": str(self.audit)},
             "cache": {"disk": {"folder": str(self.temporary_folder() / "cache")}}})

    def order(self, *arguments, token=TOKEN, path="/_/purge", **order):
        body = ["--data-binary", json.dumps(order)] if order else []
        return harness.curl(f"http://127.0.0.1:{self.server.admin_port}{path}", *body,
                            "-H", f"Authorization: Bearer {token}", *arguments)

    def purge(self, **order):
        answer = self.order(**order)
        self.assertEqual(answer.status, 200, answer.body)
        report = json.loads(answer.body)
        self.assertEqual(report["state"], "done")
        return report

    def put(self, path, color="red"):
        self.origin.put(path, pictures.make(color=color))

    def get(self, path):
        answer = self.server.get(path)
        self.expect_picture(answer)
        return answer.body

    def wait_for_disk(self, count):
        self.server.wait_until(
            lambda: self.server.metric("tintype_disk_cache_entries") == count, "the disk")

    # --- what goes

    def test_a_replaced_picture_is_shown_after_its_purge(self):
        self.put("/a.jpg", "red")
        red = [self.get(f"/shop/a.jpg?w={width}") for width in (40, 80)]
        other = self.get("/other/a.jpg?w=40")
        self.wait_for_disk(3)
        self.put("/a.jpg", "blue")
        self.assertEqual(self.get("/shop/a.jpg?w=40"), red[0])
        dry = self.purge(site="shop", source="a.jpg", dry_run=True)
        self.assertEqual((dry["counts"]["memory"], dry["counts"]["disk"]), (2, 2))
        self.assertEqual(self.get("/shop/a.jpg?w=40"), red[0])
        done = self.purge(site="shop", source="a.jpg")
        self.assertEqual((done["counts"]["memory"], done["counts"]["disk"]), (2, 2))
        self.assertNotEqual(self.get("/shop/a.jpg?w=40"), red[0])
        self.assertNotEqual(self.get("/shop/a.jpg?w=80"), red[1])
        self.assertEqual(self.get("/other/a.jpg?w=40"), other)

    def test_a_remembered_failure_goes(self):
        self.assertEqual(self.server.get("/shop/late.jpg?w=40").status, 404)
        self.put("/late.jpg")
        self.assertEqual(self.server.get("/shop/late.jpg?w=40").status, 404)
        self.purge(site="shop", source="late.jpg")
        self.get("/shop/late.jpg?w=40")

    def test_prefix_tag_preset_and_site(self):
        paths = ["/shop/sale/a.jpg?w=40", "/shop/sale/b.jpg?p=card", "/shop/p/a.jpg?w=40",
                 "/shop/p/b.jpg?p=card&f=webp", "/other/p/a.jpg?w=40"]
        for path in ("/sale/a.jpg", "/sale/b.jpg", "/p/a.jpg", "/p/b.jpg"):
            self.put(path)
        cases = [({"prefix": "sale/"}, 2), ({"prefix": "p/a"}, 1), ({"tag": "sale"}, 2),
                 ({"tag": "all"}, 4), ({"preset": "card"}, 2), ({"all": True}, 4),
                 ({"tag": "nobody-has-it"}, 0)]
        for order, count in cases:
            with self.subTest(order=order):
                for path in paths:
                    self.get(path)
                self.wait_for_disk(5)
                report = self.purge(site="shop", **order)
                self.assertEqual(report["counts"]["memory"], count)
                self.assertEqual(report["counts"]["disk"], count)

    def test_answers_carry_their_tags(self):
        self.put("/sale/a.jpg")
        self.put("/a.jpg")
        answer = self.server.get("/shop/sale/a.jpg?w=40")
        self.assertEqual(set(answer.headers["cache-tag"].split(",")), {"sale", "all"})
        self.assertEqual(set(answer.headers["surrogate-key"].split()), {"sale", "all"})
        self.assertNotIn("cache-tag", self.server.get("/other/a.jpg?w=40").headers)

    def test_tags_survive_a_restart(self):
        self.put("/sale/a.jpg")
        self.get("/shop/sale/a.jpg?w=40")
        self.wait_for_disk(1)
        self.server.stop()
        self.server.start()
        self.assertEqual(self.purge(site="shop", tag="sale")["counts"]["disk"], 1)

    def test_what_was_begun_before_a_purge_is_not_kept(self):
        self.origin.put("/slow.jpg", pictures.make(color="red"), delay_s=2)
        early = harness.Thread(self.server.get, "/shop/slow.jpg?w=40")
        self.server.wait_until(lambda: self.origin.count("/slow.jpg") == 1, "the fetch to begin")
        self.put("/slow.jpg", "blue")
        self.purge(site="shop", source="slow.jpg")
        # Who asks now does not wait for the old one.
        late = self.get("/shop/slow.jpg?w=40")
        old = early.result()
        self.expect_picture(old)
        self.assertNotEqual(old.body, late)
        self.assertEqual(old.max_age, 0)
        self.assertEqual(self.get("/shop/slow.jpg?w=40"), late)
        time.sleep(0.3)  # what is kept is kept behind the answer
        self.server.stop()
        self.server.start()
        self.assertEqual(self.get("/shop/slow.jpg?w=40"), late)

    # --- who may, and what is said

    def test_only_live_tokens(self):
        order = {"site": "shop", "all": True, "dry_run": True}
        self.assertEqual(self.order(token=OLD_TOKEN, **order).status, 200)
        answer = self.order(token="wrong", **order)
        self.expect_problem(answer, 401)
        self.assertIn("Bearer", answer.headers["www-authenticate"])
        # Not on the port that is open to the world.
        outside = harness.curl(self.server.url("/_/purge"), "-d", "{}",
                               "-H", f"Authorization: Bearer {TOKEN}")
        self.assertEqual(outside.status, 405)
        off = self.start(admin_token="", old_admin_token="")
        answer = harness.curl(f"http://127.0.0.1:{off.admin_port}/_/purge", "-d", "{}",
                              "-H", "Authorization: Bearer ")
        self.assertIn("server.admin_token", self.expect_problem(answer, 403)["detail"])

    def test_orders_that_are_not_understood(self):
        for order, word in (({"site": "shop"}, "exactly one"),
                            ({"site": "shup", "all": True}, "shup"),
                            ({"site": "shop", "all": True, "dryrun": True}, "dryrun"),
                            ({"site": "shop", "preset": "crad"}, "card"),
                            ({"site": "shop", "source": "../a"}, "..")):
            problem = self.expect_problem(self.order(**order), 400)
            self.assertIn(word, problem["detail"])
        chunked = self.order("-H", "Transfer-Encoding: chunked", site="shop", all=True)
        self.expect_problem(chunked, 411)
        large = self.temporary_folder() / "large"
        large.write_bytes(b"x" * 1_000_001)
        self.expect_problem(self.order("--data-binary", f"@{large}"), 413)

    def test_large_bodies_with_expect(self):
        # curl waits for 100 Continue above 1 MB and when told so.
        answer = self.order("-H", "Expect: 100-continue", site="shop", all=True, dry_run=True)
        self.assertEqual(answer.status, 200)

    def test_audit_log(self):
        self.put("/a.jpg")
        self.get("/shop/a.jpg?w=40")
        report = self.purge(site="shop", source="a.jpg", id="audited-1")
        line = json.loads(self.audit.read_text().splitlines()[-1])
        self.assertEqual(line, report)
        self.assertEqual(line["id"], "audited-1")
        self.assertEqual(line["client"], "127.0.0.1")
        self.assertRegex(line["by"], r"^token:[0-9a-f]{8}$")
        self.server.wait_for_log("purge", id="audited-1")
        everything = self.server.log() + self.audit.read_text()
        self.assertNotIn(TOKEN, everything)
        again = json.loads(self.order(path="/_/purge/audited-1").body)
        self.assertEqual(again, report)
        self.assertEqual(self.order(path="/_/purge/unheard-of").status, 404)

    # --- the command

    def run_purge(self, *arguments, token=TOKEN, stdin=subprocess.DEVNULL):
        folder = self.temporary_folder()
        (folder / "token").write_text(token + "\n")
        done = subprocess.run(
            [harness.BINARY, "purge", "--server", f"http://127.0.0.1:{self.server.admin_port}",
             "--token-file", str(folder / "token"), "--site", "shop", *arguments],
            capture_output=True, text=True, timeout=harness.PATIENCE_S, check=False, stdin=stdin)
        return done.returncode, done.stdout, done.stderr

    def test_the_command(self):
        self.put("/a.jpg")
        red = self.get("/shop/a.jpg?w=40")
        self.wait_for_disk(1)
        self.put("/a.jpg", "blue")
        code, out, err = self.run_purge("--source", "a.jpg", "--dry-run")
        self.assertEqual(code, 0, err)
        self.assertIn("source a.jpg of shop would lose:", out)
        self.assertRegex(out, r"service +memory +disk +store +edge paths\n\S+ +1 +1 +0 +0\n")
        self.assertEqual(self.get("/shop/a.jpg?w=40"), red)
        code, out, err = self.run_purge("--source", "a.jpg")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"purged:\nservice .*\n\S+ +1 +1 +0 +0\n")
        self.assertNotEqual(self.get("/shop/a.jpg?w=40"), red)

    def test_the_command_says_what_is_wrong(self):
        for arguments, named, code, word in (
                ([], {}, 2, "exactly one"),
                (["--all", "--tag", "a"], {}, 2, "exactly one"),
                (["--preset", "crad"], {}, 1, "card"),
                (["--all"], {"token": "not-a-live-one"}, 1, "401")):
            with self.subTest(arguments=arguments):
                got, _, err = self.run_purge(*arguments, **named)
                self.assertEqual(got, code, err)
                self.assertIn(word, err)
        self.server.stop()
        got, _, err = self.run_purge("--all")
        self.assertEqual(got, 1)
        self.assertIn(f":{self.server.admin_port}", err)


if __name__ == "__main__":
    harness.main()
