#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where a task has its credentials from, as ECS gives them: an endpoint on loopback whose keys
change and end. The session tokens are Ceph's own (STS), so their signing is checked for real."""
import datetime
import http.server
import json
import threading

import aws
import engines
import faults
import harness
import shape_case

TOKEN = "task-token"


class Endpoint:
    """AWS_CONTAINER_CREDENTIALS_FULL_URI: hands out `credentials`, which last `life_s`."""

    def __init__(self, credentials, life_s=3600):
        endpoint = self
        self.credentials, self.life_s, self.asked, self.status = credentials, life_s, 0, 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                endpoint.asked += 1
                allowed = self.headers.get("Authorization") == TOKEN
                status = endpoint.status if allowed else 401
                body = json.dumps(endpoint.document() if status == 200 else {}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def document(self):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
            seconds=self.life_s)
        return {"RoleArn": "arn:aws:iam::123456789012:role/tintype",
                "AccessKeyId": self.credentials.access_key,
                "SecretAccessKey": self.credentials.secret_key,
                "Token": self.credentials.session_token,
                "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def environment(self):
        return {"AWS_REGION": aws.REGION, "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI":
                    f"http://127.0.0.1:{self.server.server_address[1]}/v2/credentials/task",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def used_key(headers):
    return headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]


class Credentials(shape_case.Shape):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second = cls.s3.session("tintype"), cls.s3.session("tintype")

    def setUp(self):
        super().setUp()
        self.put("a.jpg")

    def endpoint(self, credentials, **more):
        endpoint = Endpoint(credentials, **more)
        self.addCleanup(endpoint.close)
        return endpoint

    def test_the_containers_endpoint(self):
        endpoint = self.endpoint(self.first)
        task = self.task(environment=endpoint.environment())
        for width in (60, 61, 62):
            self.expect_picture(self.ask(task, f"/shop/a.jpg/_/w-{width}.webp"))
            self.stored(f"/shop/a.jpg/_/w-{width}.webp")
        self.assertEqual(endpoint.asked, 1, "kept while they live")
        for _, _, headers, _ in self.fault.requests:
            self.assertEqual(used_key(headers), self.first.access_key)
            self.assertEqual(headers["x-amz-security-token"], self.first.session_token)
        said = task.log()
        for secret in (self.first.secret_key, self.first.session_token, TOKEN):
            self.assertNotIn(secret, said)

    def test_they_are_renewed_ahead_of_their_end(self):
        # Less than the five minutes ahead of which others are asked for; so after 30 s they are.
        endpoint = self.endpoint(self.first, life_s=100)
        task = self.task(environment=endpoint.environment())
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))
        endpoint.credentials = self.second
        endpoint.life_s = 3600

        def others_are_used():
            others_are_used.width += 1
            self.ask(task, f"/shop/a.jpg/_/w-{others_are_used.width}.webp")
            return any(used_key(headers) == self.second.access_key
                       for _, _, headers, _ in self.fault.requests)
        others_are_used.width = 60
        task.wait_until(others_are_used, "the new credentials to be used")

    def test_the_old_ones_stay_when_there_are_no_new_ones(self):
        endpoint = self.endpoint(self.first, life_s=100)
        task = self.task(environment=endpoint.environment())
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))
        endpoint.status = 500
        for width in range(61, 66):
            self.expect_picture(self.ask(task, f"/shop/a.jpg/_/w-{width}.webp"))
            self.stored(f"/shop/a.jpg/_/w-{width}.webp")

    def test_expired_ones_are_replaced_at_once(self):
        for number, (status, code) in enumerate([(400, "ExpiredToken"),
                                                 (403, "InvalidAccessKeyId")]):
            with self.subTest(code=code):
                endpoint = self.endpoint(self.first)
                task = self.task(environment=endpoint.environment())
                self.expect_picture(self.ask(task, f"/shop/a.jpg/_/w-{60 + number}.webp"))
                endpoint.credentials = self.second
                self.fault.play("status", status=status, body=faults.s3_error(code),
                                when=lambda _m, _t, headers:
                                used_key(headers) == self.first.access_key)
                self.put(f"b{number}.jpg")
                self.expect_picture(self.ask(task, f"/shop/b{number}.jpg/_/w-60.webp"))
                self.stored(f"/shop/b{number}.jpg/_/w-60.webp")
                self.fault.play("pass")

    def test_wrong_ones(self):
        keys = {**shape_case.KEYS, "AWS_SECRET_ACCESS_KEY": "wrong"}
        task = self.task(environment=keys)
        answer = self.ask(task, "/shop/a.jpg/_/w-60.webp")
        self.assertIn(answer.status, (403, 502))
        self.expect_problem(answer, answer.status)
        # AWS says SignatureDoesNotMatch, Ceph AccessDenied.
        self.assertNotRegex(answer.body, b"SignatureDoesNotMatch|AccessDenied")
        self.assertRegex(task.log(), "403 (SignatureDoesNotMatch|AccessDenied)", "why is told")

    def test_the_endpoint_is_down_at_the_start(self):
        endpoint = self.endpoint(self.first)
        endpoint.status = 500
        task = self.task(environment=endpoint.environment())
        self.assertIn(self.ask(task, "/shop/a.jpg/_/w-60.webp").status, (403, 502, 504))
        endpoint.status = 200
        task.wait_until(lambda: self.ask(task, "/shop/a.jpg/_/w-61.webp").status == 200,
                        "credentials to be had")


class Keys(shape_case.Shape):
    def test_the_file_of_profiles(self):
        self.put("a.jpg")
        file = self.temporary_folder() / "credentials"
        file.write_text("[default]\naws_access_key_id = x\naws_secret_access_key = y\n"
                        f"[pictures]\naws_access_key_id = {engines.CREDENTIALS.access_key}\n"
                        f"aws_secret_access_key = {engines.CREDENTIALS.secret_key}\n")
        task = self.task(environment={"AWS_SHARED_CREDENTIALS_FILE": str(file),
                                      "AWS_PROFILE": "pictures", "AWS_REGION": aws.REGION,
                                      "AWS_EC2_METADATA_DISABLED": "true"})
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))
        self.stored("/shop/a.jpg/_/w-60.webp")


if __name__ == "__main__":
    harness.main()
