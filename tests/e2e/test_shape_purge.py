#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Purges of the production shape: the bucket of variants on a real S3, its markers of tags, and
variants that are made at once after a purge; and what two tasks with one table tell each other."""
import json
import os
import subprocess
import urllib.parse

import engines
import faults
import harness
import pictures
import shape_case

TOKEN = "admin-token-for-tests"


class BucketPurge(shape_case.Shape):
    def start(self):
        sites = {"shop": {"origin": self.s3_origin(), "presets": {"card": "w=40&h=50&fit=cover"}},
                 "other": {"origin": self.s3_origin()}}
        self.server = self.task(sites, self.settings(server={"admin_token": TOKEN}))
        return self.server

    def order(self, **order):
        return harness.curl(f"http://127.0.0.1:{self.server.admin_port}/_/purge",
                            "--data-binary", json.dumps(order),
                            "-H", f"Authorization: Bearer {TOKEN}")

    def purge(self, **order):
        answer = self.order(**order)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def make(self, *paths):
        for path in paths:
            answer = self.ask(self.server, path)
            self.expect_picture(answer)
        return answer

    @staticmethod
    def url_of(name):
        # A folder that is called "_" would be the mark before the options.
        quoted = urllib.parse.quote(name).split("/")
        return "/shop/" + "/".join("%5F" if part == "_" else part for part in quoted)

    def keys(self, prefix=""):
        return sorted(self.s3.list(self.variants, prefix))

    def wait_for_keys(self, count, prefix=""):
        self.server.wait_until(lambda: len(self.keys(prefix)) == count, f"{count} objects")

    def test_a_source_with_an_awkward_name(self):
        self.start()
        for name in ("p/é + b&c=d'(1)~.jpg", "p/_/a.jpg", "p/é + b&c=d'(1)~.jpg2"):
            self.put(name)
            self.make(self.url_of(name) + "?w=40&f=webp", self.url_of(name) + "?w=80&f=webp")
        self.wait_for_keys(6)
        for name in ("p/é + b&c=d'(1)~.jpg", "p/_/a.jpg"):
            self.assertEqual(self.purge(site="shop", source=name)["counts"]["store"], 2)
        self.assertTrue(all(".jpg2/" in key for key in self.keys()), self.keys())
        self.assertEqual(self.purge(site="shop", prefix="p/")["counts"]["store"], 2)
        self.assertEqual(self.keys(), [])

    def test_tags_of_the_sources_metadata(self):
        self.start()
        for name, tags in (("a.jpg", "sale,campaign:spring"), ("_/é b.jpg", "sale"),
                           ("c.jpg", "new")):
            self.put(name, **{"x-amz-meta-cache-tags": tags})
            self.make(self.url_of(name) + "?w=40&f=webp")
        self.wait_for_keys(4, "_tags/")
        self.wait_for_keys(3, "shop/")
        dry = self.purge(site="shop", tag="sale", dry_run=True)
        done = self.purge(site="shop", tag="sale")
        self.assertEqual(dry["counts"]["store"], 2)
        self.assertEqual(done["counts"]["store"], 2)
        self.assertEqual([key.split("/")[1] for key in self.keys("shop/")], ["c.jpg"])
        # Markers stay: a repeated purge finds the same sources, for the edge too.
        self.assertEqual(len(self.keys("_tags/shop/sale/")), 2)
        self.assertEqual(self.purge(site="shop", tag="sale")["counts"]["store"], 0)
        self.assertEqual(self.purge(site="shop", tag="campaign:spring")["counts"]["store"], 0)

    def test_preset_and_site(self):
        self.start()
        self.put("a.jpg")
        self.make("/shop/a.jpg?p=card&f=webp", "/shop/a.jpg?w=30&f=webp",
                  "/other/a.jpg?w=40&h=50&fit=cover", "/other/a.jpg?w=30")
        self.wait_for_keys(4)
        self.assertEqual(self.purge(site="shop", preset="card")["counts"]["store"], 1)
        self.assertEqual(self.purge(site="shop", all=True)["counts"]["store"], 1)
        self.assertEqual(len(self.keys("other/")), 2)

    def test_a_replaced_picture_is_in_the_bucket_after_its_purge(self):
        self.start()
        self.put("a.jpg", pictures.make(color="red"))
        red = self.make("/shop/a.jpg?w=40&f=webp").body
        self.stored("/shop/a.jpg/_/w-40.webp")
        self.put("a.jpg", pictures.make(color="blue"))
        self.purge(site="shop", source="a.jpg")
        blue = self.make("/shop/a.jpg?w=40&f=webp").body
        self.assertNotEqual(blue, red)
        # At once after the purge, and yet written.
        self.assertEqual(self.stored("/shop/a.jpg/_/w-40.webp").body, blue)

    def test_a_bucket_that_fails_stops_the_purge_and_a_repetition_goes_on(self):
        self.start()
        self.put("a.jpg")
        self.make("/shop/a.jpg?w=40&f=webp")
        self.stored("/shop/a.jpg/_/w-40.webp")
        self.fault.play("status", status=403, body=faults.s3_error("AccessDenied"))
        answer = self.order(site="shop", source="a.jpg", id="again-1")
        self.assertEqual(answer.status, 502, answer.body)
        report = json.loads(answer.body)
        self.assertTrue(report["error"].startswith("store: "), report)
        self.assertEqual(report["counts"]["memory"], 1)
        self.fault.play("hang")
        answer = self.order(site="shop", source="a.jpg", id="again-2")
        self.assertEqual(answer.status, 202, answer.body)
        self.assertEqual(answer.headers["location"], "/_/purge/again-2")
        self.assertEqual(json.loads(answer.body)["step"], "store")
        self.fault.play("pass")
        self.assertEqual(len(self.keys("shop/")), 1)
        self.assertEqual(self.purge(site="shop", source="a.jpg", id="again-1")["state"], "done")
        self.assertEqual(self.keys("shop/"), [])


class TwoTasks(shape_case.Shape):
    """Tasks that share a table tell each other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dynalite = engines.Dynalite(cls.folder / "dynalite")
        cls.addClassCleanup(cls.dynalite.stop)
        cls.dynalite.start()
        cls.dynalite.db.make_policy_table("tintype-policy")

    def test_the_other_task_forgets_too(self):
        config = self.temporary_folder() / "sites.json"
        config.write_text(json.dumps({"sites": self.sites()}))
        engines.push_policy(config, "tintype-policy", self.dynalite.endpoint)
        table = {"name": "tintype-policy", "endpoint": self.dynalite.endpoint}
        settings = self.settings(server={"admin_token": TOKEN}, policy_table=table)
        one, two = self.task({}, settings), self.task({}, settings)
        self.put("a.jpg", pictures.make(color="red"))
        reds = [self.ask(task, "/shop/a.jpg?w=40&f=webp").body for task in (one, two)]
        self.assertEqual(reds[0], reds[1])
        self.stored("/shop/a.jpg/_/w-40.webp")
        one.wait_until(lambda: two.metric("tintype_memory_cache_entries") == 1, "the picture")
        self.put("a.jpg", pictures.make(color="blue"))
        done = subprocess.run(
            [harness.BINARY, "purge", "--server", f"http://127.0.0.1:{one.admin_port}", "--site",
             "shop", "--source", "a.jpg"], capture_output=True, text=True, check=False,
            timeout=harness.PATIENCE_S, env={**os.environ, "TINTYPE_ADMIN_TOKEN": TOKEN})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        two.wait_for_log("purge-of-other-task")
        blues = [self.ask(task, "/shop/a.jpg?w=40&f=webp").body for task in (one, two)]
        self.assertEqual(blues[0], blues[1])
        self.assertNotEqual(blues[0], reds[0])
        self.assertEqual(self.stored("/shop/a.jpg/_/w-40.webp").body, blues[0])


if __name__ == "__main__":
    harness.main()
