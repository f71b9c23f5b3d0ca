#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The policy in DynamoDB (dynalite): pushed, compared, pulled, rolled back; followed by a running
server, which keeps what it has while the table is wrong, slow or gone."""
import json
import os
import re
import subprocess
import tempfile

import aws
import engines
import faults
import harness
import origin
import pictures

KEYS = {"AWS_ACCESS_KEY_ID": engines.CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": engines.CREDENTIALS.secret_key,
        "AWS_REGION": aws.REGION, "AWS_EC2_METADATA_DISABLED": "true"}
SECRET = "a-key-that-nobody-may-read"


class PolicyCase(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="tintype-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.dynalite = engines.Dynalite(folder.name)
        cls.addClassCleanup(cls.dynalite.stop)
        cls.dynalite.start()

    def setUp(self):
        self.table = "t" + re.sub("[^a-z]", "", self.id().rpartition(".")[2])
        self.fault = faults.Fault(self.dynalite.port)
        self.addCleanup(self.fault.close)
        self.folder = self.temporary_folder()
        (self.folder / "a.jpg").write_bytes(pictures.make("JPEG", (640, 480)))
        self.assertEqual(self.policy("create-table").returncode, 0)

    # --- the command

    def policy(self, *words, env=None):
        """Runs `tintype policy …` straight at the table."""
        return subprocess.run(
            [harness.BINARY, "policy", *words, "--table", self.table,
             "--endpoint", self.dynalite.endpoint],
            capture_output=True, text=True, check=False, cwd=self.folder,
            env={**os.environ, **KEYS, **(env or {})}, timeout=harness.PATIENCE_S)

    def write(self, sites):
        (self.folder / "tintype.yaml").write_text(json.dumps({"sites": sites}, indent=1))

    def push(self, sites, *words):
        self.write(sites)
        done = self.policy("push", *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def shop(self, width=100, **more):
        return {"origin": {"folder": str(self.folder)},
                "presets": {"thumb": {"w": width, "f": "jpeg"}}, **more}

    # --- the server

    def serve_table(self, snapshot=None, refresh="1s"):
        settings = {"policy_table": {"name": self.table, "region": aws.REGION,
                                     "endpoint": self.fault.endpoint, "refresh": refresh,
                                     "snapshot": str(snapshot or self.folder / "snapshot.json")}}
        return self.serve({}, settings, KEYS)

    def width(self, server, site="shop"):
        answer = server.get(f"/{site}/a.jpg?p=thumb")
        return pictures.describe(answer.body)[1][0] if answer.status == 200 else answer.status

    def wait_for_width(self, server, width):
        server.wait_until(lambda: self.width(server) == width, f"pictures {width} px wide")


class Commands(PolicyCase):
    def test_push_diff_and_pull(self):
        shop = self.shop(signing={"keys": [SECRET]}, mounts=[{"path": "/x", "dialect": "imgix",
                                                              "keys": ["1234567890"]}])
        self.write({"shop": shop})
        differs = self.policy("diff")
        self.assertEqual(differs.returncode, 1)
        self.assertIn("site shop is not in the table yet", differs.stdout)
        self.assertIn("+ preset thumb", differs.stdout)
        out = self.push({"shop": shop})
        self.assertIn("site shop: version 1 is in force", out)
        self.assertNotIn(SECRET, out)
        self.assertEqual(self.policy("diff").returncode, 0)
        self.assertIn("nothing to push", self.push({"shop": shop}))

        pulled = self.policy("pull")
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        (self.folder / "pulled.yaml").write_text(pulled.stdout)
        same = self.policy("diff", "--config", "pulled.yaml")
        self.assertEqual(same.returncode, 0, same.stdout + same.stderr + pulled.stdout)
        self.assertIn("thumb: { f: jpeg, w: 100 }", pulled.stdout)

        self.write({"shop": {**shop, "presets": {"thumb": {"w": 50, "f": "jpeg"}, "big": "w=600"}}})
        differs = self.policy("diff")
        self.assertEqual(differs.returncode, 1)
        self.assertIn("~ preset thumb\n      - w: 100\n      + w: 50\n", differs.stdout)
        self.assertIn("+ preset big", differs.stdout)
        self.assertNotIn("\x1b", differs.stdout, "colours are for terminals")

    def test_a_piece_an_item(self):
        self.push({"shop": self.shop()}, "--by", "ann")
        items = {(item["pk"], item["sk"]): item for item in self.dynalite.db.scan(self.table)}
        self.assertEqual(set(items), {("_sites", "shop"), ("shop", "00000001#origin#origin"),
                                      ("shop", "00000001#preset#thumb"),
                                      ("shop", "00000001#site#rules")})
        self.assertEqual(json.loads(items["shop", "00000001#preset#thumb"]["doc"]),
                         {"w": 100, "f": "jpeg"})
        self.assertEqual(items["_sites", "shop"]["by"], "ann")

    def test_history_and_rollback(self):
        for width in (100, 90, 80):
            out = self.push({"shop": self.shop(width)})
        self.assertIn("tintype policy rollback --site shop --to 2", out)
        history = self.policy("history").stdout
        self.assertRegex(history, r"\* +3 .*Z +3 items")
        self.assertEqual(len(history.splitlines()), 4)
        dry = self.policy("rollback", "--site", "shop", "--to", "1", "--dry-run")
        self.assertIn("would be in force instead of 3", dry.stdout)
        back = self.policy("rollback", "--site", "shop", "--to", "1")
        self.assertEqual(back.returncode, 0, back.stderr)
        self.assertRegex(self.policy("history").stdout, r"\* +1 ")
        self.assertIn("w: 100", self.policy("pull").stdout)
        absent = self.policy("rollback", "--site", "shop", "--to", "9")
        self.assertEqual(absent.returncode, 1)
        self.assertIn("is not kept", absent.stderr)
        self.assertIn("version 4 is in force", self.push({"shop": self.shop(70)}))

    def test_twenty_versions_are_kept(self):
        for width in range(100, 122):
            self.push({"shop": self.shop(width)})
        history = self.policy("history").stdout
        self.assertEqual(len(history.splitlines()), 21)
        self.assertRegex(history.splitlines()[-1], r"^ +3 ")
        self.assertEqual(len(self.dynalite.db.scan(self.table)), 1 + 20 * 3)

    def test_two_pushers_race(self):
        """Whatever happens, exactly one wins each round, and the table is whole afterwards."""
        self.push({"shop": self.shop()})
        for round_ in range(4):
            folders = []
            for pusher in range(4):
                folder = self.folder / f"{round_}-{pusher}.yaml"
                folder.write_text(json.dumps({"sites": {"shop": self.shop(200 + pusher)}}))
                folders.append(folder)
            threads = [harness.Thread(self.policy, "push", "--config", str(folder))
                       for folder in folders]
            done = [thread.result() for thread in threads]
            self.assertLessEqual({one.returncode for one in done}, {0, 1}, done)
            winners = [one for one in done if "is in force" in one.stdout]
            self.assertTrue(winners)
            for one in done:
                if one.returncode == 1:
                    self.assertIn("somebody else changed it", one.stderr)
            pulled = self.policy("pull")
            self.assertEqual(pulled.returncode, 0, pulled.stderr)
            self.assertRegex(pulled.stdout, r"w: 20[0-3]")
        # What losers wrote is gone: each version that is there is a whole one.
        items = [item["sk"] for item in self.dynalite.db.scan(self.table) if item["pk"] == "shop"]
        versions = {sk.split("#")[0] for sk in items}
        self.assertEqual(len(items), 3 * len(versions))
        self.assertEqual(len(versions), len(self.policy("history").stdout.splitlines()) - 1)

    def test_a_push_is_validated(self):
        self.write({"shop": {**self.shop(), "limts": 1}})
        for words in (("validate",), ("push",), ("diff",)):
            refused = (self.validate() if words == ("validate",) else self.policy(*words))
            self.assertEqual(refused.returncode, 1)
            self.assertRegex(refused.stderr, r"tintype.yaml: line \d+: sites.shop.limts")
        self.assertEqual(self.dynalite.db.scan(self.table), [])
        self.write({"shop": self.shop()})
        fine = self.validate()
        self.assertEqual(fine.returncode, 0)
        self.assertIn("is fine: 1 site, 3 items", fine.stdout)

    def validate(self):
        return subprocess.run([harness.BINARY, "policy", "validate"], cwd=self.folder, text=True,
                              capture_output=True, check=False)

    def test_a_mount_of_another_site_in_the_table(self):
        mount = {"mounts": [{"path": "/x", "dialect": "scene7"}]}
        self.push({"shop": self.shop(**mount)})
        self.write({"blog": self.shop(**mount)})
        refused = self.policy("push")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("site blog does not go together with site shop", refused.stderr)
        self.assertIn("mounted twice", refused.stderr)

    def test_sites_are_chosen_and_taken_out(self):
        self.push({"shop": self.shop(), "blog": self.shop()})
        self.write({"shop": self.shop(70), "blog": self.shop(60)})
        only = self.policy("push", "--site", "blog")
        self.assertIn("site blog: version 2", only.stdout)
        self.assertNotIn("site shop", only.stdout)
        self.write({"shop": self.shop()})
        differs = self.policy("diff")
        self.assertEqual(differs.returncode, 1)
        self.assertIn("site blog is in the table, and not in the file", differs.stdout)
        self.assertEqual(self.policy("push").stdout, "nothing to push: the table says the same\n")
        out = self.policy("push", "--remove").stdout
        self.assertIn("site blog: is gone", out)
        self.assertNotIn("blog", self.policy("pull").stdout)
        self.assertIn("(not in force)", self.policy("history", "--site", "blog").stdout)
        self.assertEqual(self.policy("rollback", "--site", "blog", "--to", "2").returncode, 0)
        self.assertIn("blog", self.policy("pull").stdout)

    def test_dry_run(self):
        self.write({"shop": self.shop()})
        dry = self.policy("push", "--dry-run")
        self.assertEqual(dry.returncode, 0)
        self.assertIn("+ preset thumb", dry.stdout)
        self.assertEqual(self.dynalite.db.scan(self.table), [])

    def test_what_is_missing_is_said(self):
        self.assertIn("was there already", self.policy("create-table").stdout)
        self.table = "nowhere"
        absent = self.policy("pull")
        self.assertEqual(absent.returncode, 1)
        self.assertIn("no table nowhere in region eu-central-1", absent.stderr)
        no_table = subprocess.run([harness.BINARY, "policy", "pull"], cwd=self.folder, text=True,
                                  capture_output=True, check=False)
        self.assertEqual(no_table.returncode, 2)
        self.assertIn("which table?", no_table.stderr)


class Serving(PolicyCase):
    def test_a_server_follows_the_table(self):
        self.push({"shop": self.shop()})
        server = self.serve_table()
        self.assertEqual(self.width(server), 100)
        self.push({"shop": self.shop(50), "new": self.shop(40)})
        self.wait_for_width(server, 50)
        self.assertEqual(self.width(server, "new"), 40)
        self.policy("rollback", "--site", "shop", "--to", "1")
        self.wait_for_width(server, 100)
        self.assertGreaterEqual(server.metric("tintype_policy_looks_total"), 3)
        self.assertEqual(server.metric("tintype_policy_sites"), 2)
        self.assertEqual(server.metric("tintype_policy_refused_total"), 0)

    def put_version(self, site, version, pieces):
        """Past all checks of the command, as a person at the console would."""
        for name, doc in pieces.items():
            self.dynalite.db.ask("PutItem", TableName=self.table, Item={
                "pk": {"S": site}, "sk": {"S": f"{version:08}#{name}"}, "doc": {"S": doc}})
        self.dynalite.db.ask("PutItem", TableName=self.table, Item={
            "pk": {"S": "_sites"}, "sk": {"S": site}, "version": {"N": str(version)},
            "items": {"N": str(len(pieces))}, "revision": {"S": "by hand"}})

    def test_a_bad_item_refuses_its_site_and_no_other(self):
        self.push({"shop": self.shop(), "blog": self.shop()})
        server = self.serve_table()
        origin_doc = json.dumps({"folder": str(self.folder)})
        self.put_version("shop", 7, {"origin#origin": origin_doc, "site#rules": "{}",
                                     "preset#thumb": '{"w": 99999}'})
        self.put_version("blog", 7, {"origin#origin": origin_doc, "site#rules": "{}",
                                     "preset#thumb": '{"w": 30, "f": "jpeg"}'})
        server.wait_until(lambda: self.width(server, "blog") == 30, "the other site's version")
        line = server.wait_for_log("policy.refused", site="shop")
        self.assertIn("site shop, preset thumb: sites.shop.presets.thumb", line["reason"])
        self.assertEqual(line["version"], 7)
        self.assertEqual(line["version_in_force"], 1)
        self.assertEqual(self.width(server), 100)
        looks = server.metric("tintype_policy_looks_total")
        server.wait_until(lambda: server.metric("tintype_policy_looks_total") > looks + 1, "looks")
        said = [one for one in server.log_lines() if one.get("event") == "policy.refused"]
        self.assertEqual(len(said), 1, "it is said once")
        self.assertEqual(server.metric("tintype_policy_refused_total"), 1)

    def test_a_start_with_the_table_down(self):
        snapshot = self.folder / "snapshot.json"
        self.push({"shop": self.shop()})
        first = self.serve_table(snapshot)
        self.assertEqual(self.width(first), 100)
        self.stop(first)
        self.assertEqual(snapshot.stat().st_mode & 0o777, 0o600)
        self.fault.refuse()
        server = self.serve_table(snapshot)
        self.assertEqual(self.width(server), 100)
        self.assertEqual(server.admin("/_/ready").status, 200)
        self.assertEqual(server.metric("tintype_policy_age_seconds"), -1)
        self.push({"shop": self.shop(50)})
        self.fault.accept()
        self.wait_for_width(server, 50)

    def test_with_neither_table_nor_snapshot_it_waits(self):
        self.push({"shop": self.shop()})
        self.fault.refuse()
        server = self.serve_table()
        ready = server.admin("/_/ready")
        self.assertEqual(ready.status, 503)
        self.assertIn(b"policy-missing", ready.body)
        self.assertEqual(self.width(server), 404)
        self.fault.accept()
        server.wait_until(lambda: server.admin("/_/ready").status == 200, "the policy")
        self.assertEqual(self.width(server), 100)

    def test_a_table_that_goes_away_is_not_missed(self):
        self.push({"shop": self.shop()})
        server = self.serve_table()
        self.assertEqual(self.width(server), 100)
        self.fault.play("hang")
        server.wait_for_log("policy.unreachable")
        answer = server.get("/shop/a.jpg?w=77")
        self.expect_picture(answer)
        self.assertEqual(server.admin("/_/ready").status, 200)
        self.fault.play("pass")
        server.wait_for_log("policy.reachable")

    def test_a_look_that_hangs_holds_no_answer_up(self):
        slow = origin.Origin()
        self.addCleanup(slow.close)
        slow.put("/a.jpg", pictures.make("JPEG", (64, 48)), delay_s=0.5)
        self.push({"shop": {"origin": slow.rule()}})
        server = self.serve_table()
        self.fault.play("hang")
        asked = self.fault.count()
        server.wait_until(lambda: self.fault.count() > asked, "a look")
        self.expect_picture(server.get("/shop/a.jpg?w=20"))
        self.assertEqual(server.metric("tintype_policy_failed_looks_total"), 0,
                         "the look ended before the answer came: this has shown nothing")
        self.fault.play("pass")


if __name__ == "__main__":
    harness.main()
