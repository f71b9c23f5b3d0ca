# SPDX-License-Identifier: Apache-2.0
"""What the tests of the production shape stand on (test_shape_*.py): a Ceph that is started once a
file, with a proxy for faults before it, two buckets a test, service tasks that know them, edges.

    class Edges(shape_case.Shape):
        def test_it(self):
            self.put("a.jpg")
            task = self.task()
            edge = self.edge(task.url(""))
            answer = edge.get("/shop/a.jpg?w=60&f=webp")
"""
import itertools
import json
import os
import pathlib
import shutil
import tempfile
import urllib.parse

import aws
import engines
import faults
import harness
import pictures

SECRET = "only-the-edge-knows-this"
DAYS_30 = 30 * 86_400
NUMBERS = itertools.count(1)
# Of the surroundings nothing may say where credentials are.
NO_AWS = {name: None for name in os.environ if name.startswith(("AWS_", "ECS_"))}
KEYS = {"AWS_ACCESS_KEY_ID": engines.CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": engines.CREDENTIALS.secret_key,
        "AWS_REGION": aws.REGION, "AWS_EC2_METADATA_DISABLED": "true"}


class EdgeNode(engines.Edge):
    def get(self, path, *arguments, accept=None):
        accepting = ["-H", f"Accept: {accept}"] if accept is not None else ["-H", "Accept:"]
        return harness.curl(f"http://127.0.0.1:{self.port}{path}", *accepting, *arguments)

    def access(self):
        lines = (self.folder / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines]


class Shape(harness.Case):
    DAY_S = -1  # how long a day of a lifecycle rule lasts

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.mkdtemp(prefix="tintype-e2e-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.folder = pathlib.Path(folder)
        cls.ceph = engines.Ceph(cls.folder / "ceph", day_s=cls.DAY_S)
        cls.addClassCleanup(cls.ceph.stop)
        cls.ceph.start()
        cls.s3 = cls.ceph.s3

    def setUp(self):
        # Faults are the service's to meet; the test itself, and the edge, ask Ceph.
        self.fault = faults.Fault(self.ceph.port)
        self.addCleanup(self.fault.close)
        number = next(NUMBERS)
        self.originals, self.variants = f"originals-{number}", f"variants-{number}"
        for bucket in (self.originals, self.variants):
            self.s3.make_bucket(bucket)
        self.s3.allow_reading(self.variants)

    # --- the parts

    def put(self, name, data=None, **headers):
        """A source. Returns its bytes."""
        data = data or pictures.make("JPEG", (320, 240), "red")
        self.s3.put(self.originals, name, data, headers)
        return data

    def s3_origin(self, **more):
        return {"s3": self.originals, "region": aws.REGION, "endpoint": self.fault.endpoint,
                **more}

    def sites(self, **more):
        return {"shop": {"origin": self.s3_origin(), **more}}

    def settings(self, **sections):
        out = {"server": {"edge_secret": SECRET, "edge_only": True, "drain_accept": "0s"},
               "variants": {"s3": {"bucket": self.variants, "region": aws.REGION,
                                   "endpoint": self.fault.endpoint}}}
        for section, fields in sections.items():
            out.setdefault(section, {}).update(fields)
        return out

    def task(self, sites=None, settings=None, environment=None):
        """A service task; it is stopped with the test, and must then exit with 0."""
        keys = {**NO_AWS, **KEYS} if environment is None else {**NO_AWS, **environment}
        return self.serve(sites if sites is not None else self.sites(),
                          settings or self.settings(), keys)

    def edge(self, service, store=True, sites=None):
        order = {"sites": sites or self.sites(), "service": service, "secret": SECRET,
                 "store": f"{self.ceph.endpoint}/{self.variants}" if store else None}
        # A path that is short enough for a socket.
        edge = EdgeNode(self.temporary_folder(), order)
        self.addCleanup(edge.stop)
        return edge.start()

    def balancer(self, *tasks):
        balancer = engines.Balancer(self.temporary_folder(), [task.port for task in tasks])
        self.addCleanup(balancer.stop)
        return balancer.start()

    # --- asking

    def ask(self, task, path, *arguments, **named):
        """The service, as the edge asks it."""
        return task.get(path, "-H", f"X-Origin-Verify: {SECRET}", *arguments, **named)

    def stored(self, path):
        """The variant of a canonical path, once it is written back."""
        key = urllib.parse.unquote(path[1:])
        return faults.wait_until(
            lambda: next((a for a in [self.s3.get(self.variants, key)] if a.status == 200), None),
            f"{path} to be in the bucket")

    @staticmethod
    def renders(*tasks):
        return sum(task.metric("tintype_renders_total") for task in tasks)

    @staticmethod
    def access(task):
        path = task.folder / "access.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]
