#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hooks of the DAM: a changed picture is served anew at once, its standard variants are made; who
may send, how often, and what is none of ours."""
import base64
import hashlib
import hmac
import json
import pathlib
import shutil
import time

import harness

SECRET, OLDER = "0123456789abcdef", "the older secret"
SAMPLES = pathlib.Path(harness.SAMPLES)


def signature(body, secret=SECRET, at=None):
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"X-Tintype-Signature: t={at},v1={digest}"


def cloudinary(body, algorithm=hashlib.sha1, at=None):
    at = int(time.time()) if at is None else at
    digest = algorithm(f"{body}{at}{SECRET}".encode()).hexdigest()
    return ["-H", f"X-Cld-Timestamp: {at}", "-H", f"X-Cld-Signature: {digest}"]


class Hooks(harness.Case):
    def setUp(self):
        self.sources = self.temporary_folder()
        self.put("dress.jpg", "a.jpg")
        self.server = self.serve({"shop": {
            "origin": {"folder": str(self.sources)}, "formats": ["webp"],
            "presets": {"card": "w=60", "thumb": "w=40"},
            "hooks": {
                "dam": {"secrets": [SECRET, OLDER], "source": "/asset/path", "event": "/event",
                        "strip_prefix": "https://dam.example/", "warm": ["card", "thumb"]},
                "quiet": {"secrets": [SECRET], "source": "/path"},
                "aprimo": {"recipe": "aprimo", "secrets": [SECRET]},
                "bynder": {"recipe": "bynder", "secrets": [SECRET]},
                "cloud": {"recipe": "cloudinary", "secrets": [SECRET]},
                "bucket": {"recipe": "s3", "secrets": [SECRET], "strip_prefix": "shop/"}}}})

    def put(self, sample, name):
        """At one stroke, as a DAM replaces a picture."""
        shutil.copy(SAMPLES / sample, self.sources / "new")
        (self.sources / "new").rename(self.sources / name)

    def other_sample(self):
        return next(path.name for path in sorted(SAMPLES.glob("*.jpg")) if path.name != "dress.jpg")

    def post(self, name, body, *arguments, port=None, site="shop"):
        url = f"http://127.0.0.1:{port or self.server.port}/_/hooks/asset/{site}/{name}"
        return harness.curl(url, "-X", "POST", "-H", "Content-Type: application/json",
                            "--data-binary", body, *arguments)

    def event(self, word="asset.updated", path="https://dam.example/a.jpg"):
        return json.dumps({"event": word, "asset": {"path": path}})

    def expect_done(self, answer, status, word):
        self.assertEqual(answer.status, status, answer.body)
        document = json.loads(answer.body)
        self.assertEqual(document["status"], word, document)
        return document

    def etag(self):
        answer = self.server.get("/shop/a.jpg?p=card")
        self.expect_picture(answer)
        return answer.headers["etag"]

    def test_a_changed_picture_is_served_anew(self):
        before = self.etag()
        self.put(self.other_sample(), "a.jpg")
        self.assertEqual(self.etag(), before, "nobody has said that it changed")
        body = self.event()
        document = self.expect_done(self.post("dam", body, "-H", signature(body)), 202, "purged")
        self.assertEqual((document["changed"], document["deleted"]), (1, 0))
        self.assertNotEqual(self.etag(), before)

    def test_its_standard_variants_are_made(self):
        body = self.event("AssetCreated")
        self.expect_done(self.post("dam", body, "-H", signature(body)), 202, "purged")
        self.server.wait_until(lambda: self.server.metric("tintype_renders_total") == 4,
                               "two presets in two formats")
        for preset in ("card", "thumb"):
            for accept in ("image/webp", None):
                answer = self.server.get(f"/shop/a.jpg?p={preset}", accept=accept)
                self.expect_picture(answer)
                self.assertIn("hit", answer.headers["cache-status"])
        self.assertEqual(self.server.metric("tintype_renders_total"), 4)

    def test_a_deleted_picture_is_gone(self):
        self.etag()
        (self.sources / "a.jpg").unlink()
        body = self.event("asset.deleted")
        document = self.expect_done(self.post("dam", body, "-H", signature(body)), 202, "purged")
        self.assertEqual(document["deleted"], 1)
        self.expect_problem(self.server.get("/shop/a.jpg?p=card"), 404)

    def test_a_replay_does_nothing(self):
        body, seal = self.event(), signature(self.event())
        self.expect_done(self.post("dam", body, "-H", seal), 202, "purged")
        before = self.etag()
        self.put(self.other_sample(), "a.jpg")
        self.expect_done(self.post("dam", body, "-H", seal), 202, "seen")
        self.expect_done(self.post("dam", body, "-H", seal.replace("v1=", " v1=")), 202, "seen")
        self.assertEqual(self.etag(), before)
        # A new signature is a new hook.
        seal = signature(body, OLDER, int(time.time()) - 1)
        self.expect_done(self.post("dam", body, "-H", seal), 202, "purged")
        self.assertNotEqual(self.etag(), before)

    def test_who_may_send(self):
        body = self.event()
        before = self.etag()
        self.put(self.other_sample(), "a.jpg")
        now = int(time.time())
        for arguments, status in (
                ([], 401),
                (["-H", signature(body, "another secret 123")], 403),
                (["-H", signature(body + " ")], 403),
                (["-H", signature(body, at=now - 400)], 403),
                (["-H", signature(body, at=now + 400)], 403),
                (["-H", "X-Tintype-Signature: v1=abc"], 403),
                (["-H", "X-Tintype-Secret: wrong"], 403),
                (["-H", "Authorization: Bearer wrong"], 403),
                (cloudinary(body), 401)):
            answer = self.post("dam", body, *arguments)
            self.assertEqual(answer.status, status, (arguments, answer.body))
            self.assertEqual(answer.headers["content-type"], harness.PROBLEM)
            self.assertNotIn(SECRET.encode(), answer.body)
        self.assertEqual(self.etag(), before)
        self.assertNotIn(SECRET, self.server.log())

    def test_a_secret_in_a_header(self):
        basic = base64.b64encode(f"sns:{SECRET}".encode()).decode()
        for header in (f"X-Tintype-Secret: {SECRET}", f"Authorization: Bearer {OLDER}",
                       f"Authorization: Basic {basic}"):
            self.expect_done(self.post("dam", self.event(), "-H", header), 202, "purged")

    def test_sns_is_asked_to_come_with_a_password(self):
        answer = self.post("bucket", "{}")
        self.assertEqual(answer.status, 401)
        self.assertRegex(answer.headers["www-authenticate"], r'Basic realm="')

    def test_what_is_wrong_and_what_is_none_of_ours(self):
        secret = ["-H", f"X-Tintype-Secret: {SECRET}"]
        self.assertEqual(self.post("dam", "no JSON", *secret).status, 400)
        self.assertEqual(self.post("dam", '{"event":"new"}', *secret).status, 400)
        large = self.sources / "large"
        large.write_text("x" * 1_100_000, encoding="utf-8")
        self.assertEqual(self.post("dam", f"@{large}", *secret).status, 413)
        self.assertEqual(self.post("other", "{}", *secret).status, 404)
        self.assertEqual(self.post("dam", "{}", *secret, site="press").status, 404)
        for body in (self.event("user.login"), self.event(path="https://other.example/a.jpg"),
                     self.event(path="https://dam.example/../etc/passwd")):
            document = self.expect_done(self.post("dam", body, *secret), 202, "ignored")
            self.assertTrue(document["ignored"])
        answer = harness.curl(self.server.url("/_/hooks/asset/shop/dam"))
        self.assertIn(answer.status, (400, 404, 405))

    def test_both_ports_take_hooks(self):
        for port in (self.server.port, self.server.admin_port):
            answer = self.post("dam", self.event(), "-H", f"X-Tintype-Secret: {SECRET}", port=port)
            self.expect_done(answer, 202, "purged")

    def changes_by(self, name, body, *arguments, status=202):
        """Whether the hook has the picture served anew."""
        before = self.etag()
        samples = ["dress.jpg", self.other_sample()]
        same = (SAMPLES / samples[0]).read_bytes() == (self.sources / "a.jpg").read_bytes()
        self.put(samples[1 if same else 0], "a.jpg")
        self.expect_done(self.post(name, body, *arguments), status, "purged")
        return self.etag() != before

    def test_the_recipes(self):
        secret = ["-H", f"X-Tintype-Secret: {SECRET}"]
        key = {"s3": {"bucket": {"name": "b"}, "object": {"key": "shop/a.jpg"}}}
        records = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", **key}]})
        self.assertTrue(self.changes_by("bucket", records, *secret))
        sns = {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:x:1:t"}
        self.assertTrue(self.changes_by("bucket", json.dumps({**sns, "Message": records}), *secret))
        bridge = json.dumps({"detail-type": "Object Created", "source": "aws.s3",
                             "detail": {"object": {"key": "shop/a.jpg"}}})
        self.assertTrue(self.changes_by("bucket", bridge, *secret))
        upload = json.dumps({"notification_type": "upload", "public_id": "a", "format": "jpg",
                             "resource_type": "image"})
        self.assertTrue(self.changes_by("cloud", upload, *cloudinary(upload), status=200))
        self.assertTrue(self.changes_by("cloud", upload, *cloudinary(upload, hashlib.sha256),
                                        status=200))
        delete = json.dumps({"notification_type": "delete",
                             "resources": [{"public_id": "a", "resource_type": "image"}]})
        self.assertTrue(self.changes_by("cloud", delete, *cloudinary(delete), status=200))
        medium = json.dumps({**sns, "Subject": "asset_bank.media.updated",
                             "Message": json.dumps({"media_id": "a.jpg"})})
        self.assertTrue(self.changes_by("bynder", medium, *secret))
        record = json.dumps({"event": "RecordUpdated", "source": "a.jpg"})
        self.assertTrue(self.changes_by("aprimo", record, "-H", signature(record)))
        self.assertTrue(self.changes_by("quiet", '{"path": ["a.jpg"]}', *secret))

    def test_a_subscription_waits_for_an_operator(self):
        url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
        body = json.dumps({"Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "1",
                           "TopicArn": "arn:aws:sns:x:1:t", "SubscribeURL": url})
        answer = self.post("bucket", body, "-H", f"X-Tintype-Secret: {SECRET}")
        self.expect_done(answer, 202, "ignored")
        self.server.wait_for_log("hook-subscription", open=url)


if __name__ == "__main__":
    harness.main()
