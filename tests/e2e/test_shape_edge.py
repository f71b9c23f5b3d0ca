#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Edge cache -> bucket of variants -> service: who answers what, what is written back, and that one
path is the cache's key, the object's and the service's URL."""
import urllib.parse

import aws
import faults
import harness
import pictures
import shape_case

# Names of sources as people give them.
AWKWARD = ["a b.jpg", "a+b.jpg", "a=b.jpg", "a,b.jpg", "a:b.jpg", "a(b).jpg", "a@b.jpg", "a'b.jpg",
           "a!b.jpg", "a&b.jpg", "a;b.jpg", "aéb.jpg", "a~b.jpg", "a%b.jpg", "a$b.jpg", "a*b.jpg",
           "sub/folder/c d.jpg", "a#b.jpg", "a?b.jpg", "a[b].jpg", "a%20b.jpg", "a_b.jpg",
           "a{b}.jpg", "a^b|c<d>.jpg", "a`b\"c.jpg"]


class Edges(shape_case.Shape):
    def test_the_first_request_is_rendered_and_written_back(self):
        self.put("a.jpg", pictures.make("JPEG", (640, 480), "red"))
        task = self.task()
        edge = self.edge(task.url(""))
        answer = edge.get("/shop/a.jpg?w=60&f=webp")
        self.expect_picture(answer, "image/webp")
        self.assertEqual(answer.headers["x-cache"], "MISS")
        path = "/shop/a.jpg/_/w-60.webp"
        kept = self.stored(path)
        self.assertEqual(kept.body, answer.body)
        self.assertEqual(kept.headers["content-type"], "image/webp")
        self.assertIn(f"s-maxage={shape_case.DAYS_30}", kept.headers["cache-control"])
        self.assertEqual(kept.headers["cache-control"], answer.headers["cache-control"],
                         "the first viewer and all later ones are told the same")
        metadata = {name for name in kept.headers if name.startswith("x-amz-meta-")}
        self.assertTrue(metadata, kept.headers)
        self.assertIn(answer.headers["etag"].strip('"'),
                      " ".join(kept.headers[name] for name in metadata))
        self.assertEqual(self.s3.list(self.variants), ["shop/a.jpg/_/w-60.webp"])
        again = edge.get("/shop/a.jpg?width=060&format=webp")
        self.assertEqual((again.headers["x-cache"], again.body), ("HIT", answer.body))
        self.assertEqual(self.renders(task), 1)

    def test_another_edge_has_it_without_the_service(self):
        self.put("a.jpg")
        task = self.task()
        first = self.edge(task.url("")).get("/shop/a.jpg?w=60&f=webp")
        self.expect_picture(first)
        self.stored("/shop/a.jpg/_/w-60.webp")
        self.assertEqual(task.stop(), 0)
        other = self.edge(task.url(""))
        answer = other.get("/shop/a.jpg?w=60&f=webp")
        self.assertEqual((answer.status, answer.headers["x-cache"]), (200, "MISS"))
        self.assertEqual(answer.body, first.body)
        self.assertEqual(answer.headers["content-type"], "image/webp")
        self.assertEqual(answer.headers["cache-control"], first.headers["cache-control"])
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def test_an_absent_object_is_forbidden_and_the_service_asked(self):
        self.put("a.jpg")
        bare = aws.exchange(self.ceph.port, "GET", f"/{self.variants}/shop/a.jpg/_/w-60.webp",
                            {"Host": f"127.0.0.1:{self.ceph.port}"}, None)
        self.assertEqual((bare.status, bare.code), (403, "AccessDenied"))
        self.expect_picture(self.edge(self.task().url("")).get("/shop/a.jpg?w=60&f=webp"))

    def test_a_hundred_at_once_are_one_render(self):
        self.put("hero.jpg", pictures.make("JPEG", (1600, 1200), "red"))
        tasks = [self.task(), self.task()]
        edge = self.edge(self.balancer(*tasks).url)
        self.fault.play("slow", seconds=1, when=lambda method, target, _:
                        method == "GET" and target.endswith("/hero.jpg"))
        answers = harness.crowd(edge.port, "/shop/hero.jpg?w=300&f=webp", 100)
        self.assertEqual({code for code, _ in answers}, {200})
        self.assertEqual(len({body for _, body in answers}), 1)
        self.assertEqual(self.renders(*tasks), 1)
        self.assertEqual(self.fault.count("GET", "/hero.jpg"), 1)
        self.stored("/shop/hero.jpg/_/w-300.webp")
        self.assertEqual(self.fault.count("PUT"), 1)

    def test_a_hundred_at_once_without_an_edge_cache(self):
        self.put("hero.jpg", pictures.make("JPEG", (1600, 1200), "red"))
        self.fault.play("slow", seconds=1, when=lambda method, target, _:
                        method == "GET" and target.endswith("/hero.jpg"))
        server = {"edge_secret": shape_case.SECRET, "edge_only": False}
        task = self.task(settings=self.settings(server=server))
        answers = harness.crowd(task.port, "/shop/hero.jpg?w=300&f=webp", 100)
        self.assertEqual({code for code, _ in answers}, {200})
        self.assertEqual(self.renders(task), 1)
        self.stored("/shop/hero.jpg/_/w-300.webp")
        self.assertEqual(self.fault.count("PUT"), 1)

    def test_around_the_edge(self):
        self.put("a.jpg")
        task = self.task()
        for arguments in [(), ("-H", "X-Origin-Verify: guess"), ("-H", "X-Origin-Verify:"),
                          ("-H", "X-Forwarded-For: 127.0.0.1")]:
            for target in ("/shop/a.jpg?w=60", "/shop/a.jpg/_/w-60.webp"):
                with self.subTest(arguments=arguments, target=target):
                    self.expect_problem(task.get(target, *arguments), 403)
        self.assertEqual(self.renders(task), 0)
        self.assertEqual(self.fault.count(), 0)
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))

    def test_one_path_everywhere(self):
        task = self.task()
        edge, other = self.edge(task.url("")), self.edge("http://127.0.0.1:9", sites=self.sites())
        picture = pictures.make("JPEG", (64, 48), "red")
        for name in AWKWARD:
            with self.subTest(name=name):
                self.put(name, picture)
                escaped = urllib.parse.quote(name)
                answer = edge.get(f"/shop/{escaped}?w=20&f=webp")
                self.expect_picture(answer, "image/webp")
                path = edge.access()[-1]["path"]
                self.assertTrue(path.endswith("/_/w-20.webp"), path)
                faults.wait_until(lambda p=path: p in [one["target"] for one in self.access(task)],
                                  f"the service's log to name {path}")
                self.assertEqual(urllib.parse.unquote(path[1:]), f"shop/{name}/_/w-20.webp")
                self.assertEqual(self.stored(path).body, answer.body)
                self.assertEqual(self.fault.requests[-1][:2], ("PUT", f"/{self.variants}{path}"))
                # The same bytes in the other edge's cache key and in its question to the bucket.
                again = other.get(f"/shop/{escaped}?width=20&format=webp")
                self.assertEqual((again.status, again.body), (200, answer.body))
                self.assertEqual(other.access()[-1]["path"], path)
        self.assertEqual(len(self.s3.list(self.variants)), len(AWKWARD))

    def test_what_is_no_picture_is_not_written_back(self):
        self.put("a.jpg")
        self.put("text.jpg", b"this is no picture at all, whatever its name says")
        task = self.task()
        edge = self.edge(task.url(""))
        self.expect_problem(edge.get("/shop/absent.jpg?w=60&f=webp"), 404, "not-found")
        self.assertGreaterEqual(edge.get("/shop/text.jpg?w=60&f=webp").status, 400)
        self.assertEqual(edge.get("/shop/a.jpg?w=x").status, 400)
        self.expect_picture(edge.get("/shop/a.jpg?w=60&f=webp"))
        self.stored("/shop/a.jpg/_/w-60.webp")
        self.assertEqual(self.s3.list(self.variants), ["shop/a.jpg/_/w-60.webp"])

    def test_a_second_task_writes_no_second_object(self):
        self.put("a.jpg")
        tasks = [self.task(), self.task()]
        first = self.ask(tasks[0], "/shop/a.jpg/_/w-60.webp")
        kept = self.stored("/shop/a.jpg/_/w-60.webp")
        second = self.ask(tasks[1], "/shop/a.jpg/_/w-60.webp")
        self.assertEqual(first.body, second.body)
        faults.wait_until(lambda: self.fault.count("PUT") == 2, "the second to be written back")
        self.assertEqual([headers.get("if-none-match") for method, _, headers, _
                          in self.fault.requests if method == "PUT"], ["*", "*"])
        self.assertEqual(tasks[1].stop(), 0)
        after = self.stored("/shop/a.jpg/_/w-60.webp")
        self.assertEqual(after.headers["last-modified"], kept.headers["last-modified"])
        self.assertEqual(after.body, first.body)


if __name__ == "__main__":
    harness.main()
