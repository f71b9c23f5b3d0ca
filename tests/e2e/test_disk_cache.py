#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Variants survive a restart; damaged files are noticed, removed and made again."""
import harness
import pictures
from origin import Origin

PATHS = [f"/shop/a.jpg?w={w}&f={f}" for w in (100, 200) for f in ("jpeg", "webp")]


class DiskCache(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.origin.put("/a.jpg", pictures.make("JPEG", (800, 600), "red"))
        self.cache = self.temporary_folder() / "cache"
        self.server = self.serve({"shop": {"origin": self.origin.rule()}},
                                 {"cache": {"disk": {"folder": str(self.cache), "size": "100MB"}}})
        self.before = {path: self.server.get(path) for path in PATHS}
        for answer in self.before.values():
            self.expect_picture(answer)
        self.server.wait_until(lambda: self.server.metric("tintype_disk_cache_entries") == 4,
                               "all variants to be on disk")

    def restart(self, how=None):
        (how or self.stop)(self.server)
        self.server.start()

    def files(self):
        """Files that hold variants: the catalogue is SQLite's."""
        return [p for p in self.cache.rglob("*") if p.is_file() and p.stat().st_size > 500
                and b"SQLite format" not in p.read_bytes()[:16]
                and not p.name.endswith(("-wal", "-shm", "-journal"))]

    def expect_the_same(self, path):
        answer = self.server.get(path)
        self.expect_picture(answer)
        self.assertEqual(answer.body, self.before[path].body)
        self.assertEqual(answer.headers["etag"], self.before[path].headers["etag"])
        return answer

    def test_restart_costs_nothing(self):
        fetched = self.origin.count()
        self.restart()
        for path in PATHS:
            answer = self.expect_the_same(path)
            self.assertIn("detail=disk", answer.headers["cache-status"])
            self.assertEqual(answer.headers["last-modified"],
                             self.before[path].headers["last-modified"])
        self.assertEqual(self.origin.count(), fetched)
        self.assertEqual(self.server.metric("tintype_renders_total"), 0)

    def test_kill_minus_nine_costs_nothing(self):
        self.restart(lambda server: server.kill())
        for path in PATHS:
            self.expect_the_same(path)
        self.assertEqual(self.server.metric("tintype_renders_total"), 0)

    def damage_and_expect_repair(self, damage):
        self.stop(self.server)
        files = self.files()
        self.assertEqual(len(files), 4, [str(f) for f in self.cache.rglob("*")])
        for file in files:
            file.write_bytes(damage(file.read_bytes()))
        self.server.start()
        for path in PATHS:
            self.expect_the_same(path)
        self.assertEqual(self.server.metric("tintype_renders_total"), 4)
        self.assertGreaterEqual(self.server.metric("tintype_disk_cache_corrupt_total"), 4)

    def test_one_flipped_bit(self):
        def flip(data):
            at = len(data) - 200
            return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]
        self.damage_and_expect_repair(flip)

    def test_torn_files(self):
        self.damage_and_expect_repair(lambda data: data[:len(data) // 2])

    def test_empty_files(self):
        self.damage_and_expect_repair(lambda data: b"")

    def test_lost_catalogue(self):
        self.stop(self.server)
        files = set(self.files())
        for file in self.cache.rglob("*"):
            if file.is_file() and file not in files:
                file.unlink()
        self.server.start()
        for path in PATHS:
            self.expect_the_same(path)
        self.assertEqual(self.server.metric("tintype_renders_total"), 0)

    def test_garbage_for_a_catalogue(self):
        self.stop(self.server)
        for file in self.cache.rglob("*"):
            if file.is_file() and b"SQLite format" in file.read_bytes()[:16]:
                file.write_bytes(b"SQLite format 3\0" + b"\xa5" * 5000)
        self.server.start()
        for path in PATHS:
            self.expect_the_same(path)


if __name__ == "__main__":
    harness.main()
