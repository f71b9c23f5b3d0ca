#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A failing origin: what was made before is served stale; failures are remembered, but briefly."""
import time

import harness
import pictures
from origin import Origin, reset, status

FRESH_S = 1


class Stale(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.cache = self.temporary_folder() / "cache"
        self.server = self.serve(
            {"brief": {"origin": self.origin.rule(), "cache": {"variants": f"{FRESH_S}s"}},
             "shop": {"origin": self.origin.rule()}},
            {"cache": {"disk": {"folder": str(self.cache)}}})

    def wait_past_freshness(self):
        # Expiry is counted in whole seconds of the wall clock.
        time.sleep(FRESH_S + 1.2)

    def test_stale_when_the_origin_fails(self):
        self.origin.put("/a.jpg", pictures.make())
        fresh = self.server.get("/brief/a.jpg?w=100")
        self.expect_picture(fresh)
        for behave in (status(500), status(503), reset()):
            self.origin.play("/a.jpg", behave)
            self.wait_past_freshness()
            answer = self.server.get("/brief/a.jpg?w=100")
            self.expect_picture(answer)
            self.assertEqual(answer.body, fresh.body)
            self.assertLessEqual(answer.max_age, 10)
            time.sleep(4)  # a failure of the origin is remembered for 3 s
        self.assertGreaterEqual(self.origin.count("/a.jpg"), 4)
        self.assertGreaterEqual(self.server.metric('tintype_requests_total{outcome="stale"}'), 3)

    def test_fresh_again_when_the_origin_is_back(self):
        self.origin.put("/a.jpg", pictures.make(color="red"))
        before = self.server.get("/brief/a.jpg?w=100")
        self.origin.play("/a.jpg", status(500))
        self.wait_past_freshness()
        self.assertEqual(self.server.get("/brief/a.jpg?w=100").body, before.body)
        self.origin.put("/a.jpg", pictures.make(color="blue"))
        self.server.wait_until(
            lambda: self.server.get("/brief/a.jpg?w=100").body != before.body, "the new picture")

    def test_stale_survives_a_restart(self):
        self.origin.put("/a.jpg", pictures.make())
        fresh = self.server.get("/brief/a.jpg?w=100")
        self.server.wait_until(lambda: self.server.metric("tintype_disk_cache_entries") == 1,
                               "the variant to be on disk")
        self.stop(self.server)
        self.origin.play("/a.jpg", status(500))
        self.wait_past_freshness()
        self.server.start()
        self.assertEqual(self.server.get("/brief/a.jpg?w=100").body, fresh.body)

    def test_a_source_that_is_gone_is_gone(self):
        self.origin.put("/a.jpg", pictures.make())
        self.expect_picture(self.server.get("/brief/a.jpg?w=100"))
        self.origin.play("/a.jpg", status(404))
        self.wait_past_freshness()
        self.expect_problem(self.server.get("/brief/a.jpg?w=100"), 404, "not-found")

    def test_absence_is_remembered(self):
        for _ in range(3):
            answer = self.server.get("/shop/none.jpg?w=100")
            self.expect_problem(answer, 404, "not-found")
            self.assertEqual(answer.max_age, 30)
        self.assertEqual(self.origin.count("/none.jpg"), 1)
        # The source is missing whatever size is asked.
        self.expect_problem(self.server.get("/shop/none.jpg?w=200"), 404)
        self.assertEqual(self.origin.count("/none.jpg"), 1)

    def test_a_failure_is_remembered_for_seconds_only(self):
        self.origin.play("/b.jpg", status(500))
        self.expect_problem(self.server.get("/shop/b.jpg?w=100"), 502, "origin-failed")
        self.expect_problem(self.server.get("/shop/b.jpg?w=100"), 502, "origin-failed")
        self.assertEqual(self.origin.count("/b.jpg"), 1)
        self.origin.put("/b.jpg", pictures.make())
        self.server.wait_until(lambda: self.server.get("/shop/b.jpg?w=100").status == 200,
                               "the failure to be forgotten")

    def test_failures_are_not_written_to_disk(self):
        self.origin.play("/c.jpg", status(500))
        self.server.get("/shop/c.jpg?w=100")
        self.server.get("/shop/none.jpg?w=100")
        self.assertEqual(self.server.metric("tintype_disk_cache_entries"), 0)


if __name__ == "__main__":
    harness.main()
