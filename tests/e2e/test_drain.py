#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: readiness goes red, work in flight is finished, nothing new is taken, exit code 0."""
import os
import signal
import socket
import time

import harness
import pictures
from origin import Origin


class Drain(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.picture = pictures.make("JPEG", (640, 480))
        self.origin.put("/slow.jpg", self.picture, delay_s=2.5)
        self.origin.put("/quick.jpg", self.picture)

    def start(self, **settings):
        return self.serve({"shop": {"origin": self.origin.rule()}}, {"server": settings})

    def send_term(self, server):
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("draining")

    def test_work_in_flight_is_finished(self):
        server = self.start()
        sources = ("/slow.jpg", "/slow-too.jpg", "/slow-as-well.jpg")
        for source in sources:
            self.origin.put(source, self.picture, delay_s=2.5)
        flying = [harness.Thread(server.get, f"/shop{source}?w=50") for source in sources]
        server.wait_until(lambda: all(self.origin.count(source) == 1 for source in sources),
                          "the fetches to have begun")
        self.send_term(server)
        for request in flying:
            answer = request.result()
            self.expect_picture(answer)
            self.assertEqual(answer.headers.get("connection"), "close")
        self.assertEqual(server.wait_for_exit(), 0)

    def test_nothing_new_is_taken(self):
        server = self.start()
        flying = harness.Thread(server.get, "/shop/slow.jpg?w=50")
        server.wait_until(lambda: self.origin.count("/slow.jpg") == 1, "the fetch to have begun")
        self.send_term(server)
        time.sleep(0.5)  # accepting ends at once (drain_accept 0s), at the next turn of the loop
        with self.assertRaises(ConnectionError):
            server.get("/shop/quick.jpg?w=50", timeout_s=5)
        self.expect_picture(flying.result())
        self.assertEqual(server.wait_for_exit(), 0)

    def test_idle_connections_are_closed(self):
        server = self.start()
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as idle:
            idle.sendall(b"GET /shop/quick.jpg?w=9 HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertIn(b"200 OK", idle.recv(65536))
            self.send_term(server)
            while idle.recv(65536):
                pass
        self.assertEqual(server.wait_for_exit(), 0)

    def test_readiness_is_red_while_still_accepting(self):
        server = self.start(drain_accept="3s")
        self.assertEqual(server.admin("/_/ready").status, 200)
        self.send_term(server)
        answer = server.admin("/_/ready")
        self.assertEqual(answer.status, 503)
        self.assertIn("draining", answer.problem()["reasons"])
        late = server.get("/shop/quick.jpg?w=50")
        self.expect_picture(late)
        self.assertEqual(late.headers.get("connection"), "close")
        self.assertEqual(server.wait_for_exit(), 0)

    def test_the_deadline_ends_what_does_not_end(self):
        self.origin.put("/stuck.jpg", self.picture, delay_s=15)
        server = self.start(drain_timeout="2s")
        harness.Thread(self.ignore_failure, server, "/shop/stuck.jpg?w=50")
        server.wait_until(lambda: self.origin.count("/stuck.jpg") == 1, "the fetch to have begun")
        begun = time.monotonic()
        self.send_term(server)
        server.wait_for_exit()
        self.assertLess(time.monotonic() - begun, 12)

    def test_no_process_is_left_behind(self):
        server = self.start()
        self.expect_picture(server.get("/shop/quick.jpg?w=50"))
        group = os.getpgid(server.process.pid)
        self.assertEqual(server.stop(), 0)
        self.wait_for_empty_group(group)

    def test_workers_do_not_outlive_a_killed_server(self):
        server = self.start()
        self.expect_picture(server.get("/shop/quick.jpg?w=50"))
        group = os.getpgid(server.process.pid)
        server.kill()
        self.wait_for_empty_group(group)

    def wait_for_empty_group(self, group):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
        self.fail("render workers outlived the server")

    @staticmethod
    def ignore_failure(server, path):
        try:
            server.get(path)
        except (ConnectionError, AssertionError):
            pass


if __name__ == "__main__":
    harness.main()
