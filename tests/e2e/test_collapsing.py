#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A thousand people ask for the same new picture at once: one fetch, one render."""
import harness
import pictures
from origin import Origin, status

CROWD = 1000


class Collapsing(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.server = self.serve({"shop": {"origin": self.origin.rule()}})

    def test_one_fetch_one_render(self):
        # Slow enough that the whole crowd has come before the origin answers.
        self.origin.put("/hero.jpg", pictures.make("JPEG", (1600, 1200), "red"), delay_s=3)
        answers = harness.crowd(self.server.port, "/shop/hero.jpg?w=400", CROWD)
        self.assertEqual({s for s, _ in answers}, {200})
        self.assertEqual(len({body for _, body in answers}), 1)
        self.assertEqual(pictures.describe(answers[0][1]), ("JPEG", (400, 300)))
        self.assertEqual(self.origin.count("/hero.jpg"), 1)
        self.assertEqual(self.server.metric("tintype_renders_total"), 1)
        series = 'tintype_requests_total{outcome="%s"}'
        outcomes = ("rendered", "collapsed", "memory-hit")
        counts = {outcome: self.server.metric(series % outcome) for outcome in outcomes}
        self.assertEqual(sum(counts.values()), CROWD)
        self.assertEqual(counts["rendered"], 1)
        self.assertGreater(counts["collapsed"], 0)

    def test_failures_collapse_too(self):
        self.origin.play("/gone.jpg", status(500, delay_s=2))
        answers = harness.crowd(self.server.port, "/shop/gone.jpg?w=400", 200)
        self.assertEqual({s for s, _ in answers}, {502})
        self.assertEqual(self.origin.count("/gone.jpg"), 1)

    def test_spellings_collapse(self):
        self.origin.put("/two.jpg", pictures.make("JPEG", (800, 600)), delay_s=2)
        paths = ["/shop/two.jpg?w=100&h=80&fit=cover",
                 "/shop/two.jpg?height=80&fit=cover&width=100"]
        requests = [harness.Thread(self.server.get, path) for path in paths * 5]
        etags = {request.result().headers["etag"] for request in requests}
        self.assertEqual(len(etags), 1)
        self.assertEqual(self.origin.count("/two.jpg"), 1)
        self.assertEqual(self.server.metric("tintype_renders_total"), 1)

    def test_a_leader_who_leaves_does_not_take_the_work_along(self):
        self.origin.put("/slow.jpg", pictures.make("JPEG", (800, 600)), delay_s=2)
        with self.assertRaises(ConnectionError):
            self.server.get("/shop/slow.jpg?w=50", timeout_s=0.5)
        follower = self.server.get("/shop/slow.jpg?w=50")
        self.expect_picture(follower, "image/jpeg")
        self.assertEqual(self.origin.count("/slow.jpg"), 1)

    def test_different_pictures_do_not_collapse(self):
        self.origin.put("/many.jpg", pictures.make("JPEG", (300, 200)))
        sizes = {pictures.describe(self.server.get(f"/shop/many.jpg?w={w}").body)[1][0]
                 for w in range(20, 40)}
        self.assertEqual(sizes, set(range(20, 40)))
        self.assertEqual(self.server.metric("tintype_renders_total"), 20)


if __name__ == "__main__":
    harness.main()
