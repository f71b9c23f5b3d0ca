#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the real binary tells of itself: metrics in CloudWatch's format on stdout beside the access
log, traces to a collector, the trace of a request in log, answer and origin, task metadata."""
import http.server
import json
import pathlib
import re
import threading

import harness
import pictures
from origin import Origin

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ROOT = "1-67891233-abcdef012345678912345678"
UNITS = {"Count", "Bytes", "Milliseconds"}


class Collector:
    """An OTLP/HTTP collector, and what ECS answers tasks about themselves."""

    def __init__(self, status=200):
        collector = self
        self.requests, self.spans, self.resources, self.lock = [], [], [], threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with collector.lock:
                    collector.requests.append((self.path, dict(self.headers)))
                    for group in body["resourceSpans"]:
                        collector.resources.append(attributes(group["resource"]))
                        for scope in group["scopeSpans"]:
                            collector.spans += scope["spans"]
                self.answer(status, {})

            def do_GET(self):
                arn = "arn:aws:ecs:eu-central-1:111122223333:"
                self.answer(200, {"TaskARN": arn + "task/shop/1", "Cluster": "shop", "Family": "f"}
                            if self.path.endswith("/task") else {"DockerName": "tintype"})

            def answer(self, code, document):
                data = json.dumps(document).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def attributes(holder):
    return {a["key"]: next(iter(a["value"].values())) for a in holder["attributes"]}


class Telemetry(harness.Case):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        for name in "abc":
            self.origin.put(f"/{name}.jpg", pictures.make("JPEG", (320, 240)))
        self.sites = {"shop": {"origin": self.origin.rule()}}

    def collector(self, status=200):
        collector = Collector(status)
        self.addCleanup(collector.close)
        return collector

    def traced(self, collector, environment=None, **traces):
        return self.serve(self.sites, {"telemetry": {"traces": {"endpoint": collector.url,
                                                                **traces}}}, environment)

    def access_lines(self, server, count):
        log = pathlib.Path(server.folder / "access.log")
        read = lambda: log.read_text().splitlines() if log.exists() else []
        server.wait_until(lambda: len(read()) >= count, "the access log")
        return [json.loads(line) for line in read()]

    def parent_at_origin(self, path):
        headers = next(head for asked, head in self.origin.heads if asked == path)
        return next((v for k, v in headers.items() if k.lower() == "traceparent"), None)

    # --- metrics

    def check_emf(self, line):
        """By the published schema and the limits of its text."""
        meta = line["_aws"]
        self.assertIsInstance(meta["Timestamp"], int)
        for directive in meta["CloudWatchMetrics"]:
            self.assertTrue(1 <= len(directive["Namespace"]) <= 255)
            self.assertGreaterEqual(len(directive["Dimensions"]), 1)
            for dimensions in directive["Dimensions"]:
                self.assertLessEqual(len(dimensions), 30)
                for name in dimensions:
                    self.assertIsInstance(line[name], str)
                    self.assertTrue(line[name])
            self.assertLessEqual(len(directive["Metrics"]), 100)
            for metric in directive["Metrics"]:
                self.assertIn(metric["Unit"], UNITS)
                self.assertIn(metric["StorageResolution"], (1, 60))
                target = line[metric["Name"]]
                if isinstance(target, dict):
                    self.assertEqual(len(target["Values"]), len(target["Counts"]))
                    self.assertTrue(1 <= len(target["Values"]) <= 100)
                    self.assertEqual(sum(target["Counts"]), target["Count"])
                else:
                    self.assertIsInstance(target, (int, float))

    def test_metrics_and_access_log_share_stdout(self):
        server = self.serve(self.sites, {"server": {"access_log": "stdout"},
                                         "cache": {"disk": {"folder": "cache"}},
                                         "telemetry": {"environment": "test", "service": "shop",
                                                       "emf": {"output": "stdout",
                                                               "interval": "1s"}}})
        self.expect_picture(server.get("/shop/a.jpg?w=50"))
        answers = harness.crowd(server.port, "/shop/a.jpg?w=50", 300)
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertEqual(server.stop(), 0)
        lines = [json.loads(line) for line in server.log().splitlines()]  # each whole, or it fails
        reports = [line for line in lines if "_aws" in line]
        for report in reports:
            self.check_emf(report)
            self.assertEqual((report["service"], report["environment"]), ("shop", "test"))
        totals = [r for r in reports if "outcome" not in r]
        answered = [line for line in lines if "outcome" in line and "_aws" not in line]
        # The last report comes with the end, so nothing is missing.
        self.assertEqual(sum(r.get("Requests", 0) for r in totals), len(answered))
        self.assertEqual(sum(r.get("RenderTime", {}).get("Count", 0) for r in totals), 1)
        by_outcome = {}
        for r in reports:
            if "outcome" in r:
                by_outcome[r["outcome"]] = by_outcome.get(r["outcome"], 0) + r["Requests"]
        self.assertEqual(by_outcome["rendered"], 1)
        self.assertEqual(by_outcome["memory-hit"], 300)
        # Every series that a service with a disk has; the names come from two places.
        told = set().union(*totals)
        for name in ("Workers", "BusyWorkers", "QueuedRenders", "QueuedBytes", "FailedRenders",
                     "RefusedRenders", "WorkerKills", "WorkerCrashes", "MemoryCacheBytes",
                     "DiskCacheBytes", "DiskWriteFailures"):
            self.assertIn(name, told)

    def test_without_the_setting_there_are_no_reports(self):
        server = self.serve(self.sites)
        self.expect_picture(server.get("/shop/a.jpg?w=50"))
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("_aws", server.log())

    # --- the trace of a request

    def test_a_trace_goes_through_to_log_and_origin(self):
        server = self.serve(self.sites)
        answer = server.get("/shop/a.jpg?w=50", "-H", f"traceparent: {PARENT}")
        self.expect_picture(answer)
        self.assertNotIn("x-amzn-trace-id", answer.headers)
        asked = self.parent_at_origin("/a.jpg")
        self.assertRegex(asked, f"^00-{TRACE}-[0-9a-f]{{16}}-01$")
        self.assertNotEqual(asked, PARENT, "the origin's parent is our span")
        self.assertEqual(self.access_lines(server, 1)[0]["trace_id"], TRACE)

    def test_a_balancers_trace_is_answered(self):
        server = self.serve(self.sites)
        answer = server.get("/shop/a.jpg?w=50", "-H", f"X-Amzn-Trace-Id: Self=1-a-b;Root={ROOT}")
        self.assertEqual(answer.headers["x-amzn-trace-id"], f"Root={ROOT}")
        self.assertIn(ROOT[2:].replace("-", ""), self.parent_at_origin("/a.jpg"))
        hit = server.get("/shop/a.jpg?w=50", "-H", f"X-Amzn-Trace-Id: Root={ROOT}")
        self.assertEqual(hit.headers["x-amzn-trace-id"], f"Root={ROOT}")
        for line in self.access_lines(server, 2):
            self.assertEqual(line["amzn_trace"], ROOT)
            self.assertEqual(line["trace_id"], ROOT[2:].replace("-", ""))

    def test_without_or_with_a_broken_trace_a_new_one_begins(self):
        server = self.serve(self.sites)
        self.expect_picture(server.get("/shop/a.jpg?w=50"))
        self.expect_picture(server.get("/shop/b.jpg?w=50", "-H", "traceparent: 00-nonsense"))
        self.expect_picture(server.get("/shop/b.jpg?w=50"))
        # Each loop writes its lines when it comes to it, so their order is not the requests'.
        lines = self.access_lines(server, 3)
        ids = {line["target"][6:11]: line["trace_id"] for line in lines
               if line["outcome"] == "rendered"}
        for path in ("/a.jpg", "/b.jpg"):
            self.assertEqual(self.parent_at_origin(path).split("-")[1], ids[path[1:]])
        self.assertNotEqual(ids["a.jpg"], ids["b.jpg"])
        hit = next(line for line in lines if line["outcome"] == "memory-hit")
        self.assertNotIn("trace_id", hit, "a hit without a trace begins none")

    # --- spans

    def test_spans_reach_the_collector(self):
        collector = self.collector()
        server = self.traced(collector, {"ECS_CONTAINER_METADATA_URI_V4": collector.url + "/v4/x"},
                             ratio=0, headers="x-key=secret%20word")
        self.expect_picture(server.get("/shop/a.jpg?w=50&s=hush", "-H", f"traceparent: {PARENT}",
                                       "-H", "tracestate: rojo=1"))
        self.expect_picture(server.get("/shop/b.jpg?w=50"))  # ratio 0
        self.expect_picture(server.get("/shop/a.jpg?w=50", "-H", f"traceparent: {PARENT}"))  # hit
        self.assertEqual(server.stop(), 0)
        path, headers = collector.requests[0]
        self.assertEqual(path, "/v1/traces")
        self.assertEqual(headers["x-key"], "secret word")
        names = [span["name"] for span in collector.spans]
        self.assertEqual(names, ["GET", "fetch", "plan", "queue", "render"])
        root, fetch = collector.spans[0], collector.spans[1]
        self.assertEqual((root["traceId"], root["parentSpanId"]), (TRACE, "00f067aa0ba902b7"))
        self.assertEqual(root["traceState"], "rojo=1")
        self.assertEqual(fetch["parentSpanId"], root["spanId"])
        self.assertIn(root["spanId"], self.parent_at_origin("/a.jpg"))
        self.assertLessEqual(int(root["startTimeUnixNano"]), int(fetch["startTimeUnixNano"]))
        told = attributes(root)
        self.assertEqual(told["http.response.status_code"], "200")
        self.assertEqual(told["tintype.outcome"], "rendered")
        self.assertNotIn("hush", json.dumps(collector.spans))
        resource = collector.resources[-1]
        self.assertEqual(resource["service.name"], "tintype")
        self.assertRegex(resource["service.version"], r"^\d+\.\d+")
        self.assertEqual(resource["cloud.region"], "eu-central-1")
        self.assertEqual(resource["aws.ecs.task.family"], "f")
        self.assertEqual(resource["container.name"], "tintype")
        self.assertNotIn("secret word", server.log())

    def test_the_ratio_decides_where_the_caller_has_not(self):
        collector = self.collector()
        server = self.traced(collector, ratio=1, hit_ratio=1)
        self.expect_picture(server.get("/shop/a.jpg?w=50"))
        self.expect_picture(server.get("/shop/a.jpg?w=50"))
        self.expect_picture(server.get("/shop/b.jpg?w=50", "-H", f"traceparent: {PARENT[:-1]}0"))
        self.assertEqual(server.stop(), 0)
        roots = [span for span in collector.spans if span["name"] == "GET"]
        self.assertEqual([attributes(root)["tintype.outcome"] for root in roots],
                         ["rendered", "memory-hit"])
        self.assertRegex(self.parent_at_origin("/b.jpg"), f"^00-{TRACE}-[0-9a-f]{{16}}-00$")

    def test_a_failing_collector_harms_nobody(self):
        collector = self.collector(status=503)
        server = self.traced(collector, ratio=1)
        self.expect_picture(server.get("/shop/a.jpg?w=50"))
        server.wait_for_log("traces-not-sent")
        self.assertGreaterEqual(server.metric("tintype_trace_spans_dropped_total"), 5)
        self.expect_picture(server.get("/shop/b.jpg?w=50"))

    # --- limits

    def test_the_log_says_what_the_container_allows(self):
        line = self.serve(self.sites).wait_for_log("limits")
        self.assertGreaterEqual(line["usable_cores"], 1)
        self.assertTrue(re.fullmatch(r"\d+", str(line["container_memory_bytes"])))


if __name__ == "__main__":
    harness.main()
