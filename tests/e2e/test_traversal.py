#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No path leaves the folder of a site, by no spelling, symlink or special file."""
import os

import harness
import pictures

WAYS_OUT = [
    "/shop/../secret.jpg", "/shop/a/../../secret.jpg", "/shop/./../secret.jpg",
    "/shop/%2e%2e/secret.jpg", "/shop/%2e%2e%2fsecret.jpg", "/shop/..%2fsecret.jpg",
    "/shop/.%2e/secret.jpg", "/shop/%252e%252e/secret.jpg", "/shop/..%5csecret.jpg",
    "/shop/..\\secret.jpg", "/shop//etc/passwd", "/shop/%2fetc%2fpasswd", "/shop/a/..%00/x.jpg",
    "/shop/%c0%ae%c0%ae/secret.jpg", "/shop/..;/secret.jpg", "/shop/...//secret.jpg",
    "/../shop/../secret.jpg", "/%2e%2e/secret.jpg", "/shop/../secret.jpg/_/w-10.jpeg",
    "/shop/%2e%2e/secret.jpg/_/full.jpeg", "/shop/linked.jpg", "/shop/inside-out/secret.jpg",
    "/shop/absolute.jpg", "/shop/proc.jpg", "/shop/pipe.jpg", "/shop/folder.jpg",
]


class Traversal(harness.Case):
    def setUp(self):
        top = self.temporary_folder()
        (top / "secret.jpg").write_bytes(pictures.make("JPEG", (33, 44)))
        folder = top / "public"
        (folder / "a").mkdir(parents=True)
        (folder / "folder.jpg").mkdir()
        (folder / "ok.jpg").write_bytes(pictures.make())
        os.symlink("../secret.jpg", folder / "linked.jpg")
        os.symlink("..", folder / "inside-out")
        os.symlink(str(top / "secret.jpg"), folder / "absolute.jpg")
        os.symlink("/proc/self/environ", folder / "proc.jpg")
        os.mkfifo(folder / "pipe.jpg")
        self.server = self.serve({"shop": {"origin": {"folder": str(folder)}}})

    def test_no_way_out(self):
        for path in WAYS_OUT:
            with self.subTest(path=path):
                answer = self.server.get(path + ("" if "/_/" in path else "?w=20"), timeout_s=20)
                self.assertIn(answer.status, (400, 403, 404), answer.body[:300])
                self.expect_problem(answer, answer.status)

    def test_the_way_in_works(self):
        self.expect_picture(self.server.get("/shop/ok.jpg?w=20"))
        self.expect_problem(self.server.get("/shop/a/ok.jpg?w=20"), 404)


if __name__ == "__main__":
    harness.main()
