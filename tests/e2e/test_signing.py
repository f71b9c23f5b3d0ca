#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a site allows of its URLs: signatures, limited options, redirects; and the edge, which is
let through by its secret."""
import subprocess
import time

import harness
import pictures

KEY = "0123456789abcdef-of-the-shop"
SECRET = "the edge's secret of this test"


def verified(secret):
    return "-H", f"X-Origin-Verify: {secret}"


class Signing(harness.Case):
    def setUp(self):
        folder = self.temporary_folder()
        (folder / "a.jpg").write_bytes(pictures.make("JPEG", (640, 480)))
        (folder / "a.png").write_bytes(pictures.make("PNG", (64, 48)))
        origin = {"origin": {"folder": str(folder)}}
        self.server = self.serve(
            {"signed": {**origin, "signing": {"keys": [KEY]}},
             "limited": {**origin, "allowed_options": ["p"], "presets": {"card": "w=40&f=jpeg"}},
             "moved": {**origin, "spellings": "redirect"}},
            {"server": {"edge_secret": SECRET}})

    def sign(self, url, *arguments):
        done = subprocess.run(
            [harness.BINARY, "sign", url, "--config", str(self.server.config), *arguments],
            capture_output=True, text=True, timeout=harness.PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_only_signed_urls_are_answered(self):
        self.assertEqual(self.server.get("/signed/a.jpg?w=8").status, 403)
        self.assertEqual(self.server.get("/signed/a.jpg/_/w-8.jpeg").status, 403)
        url = self.sign("/signed/a.jpg?w=8")
        self.assertEqual(self.server.get(url).status, 200)
        self.assertEqual(self.server.get(url.replace("w=8", "w=9")).status, 403)
        self.assertEqual(self.server.get(url.replace("w=8", "width=%38")).status, 200)
        # Now that it is in memory there is still no unsigned way in.
        self.assertEqual(self.server.get("/signed/a.jpg?w=8").status, 403)
        self.assertEqual(self.server.get("/signed/a.jpg/_/w-8.jpeg").status, 403)
        self.assertEqual(self.server.get(self.sign("/signed/a.jpg/_/w-8.jpeg")).status, 200)

    def test_urls_expire(self):
        url = self.sign("/signed/a.jpg?w=8", "--expires-in", "2s")
        self.assertEqual(self.server.get(url).status, 200)
        time.sleep(3.1)
        answer = self.server.get(url)
        self.assertEqual(answer.status, 403)
        self.assertIn("expired", answer.body.decode())

    def test_signing_again(self):
        url = self.sign(self.sign("/signed/a.jpg?w=8", "--expires-in", "1h"))
        self.assertEqual(url.count("s="), 2, url)
        self.assertIn("expires=", url)
        self.assertEqual(self.server.get(url).status, 200)
        url = self.sign(url, "--expires-in", "30d")
        self.assertEqual(self.server.get(url).status, 200)

    def test_signatures_are_not_logged(self):
        url = self.sign("/signed/a.jpg?w=8")
        self.assertEqual(self.server.get(url).status, 200)
        signature = url.split("s=")[-1]
        log = self.server.wait_until(
            lambda: (self.server.folder / "access.log").read_text(), "the access log")
        self.assertNotIn(signature, log)
        self.assertIn("s=", log)

    def test_limited_options(self):
        self.assertEqual(self.server.get("/limited/a.jpg?p=card").status, 200)
        answer = self.server.get("/limited/a.jpg?w=9")
        self.assertEqual(answer.status, 400)
        self.assertIn("not allowed on site 'limited'", answer.body.decode())
        self.assertEqual(self.server.get("/limited/a.jpg/_/w-40.jpeg").status, 403)

    def test_the_edge_is_known_by_its_secret(self):
        for path in ("/signed/a.jpg/_/w-8.jpeg", "/limited/a.jpg/_/w-40.jpeg"):
            self.assertEqual(self.server.get(path, *verified(SECRET)).status, 200)
            self.assertEqual(self.server.get(path, *verified(SECRET + "x")).status, 403)

    def test_the_edges_secret_is_of_one_request(self):
        def ask(width, *fields):
            head = [f"GET /signed/a.jpg/_/w-{width}.jpeg HTTP/1.1", "Host: a", *fields, "", ""]
            return "\r\n".join(head).encode()
        answers = self.server.exchange(
            [ask(5), ask(6, f"X-Origin-Verify: {SECRET}"), ask(7), ask(8, "Connection: close")])
        self.assertEqual([answer.status for answer in answers], [403, 200, 403, 403])

    def test_the_secret_is_for_canonical_paths(self):
        self.assertEqual(self.server.get("/signed/a.jpg?w=8", *verified(SECRET)).status, 403)
        self.assertEqual(self.server.get("/limited/a.jpg?w=9", *verified(SECRET)).status, 400)

    def test_a_signature_covers_options_named_at_their_default(self):
        url = self.sign("/signed/a.jpg?w=8&h=8&fit=cover")
        self.assertEqual(self.server.get(url).status, 200)
        for more in ("&up=0", "&f=auto", "&g=c", "&meta=none"):
            self.assertEqual(self.server.get(url + more).status, 403, more)

    def test_redirects(self):
        answer = self.server.get("/moved/a.jpg?width=8&f=jpeg")
        self.assertEqual(answer.status, 302)
        self.assertEqual(answer.headers["location"], "/moved/a.jpg/_/w-8.jpeg")
        self.assertEqual(answer.headers["cache-control"], "public, max-age=300")
        self.assertEqual(answer.body, b"")
        answer = self.server.get("/moved/a.jpg?w=8", accept="image/webp")
        self.assertEqual(answer.headers["location"], "/moved/a.jpg/_/w-8.webp")
        self.assertIn("Accept", answer.headers["vary"])
        self.assertEqual(answer.headers["cache-control"], "private, max-age=60")
        self.assertEqual(self.server.get("/moved/a.jpg/_/w-8.webp").status, 200)

    def test_old_clients_get_jpeg_or_png_by_alpha(self):
        answer = self.server.get("/moved/a.png/_/w-8.jpng")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "image/jpeg")


class EdgeOnly(harness.Case):
    def test_pictures_are_for_the_edge(self):
        folder = self.temporary_folder()
        (folder / "a.jpg").write_bytes(pictures.make("JPEG", (64, 48)))
        server = self.serve({"shop": {"origin": {"folder": str(folder)}}},
                            {"server": {"edge_secret": SECRET, "edge_only": True}})
        self.assertEqual(server.get("/shop/a.jpg?w=8").status, 403)
        self.assertEqual(
            server.get("/shop/a.jpg?w=8", *verified(SECRET)).status, 200)


if __name__ == "__main__":
    harness.main()
