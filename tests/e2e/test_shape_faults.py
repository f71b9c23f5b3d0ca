#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each part refuses, hangs, is slow, says 403 or SlowDown, tears its answers, or is gone: what can
be kept is kept, what cannot is answered in time, and all is well when the part is back."""
import time

import faults
import harness
import pictures
import shape_case
from origin import Origin

SLOW_DOWN = {"status": 503, "body": faults.s3_error("SlowDown")}
DENIED = {"status": 403, "body": faults.s3_error("AccessDenied")}
BROKEN = {"status": 500, "body": faults.s3_error("InternalError")}
# What S3 does to the service: name, the proxy's mode, its details.
FAULTS = [("hang", "hang", {}), ("reset", "reset", {}), ("denied", "status", DENIED),
          ("slow down", "status", SLOW_DOWN), ("broken", "status", BROKEN),
          ("not S3", "status", {"status": 200, "body": b"<html>", "type": "text/html"}),
          ("torn", "tear", {"size": 20})]


def is_put(method, *_):
    return method == "PUT"


def is_get(method, *_):
    return method == "GET"


class WriteBack(shape_case.Shape):
    """Whatever the bucket of variants does costs a later render, never an answer."""

    def setUp(self):
        super().setUp()
        self.put("a.jpg")

    def test_answers_come_whatever_the_bucket_does(self):
        task = self.task()
        edge = self.edge(task.url(""))
        for width, (name, mode, details) in enumerate(FAULTS, 40):
            with self.subTest(fault=name):
                before = self.fault.count("PUT")
                self.fault.play(mode, when=is_put, **details)
                self.expect_picture(edge.get(f"/shop/a.jpg?w={width}&f=webp"), "image/webp")
                faults.wait_until(lambda b=before: self.fault.count("PUT") > b, "a write")
        self.fault.play("pass")
        self.expect_picture(edge.get("/shop/a.jpg?w=99&f=webp"))
        self.stored("/shop/a.jpg/_/w-99.webp")

    def test_a_refused_write_costs_one_later_render(self):
        task = self.task()
        self.fault.play("status", when=is_put, **DENIED)
        first = self.ask(task, "/shop/a.jpg/_/w-60.webp")
        self.expect_picture(first)
        faults.wait_until(lambda: self.fault.count("PUT") >= 1, "a write")
        self.fault.play("pass")
        # Another edge, another task: the bucket has nothing, so that it is made once more.
        other = self.task()
        answer = self.edge(other.url("")).get("/shop/a.jpg?w=60&f=webp")
        self.assertEqual(answer.body, first.body)
        self.assertEqual(self.renders(other), 1)
        self.assertEqual(self.stored("/shop/a.jpg/_/w-60.webp").body, first.body)

    def test_a_write_that_failed_once_is_tried_again(self):
        task = self.task()
        for width, (mode, details) in enumerate([("status", SLOW_DOWN), ("reset", {})], 60):
            with self.subTest(mode=mode, details=details):
                self.fault.play(mode, when=is_put, **details)
                before = self.fault.count("PUT")
                self.expect_picture(self.ask(task, f"/shop/a.jpg/_/w-{width}.webp"))
                faults.wait_until(lambda b=before: self.fault.count("PUT") > b, "a write")
                self.fault.play("pass")
                self.stored(f"/shop/a.jpg/_/w-{width}.webp")

    def test_a_bucket_that_hangs_holds_nobody_up(self):
        task = self.task()
        self.fault.play("hang", when=is_put)
        for width in range(40, 60):
            self.expect_picture(self.ask(task, f"/shop/a.jpg/_/w-{width}.webp", timeout_s=20))
        self.fault.play("pass")
        for width in range(40, 60):
            self.stored(f"/shop/a.jpg/_/w-{width}.webp")


class Origins(shape_case.Shape):
    """The bucket of originals, as the service meets it."""

    def setUp(self):
        super().setUp()
        self.put("a.jpg")

    def brief_sites(self, **more):
        return {"shop": {"origin": self.s3_origin(timeout="2s", **more)}}

    def test_a_source_that_cannot_be_had(self):
        task = self.task(self.brief_sites())
        # 200 with bytes that are no picture: the source is at fault, as far as anybody can know.
        expected = {"denied": 403, "hang": 504, "not S3": 415}
        for number, (name, mode, details) in enumerate(FAULTS):
            with self.subTest(fault=name):
                self.put(f"{number}.jpg")
                self.fault.play(mode, when=is_get, **details)
                answer = self.ask(task, f"/shop/{number}.jpg/_/w-60.webp", timeout_s=20)
                self.expect_problem(answer, expected.get(name, 502))
                self.assertLessEqual(answer.max_age, 60)
                self.fault.play("pass")
                if answer.max_age <= 3:  # the others are remembered for a minute
                    task.wait_until(lambda n=number: self.ask(task, f"/shop/{n}.jpg/_/w-60.webp")
                                    .status == 200, "the source to be had again")

    def test_a_first_try_that_fails_is_not_noticed(self):
        task = self.task()
        for number, (mode, details) in enumerate([("status", SLOW_DOWN), ("status", BROKEN),
                                                  ("reset", {}), ("tear", {"size": 50})]):
            with self.subTest(mode=mode, details=details):
                name, seen = f"once-{number}.jpg", []

                def first_time(method, target, _, name=name, seen=seen):
                    if method == "GET" and target.endswith(name):
                        seen.append(target)
                    return method == "GET" and target.endswith(name) and len(seen) == 1
                self.put(name)
                self.fault.play(mode, when=first_time, **details)
                self.expect_picture(self.ask(task, f"/shop/{name}/_/w-60.webp"))
                self.assertEqual(len(seen), 2)

    def test_an_absent_source(self):
        answer = self.ask(self.task(), "/shop/absent.jpg/_/w-60.webp")
        self.expect_problem(answer, 404, "not-found")

    def test_the_chain(self):
        """The bucket first, then the DAM."""
        dam = Origin()
        self.addCleanup(dam.close)
        dam.put("/assets/only%20in%20the%20dam.jpg", pictures.make("JPEG", (300, 200), "blue"))
        dam.put("/assets/a.jpg", pictures.make("JPEG", (300, 200), "blue"))
        rule = {"url": dam.url + "assets/", "allow_private_addresses": True,
                "headers": {"Authorization": "Bearer dam"}}
        # Behind the bucket half of the time is left.
        sites = {"shop": {"origins": [self.s3_origin(timeout="2s"), rule]}}
        task = self.task(sites)
        edge = self.edge(task.url(""), sites=sites)
        mine = edge.get("/shop/a.jpg?w=40&f=png")
        self.assertEqual(pictures.open_rgb(mine.body).getpixel((5, 5))[0] > 200, True)
        self.assertEqual(dam.count(), 0)
        theirs = edge.get("/shop/only%20in%20the%20dam.jpg?w=40&f=png")
        self.expect_picture(theirs)
        self.assertGreater(pictures.open_rgb(theirs.body).getpixel((5, 5))[2], 200)
        self.assertEqual(dam.heads[-1][1].get("Authorization"), "Bearer dam")
        self.expect_problem(edge.get("/shop/nowhere.jpg?w=40&f=png"), 404, "not-found")
        for name, mode, details in FAULTS[:5]:
            with self.subTest(fault=name):
                source = name.replace(" ", "-") + ".jpg"
                dam.put("/assets/" + source, pictures.make("JPEG", (300, 200), "blue"))
                self.fault.play(mode, when=is_get, **details)
                self.expect_picture(edge.get(f"/shop/{source}?w=40&f=png"))
        self.fault.play("pass")


class Parts(shape_case.Shape):
    """A whole part is gone."""

    def setUp(self):
        super().setUp()
        self.put("a.jpg", pictures.make("JPEG", (640, 480), "red"))
        self.addCleanup(self.bring_back)

    def bring_back(self):
        self.ceph.resume("gateway")
        if self.ceph.processes["gateway"].poll() is not None:
            self.ceph.start_gateway()

    def test_the_service_is_down(self):
        task = self.task()
        edge, fresh = self.edge(task.url("")), self.edge(task.url(""))
        first = edge.get("/shop/a.jpg?w=60&f=webp")
        self.expect_picture(first)
        self.stored("/shop/a.jpg/_/w-60.webp")
        self.assertEqual(task.stop(), 0)
        self.assertEqual(edge.get("/shop/a.jpg?w=60&f=webp").headers["x-cache"], "HIT")
        self.assertEqual(fresh.get("/shop/a.jpg?w=60&f=webp").body, first.body)
        self.expect_problem(fresh.get("/shop/a.jpg?w=61&f=webp"), 502, "origin-failed")

    def test_the_service_hangs(self):
        task = self.task()
        edge = self.edge(task.url(""))
        self.expect_picture(edge.get("/shop/a.jpg?w=60&f=webp"))
        self.stored("/shop/a.jpg/_/w-60.webp")
        task.process.send_signal(harness.signal.SIGSTOP)
        self.addCleanup(task.process.send_signal, harness.signal.SIGCONT)
        self.assertEqual(edge.get("/shop/a.jpg?w=60&f=webp").status, 200)
        other = self.edge(task.url(""))
        self.assertEqual(other.get("/shop/a.jpg?w=60&f=webp").status, 200)
        task.process.send_signal(harness.signal.SIGCONT)
        self.expect_picture(edge.get("/shop/a.jpg?w=61&f=webp"))

    def test_s3_is_down(self):
        task = self.task()
        edge, fresh = self.edge(task.url("")), self.edge(task.url(""))
        first = edge.get("/shop/a.jpg?w=60&f=webp")
        self.expect_picture(first)
        self.stored("/shop/a.jpg/_/w-60.webp")
        self.ceph.kill("gateway")
        self.assertEqual(edge.get("/shop/a.jpg?w=60&f=webp").headers["x-cache"], "HIT")
        # The other edge has it from the service's memory.
        self.assertEqual(fresh.get("/shop/a.jpg?w=60&f=webp").body, first.body)
        begun = time.monotonic()
        self.assertIn(fresh.get("/shop/b.jpg?w=60&f=webp").status, (502, 504))
        self.assertLess(time.monotonic() - begun, 25, "a part that is down must not hold up")
        self.ceph.start_gateway()
        self.put("c.jpg")
        self.expect_picture(fresh.get("/shop/c.jpg?w=60&f=webp"))
        self.stored("/shop/c.jpg/_/w-60.webp")

    def test_s3_hangs(self):
        """The edge gives its question to the bucket 5 s, then asks the service."""
        task = self.task()
        first = self.ask(task, "/shop/a.jpg/_/w-60.webp")
        self.expect_picture(first)
        self.stored("/shop/a.jpg/_/w-60.webp")
        edge = self.edge(task.url(""))
        self.ceph.pause("gateway")
        self.assertEqual(edge.get("/shop/a.jpg?w=60&f=webp").body, first.body)
        self.ceph.resume("gateway")
        self.put("c.jpg")
        self.expect_picture(edge.get("/shop/c.jpg?w=60&f=webp"))

    def test_sources_of_disk_when_s3_is_down(self):
        folder = self.temporary_folder() / "sources"
        settings = self.settings(cache={"sources": {"folder": str(folder), "size": "100MB"}})
        task = self.task(settings=settings)
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))
        self.assertEqual(self.fault.count("GET", "/a.jpg"), 1)
        # Written behind the answer.
        faults.wait_until(lambda: task.metric("tintype_source_cache_bytes") > 0, "the source")
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-61.webp"))
        self.assertEqual(self.fault.count("GET", "/a.jpg"), 1)
        # Kept over a restart; without S3 a new size can be made.
        self.stored("/shop/a.jpg/_/w-61.webp")
        self.assertEqual(task.stop(), 0)
        self.fault.refuse()
        other = self.task(settings=settings)
        self.expect_picture(self.ask(other, "/shop/a.jpg/_/w-62.webp"))
        self.fault.accept()


if __name__ == "__main__":
    harness.main()
