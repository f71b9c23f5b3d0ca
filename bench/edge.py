#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the edge function weighs and costs: bytes as CloudFront gets them, and CPU time a call in
njs (the engine of CloudFront Functions and of the nginx edge) and in Node. Method:
bench/README.md."""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

import bench
import harness
import report

POLICY = """sites:
  shop:
    origin: { folder: . }
    presets: { card: "w=400&h=400&fit=cover", hero: "w=1600", thumb: "w=100&q=60" }
  press:
    origin: { folder: . }
"""
SIGNING = """  vip:
    origin: { folder: . }
    signing: { keys: [ "0123456789abcdef0123" ] }
"""
MOUNTED = """  old:
    origin: { folder: . }
    mounts: [ { path: /old, dialect: %s } ]
"""

# Name, the dialect it needs (or none), path, query.
CALLS = [
    ("two options", None, "/shop/p/4711/front.jpg", "w=800&q=75"),
    ("six options", None, "/shop/p/4711/front.jpg", "w=800&h=600&fit=cover&g=n&q=75&f=auto"),
    ("a preset", None, "/shop/p/4711/front.jpg", "p=card"),
    ("a canonical path", None, "/shop/p/4711/front.jpg/_/w-800.webp", ""),
    ("a wrong value", None, "/shop/p/4711/front.jpg", "w=x"),
    ("imgix", "imgix", "/old/p/front.jpg", "w=400&h=300&fit=crop&auto=format&q=60"),
    ("Scene7", "scene7", "/old/acme/shoe", "wid=400&hei=300&fit=crop&fmt=webp&qlt=80"),
    ("Cloudinary", "cloudinary", "/old/image/upload/c_fill,g_auto,w_400,h_300/f_auto,q_auto/a.jpg",
     ""),
]

# One call's time is far below a clock tick, so a thousand are timed.
DRIVER = """
;(function () {
  const call = %s, rounds = %d, times = 1000, spent = [];
  function event() {
    const query = {};
    call[3].split('&').forEach((part) => {
      const at = part.indexOf('=');
      if (part) query[part.slice(0, at)] = {value: part.slice(at + 1)};
    });
    return {version: '1.0', context: {}, viewer: {ip: '192.0.2.1'}, request: {
      method: 'GET', uri: call[2], querystring: query, cookies: {}, headers: {
        host: {value: 'img.shop.example'},
        accept: {value: 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8'},
        'user-agent': {value: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ' +
            '(KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'}}}};
  }
  for (let round = 0; round < rounds; ++round) {
    const events = [];
    for (let i = 0; i < times; ++i) events.push(event());
    const begun = Date.now();
    for (let i = 0; i < times; ++i) handler(events[i]);
    spent.push((Date.now() - begun) * 1000 / times);
  }
  console.log(JSON.stringify(spent));
})();
"""


def build(folder, policy, *flags):
    """The function's text for CloudFront."""
    config, out = folder / "tintype.yaml", folder / "edge.js"
    config.write_text(policy, encoding="utf-8")
    subprocess.run([harness.BINARY, "edge", "build", "-c", config, "-o", out, *flags], check=True,
                   capture_output=True)
    return out.read_text(encoding="utf-8")


def spent_us(folder, engine, function, call, rounds):
    script = folder / "call.js"
    script.write_text(function + DRIVER % (json.dumps(call), rounds), encoding="utf-8")
    done = subprocess.run([engine, script], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def spread(spent):
    return {"median": statistics.median(spent), "min": min(spent), "max": max(spent)}


def measure(folder, rounds):
    native = build(folder, POLICY)
    sizes = {"native": len(native), "signing": len(build(folder, POLICY + SIGNING))}
    calls = {}
    for call in CALLS:
        name, dialect = call[0], call[1]
        # What does not fit CloudFront is for nginx, which has no limit.
        function = build(folder, POLICY + MOUNTED % dialect, "--no-limit") if dialect else native
        calls[name] = {f"{engine}_us": spread(spent_us(folder, engine, function, call, rounds))
                       for engine in ("njs", "node")}
        print(f"{name}: {calls[name]['njs_us']['median']:.0f} us in njs", flush=True)
    return {"bytes": sizes, "calls": calls}


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--rounds", type=int, default=30)
    rounds = flags.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        measured = measure(pathlib.Path(name), rounds)
    report.show(bench.save("edge", {"kind": "edge", "machine": bench.machine(), "rounds": rounds,
                                    **measured}))


if __name__ == "__main__":
    main()
