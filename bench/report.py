#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a results file as Markdown and draws it as SVG beside it: python3 bench/report.py FILE…"""
import json
import pathlib
import sys
import xml.sax.saxutils as sax

INK, GRID, OURS, THEIRS = "#222", "#ddd", "#b5651d", "#8a9ba8"


def figure(spread, digits=1):
    """Median (min-max)."""
    return f"{spread['median']:.{digits}f} ({spread['min']:.{digits}f}-{spread['max']:.{digits}f})"


def machine_line(document):
    m = document["machine"]
    return (f"{m['cpu']}, {m['cores']} cores, {m['system']}, kernel {m['kernel']}, "
            f"commit {m['commit']}, {m['date']}; medians of {document['rounds']} rounds")


def hits_table(document):
    yield "| server | body | CPU us a request | x nginx static | requests/s | p99 ms |"
    yield "|---|---|---|---|---|---|"
    for size, by_name in document["hits"].items():
        base = by_name["nginx static"]["cpu_us"]["median"]
        for name, r in by_name.items():
            yield (f"| {name} | {size} | {figure(r['cpu_us'])} | "
                   f"{r['cpu_us']['median'] / base:.2f} | {r['rps']['median']:.0f} | "
                   f"{figure(r['p99_ms'], 2)} |")
    yield ""
    for name, storm in document["storm"].items():
        ratio = storm["storm_p99_ms"]["median"] / storm["idle_p99_ms"]["median"]
        yield (f"p99 of a 20 KB hit, {name}: idle {figure(storm['idle_p99_ms'], 2)} ms, while all "
               f"workers render misses {figure(storm['storm_p99_ms'], 2)} ms: {ratio:.2f} x")


def misses_table(document):
    yield "| format | server | pictures/s | CPU ms a picture | p50 ms | p99 ms | KB | PSNR dB |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, by_side in document["misses"].items():
        for side, r in by_side.items():
            psnr = figure(r["psnr_db"]) if r["psnr_db"] else "-"
            yield (f"| {kind} q{document['quality'][kind]} | {side} | {figure(r['per_second'])} | "
                   f"{figure(r['cpu_ms'])} | {figure(r['p50_ms'], 0)} | {figure(r['p99_ms'], 0)} | "
                   f"{r['bytes']['median'] / 1000:.1f} | {psnr} |")
        ratio = by_side["sharp"]["cpu_ms"]["median"] / by_side["tintype"]["cpu_ms"]["median"]
        yield f"| {kind} | sharp / tintype | | {ratio:.2f} x | | | | |"


def soak_table(document):
    """Ten lines of it."""
    yield "| misses | server process MB | all processes MB |"
    yield "|---|---|---|"
    series = document["soak"]
    for done, main, whole in series[::max(1, len(series) // 10)]:
        yield f"| {done} | {main / 1e6:.1f} | {whole / 1e6:.1f} |"


def edge_table(document):
    yield "| function | bytes, of 10,240 |"
    yield "|---|---|"
    for what, size in document["bytes"].items():
        yield f"| {what} | {size:,} |"
    yield ""
    yield "| call | njs us | Node us |"
    yield "|---|---|---|"
    for name, r in document["calls"].items():
        yield f"| {name} | {figure(r['njs_us'], 0)} | {figure(r['node_us'], 1)} |"


def shape_table(document):
    if "misses" in document:
        sides = document["misses"]["sides"]
        yield (f"Misses, 12 MP to 800 px WebP, at 70 % of "
               f"{document['misses']['capacity_per_second']:.1f} pictures/s:")
        yield ""
        yield "| ms | " + " | ".join(sides) + " |"
        yield "|---|" + "---|" * len(sides)
        for name in next(iter(sides.values())):
            yield (f"| {name.removesuffix('_ms').replace('_', ' ')} | "
                   + " | ".join(figure(side[name]) for side in sides.values()) + " |")
        yield ""
    if "hits" in document:
        yield "| hit in the bucket, through | p50 ms | p99 ms | x plain nginx |"
        yield "|---|---|---|---|"
        base = document["hits"]["plain nginx"]["p50_ms"]["median"]
        for name, r in document["hits"].items():
            yield (f"| {name} | {figure(r['p50_ms'], 2)} | {figure(r['p99_ms'], 2)} | "
                   f"{r['p50_ms']['median'] / base:.2f} |")
        yield ""
    if "together" in document:
        yield f"| delay {document['together']['delay_ms']:.0f} ms | fetch ms | miss ms |"
        yield "|---|---|---|"
        for name, r in document["together"]["cases"].items():
            yield f"| {name} | {figure(r['fetch_ms'])} | {figure(r['ms'])} |"


def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="13" fill="{INK}">\n'
            f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts)
            + "\n</svg>\n")


def bars(title, unit, rows):
    """Horizontal bars with whiskers from min to max: rows of (label, spread, is_ours)."""
    left, right, step = 230, 640, 26
    scale = (right - left) / (max(s["max"] for _, s, _ in rows) * 1.05)
    parts = [f'<text x="10" y="22" font-size="15" font-weight="bold">{sax.escape(title)}</text>']
    for i, (label, spread, is_ours) in enumerate(rows):
        y = 40 + i * step
        end = left + spread["median"] * scale
        low, high = left + spread["min"] * scale, left + spread["max"] * scale
        parts += [
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{sax.escape(label)}</text>',
            f'<rect x="{left}" y="{y}" width="{end - left:.1f}" height="18" '
            f'fill="{OURS if is_ours else THEIRS}"/>',
            f'<path d="M{low:.1f} {y + 9}H{high:.1f}" stroke="{INK}"/>',
            f'<text x="{high + 6:.1f}" y="{y + 14}">{spread["median"]:.1f} {unit}</text>']
    return svg(right + 90, 50 + len(rows) * step, parts)


def line(title, series):
    """Megabytes over misses: the server process, and all processes."""
    left, right, top, bottom = 60, 660, 40, 220
    x_max, y_max = series[-1][0], max(row[2] for row in series) * 1.1
    parts = [f'<text x="10" y="22" font-size="15" font-weight="bold">{sax.escape(title)}</text>',
             f'<path d="M{left} {top}V{bottom}H{right}" stroke="{GRID}" fill="none"/>',
             f'<text x="{left - 6}" y="{top + 8}" text-anchor="end">{y_max / 1e6:.0f} MB</text>',
             f'<text x="{left - 6}" y="{bottom}" text-anchor="end">0</text>',
             f'<text x="{right}" y="{bottom + 18}" text-anchor="end">{x_max} misses</text>']
    for column, color, label in ((1, OURS, "server process"), (2, THEIRS, "with its workers")):
        points = " ".join(f"{left + row[0] / x_max * (right - left):.1f},"
                          f"{bottom - row[column] / y_max * (bottom - top):.1f}" for row in series)
        last = bottom - series[-1][column] / y_max * (bottom - top)
        parts += [f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>',
                  f'<text x="{right + 6}" y="{last + 4:.1f}">{label}</text>']
    return svg(right + 130, bottom + 30, parts)


def plots(document):
    """{suffix: svg}"""
    if document["kind"] == "hits":
        rows = [(f"{name}, {size}", r["cpu_us"], name.startswith("tintype"))
                for size, by_name in document["hits"].items() for name, r in by_name.items()]
        return {"": bars("A hit: CPU time per request", "us", rows)}
    if document["kind"] == "edge":
        rows = [(name, r["njs_us"], True) for name, r in document["calls"].items()]
        return {"": bars("The edge function in njs: time a call", "us", rows)}
    if document["kind"] == "shape":
        parts = [(f"{name.removesuffix('_ms').replace('_', ' ')}, {side}", spread,
                  side == "with write-back")
                 for side, r in document.get("misses", {"sides": {}})["sides"].items()
                 for name, spread in r.items()]
        return {"": bars("A miss through the whole shape", "ms", parts)} if parts else {}
    if document["kind"] == "soak":
        return {"": line("Memory over misses", document["soak"])}
    rows = [(f"{side}, {kind}", r["cpu_ms"], side == "tintype")
            for kind, by_side in document["misses"].items() for side, r in by_side.items()]
    return {"": bars("A miss: CPU time per picture", "ms", rows)}


def show(path):
    path = pathlib.Path(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    table = {"hits": hits_table, "misses": misses_table, "soak": soak_table,
             "edge": edge_table, "shape": shape_table}[document["kind"]]
    print("\n" + machine_line(document) + "\n")
    for row in table(document):
        print(row)
    for suffix, text in plots(document).items():
        path.with_name(path.stem + suffix + ".svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or sys.exit(__doc__):
        show(name)
