#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of variants and of tasks: objects expire, SIGTERM writes back what is queued, and tasks
are replaced one after the other under load without a failed request.

TINTYPE_ROLLING=100 makes it 100 replacements instead of 10."""
import http.client
import itertools
import os
import threading
import time

import engines
import faults
import harness
import pictures
import shape_case

REPLACEMENTS = int(os.environ.get("TINTYPE_ROLLING", "10"))
CLIENTS = 4


class Expiry(shape_case.Shape):
    DAY_S = 2

    def test_variants_expire_and_come_back(self):
        self.put("a.jpg")
        self.s3.put(self.variants, "kept/a.txt", b"another rule's")
        task = self.task()
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))
        self.stored("/shop/a.jpg/_/w-60.webp")
        self.s3.expire_after(self.variants, 1, "shop/")
        faults.wait_until(lambda: self.s3.list(self.variants) == ["kept/a.txt"],
                          "the variant to expire")
        other = self.task()
        edge = self.edge(other.url(""))
        self.expect_picture(edge.get("/shop/a.jpg?w=60&f=webp"))
        self.assertEqual(self.renders(other), 1)
        self.stored("/shop/a.jpg/_/w-60.webp")


class Draining(shape_case.Shape):
    def test_what_is_queued_is_written_before_the_end(self):
        self.put("a.jpg")
        task = self.task()
        self.fault.play("slow", when=lambda method, *_: method == "PUT", seconds=1)
        paths = [f"/shop/a.jpg/_/w-{width}.webp" for width in range(40, 70)]
        for path in paths:
            self.expect_picture(self.ask(task, path))
        # The proxy passes a write on before it waits, but 30 are not written at once.
        self.assertLess(len(self.s3.list(self.variants)), len(paths))
        self.assertEqual(task.stop(), 0)
        self.assertEqual(sorted(self.s3.list(self.variants)), sorted(path[1:] for path in paths))

    def test_the_deadline_ends_what_cannot_be_written(self):
        self.put("a.jpg")
        server = {"edge_secret": shape_case.SECRET, "drain_timeout": "3s"}
        task = self.task(settings=self.settings(server=server))
        self.fault.play("hang", when=lambda method, *_: method == "PUT")
        self.expect_picture(self.ask(task, "/shop/a.jpg/_/w-60.webp"))
        begun = time.monotonic()
        self.assertEqual(task.stop(), 0, "a variant that is lost costs a render, no alarm")
        self.assertLess(time.monotonic() - begun, 20)


class Load(threading.Thread):
    """Asks the edge without a pause: half of it hits, half new variants; notes what fails."""
    widths = itertools.count(20)

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.asked, self.failures, self.over = port, 0, [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.over.is_set():
            # 64 x 48 is not made larger: a width names a variant of its own, and costs little.
            number = next(self.widths)
            width = 30 if self.asked % 2 else 10 + number % 50
            target = f"/shop/a.jpg?w={width}&f=webp&q={10 + number // 50 % 90}"
            try:
                connection.request("GET", target)
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    self.failures.append((target, response.status))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((target, repr(error)))
                connection.close()
            self.asked += 1
        connection.close()


class Rolling(shape_case.Shape):
    def rolling(self, port):
        settings = self.settings(workers={"count": 1})
        settings["server"].update({"port": port, "drain_accept": "1s"})
        return settings

    def test_tasks_are_replaced_under_load(self):
        """As ECS does it: the new task is up and registered, the old one is deregistered and gets
        SIGTERM at the same moment."""
        self.put("a.jpg", pictures.make("JPEG", (64, 48), "red"))
        ports = engines.free_ports(REPLACEMENTS + 2)
        tasks = [self.task(settings=self.rolling(port)) for port in ports[:2]]
        balancer = engines.Balancer(self.temporary_folder(), ports)
        self.addCleanup(balancer.stop)
        balancer.register(ports[:2])
        edge = self.edge(balancer.start().url)
        clients = [Load(edge.port) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for number in range(REPLACEMENTS):
                old = tasks[number % 2]
                tasks[number % 2] = self.task(settings=self.rolling(ports[number + 2]))
                old.process.send_signal(harness.signal.SIGTERM)
                balancer.register([task.port for task in tasks])
                self.assertEqual(old.wait_for_exit(), 0)
                self.assertEqual([client.failures for client in clients], [[]] * CLIENTS,
                                 f"replacement {number + 1}")
        finally:
            for client in clients:
                client.over.set()
            for client in clients:
                client.join(harness.PATIENCE_S)
        asked = sum(client.asked for client in clients)
        print(f"{REPLACEMENTS} replacements under {asked} requests")
        self.assertEqual([client.failures for client in clients], [[]] * CLIENTS)
        self.assertGreater(asked, 100)
        # Nothing that was answered is lost to the bucket.
        self.stored(edge.access()[-1]["path"])


if __name__ == "__main__":
    harness.main()
