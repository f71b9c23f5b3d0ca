# SPDX-License-Identifier: Apache-2.0
"""Reads pictures with decoders that are not ours: Pillow for JPEG, PNG and WebP. Debian 12's Pillow
has no AVIF; for AVIF the boxes are read here (ISO/IEC 14496-12, 23008-12)."""
import io
import struct

from PIL import Image, ImageChops, ImageStat

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


def boxes(data, begin, end):
    while begin + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        if size < 8 or begin + size > end:
            raise ValueError(f"box {kind} of {size} bytes at {begin} does not fit")
        yield kind, begin + 8, begin + size
        begin += size


def avif_size(data):
    """(width, height) of the largest ispe property; raises unless the whole file is sound boxes."""
    top = {kind: (b, e) for kind, b, e in boxes(data, 0, len(data))}
    if not {b"ftyp", b"meta", b"mdat"} <= set(top) or b"avif" not in data[:top[b"ftyp"][1]]:
        raise ValueError("not AVIF")
    sizes = []
    begin, end = top[b"meta"]
    for kind, b, e in boxes(data, begin + 4, end):
        if kind != b"iprp":
            continue
        for kind2, b2, e2 in boxes(data, b, e):
            if kind2 == b"ipco":
                sizes += [struct.unpack_from(">II", data, b3 + 4)
                          for kind3, b3, _ in boxes(data, b2, e2) if kind3 == b"ispe"]
    return max(sizes, key=lambda s: s[0] * s[1])


def describe(data):
    """(format, (width, height)). Decodes every pixel where Pillow can; raises on damage."""
    if data[4:8] == b"ftyp":
        return "AVIF", avif_size(data)
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return picture.format, picture.size


def open_rgb(data):
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGB")


def distance(a, b):
    """Mean absolute difference of two RGB pictures of one size, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3


def make(kind="JPEG", size=(640, 480), color=None, **save):
    """A picture with something in it: a gradient with a block of `color`."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    if color:
        picture.paste(color, (0, 0, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    picture.save(out, kind, **save)
    return out.getvalue()
