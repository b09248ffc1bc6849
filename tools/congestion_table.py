#!/usr/bin/env python3
"""congestion_table.py - how much of a bottleneck each congestion control uses, and what that costs

    congestion_table.py WEIR           writes docs/congestion.md and docs/congestion.svg
    congestion_table.py WEIR --check   plays one cell in 41, and CUBIC without loss, and compares with
                                       docs/congestion.md

Each cell is a transfer between two stacks in weir sim. The numbers are the same on every machine, but
change a little with every change of TCP; so the check only fails if a cell has become clearly worse.
"""

import concurrent.futures
import itertools
import json
import os
import re
import subprocess
import sys

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs")
TABLE, PLOT = os.path.join(DOCS, "congestion.md"), os.path.join(DOCS, "congestion.svg")

RATE_MBIT = 20
SEEDS = (1, 2, 3)
ALGORITHMS = ("reno", "cubic", "bbr", "dctcp", "prague")
LOSSES = {
    "no loss": "",
    "0.1 %": "loss 0.1%",
    "1 %": "loss 1%",
    "3 %": "loss 3%",
    "bursts, 1 %": "to-bad 0.2% to-good 10% bad-loss 50%",
}
RUN_S = {1: 15, 20: 15, 100: 30, 300: 60}
ORDERS = {"in order": (0, 0), "1 % late by RTT/4": (1, 4), "10 % late by RTT/2": (10, 2)}

# Below that share of the golden value, and by more than so many points, a cell is worse.
WORSE_SHARE, WORSE_POINTS = 0.9, 3
SPURIOUS_MORE = 20

PREAMBLE = """# What the congestion controls make of a bottleneck

Goodput in percent of a link of {rate} Mbit/s, from the handshake on, between two stacks in `weir sim`; in
brackets, how many segments were sent again in vain. Headers take 3.5 % of the link: 96.5 is all there
is. A run takes {run} s for round trips of {rtt} ms. The queue holds a
round trip's worth of packets, at least 30, and drops what is more; DCTCP has one that marks above a
seventh of that, and Prague has DualPI2. Chance decides what is lost or late; a cell
is the mean of {seeds} runs. A burst is ten packets on average, of which half are lost.

![Goodput over loss](congestion.svg)

Reno, CUBIC, DCTCP and Prague take a loss for congestion, as RFC 5681 asks them to. That leaves about
1.2 segments / (RTT * sqrt(loss)), whatever the link could take. BBR bears losses of up to 2 %; what
it lacks without loss is what it costs to probe the round trip every five seconds. After their first
mark, DCTCP and Prague grow by a segment in a round trip, which is slow if that is long; Prague grows as
slowly on short ones, where it behaves like a flow of 25 ms.

`tools/congestion_table.py` has written this, and a test plays a part of it again.
"""


def queue_of(algorithm, rtt_ms):
    limit = max(RATE_MBIT * 125 * rtt_ms, 30 * 1500)
    if algorithm == "prague":
        return f"queue dualpi2 limit-bytes {max(limit, RATE_MBIT * 125 * 250)}"
    if algorithm == "dctcp":
        return f"queue ecn mark-bytes {max(limit // 7, 5 * 1500)} limit-bytes {limit}"
    return f"limit-bytes {limit}"


def scenario_of(seed, algorithm, rtt_ms, order, loss):
    late_percent, late_part = ORDERS[order]
    late = f"reorder {late_percent}% reorder-by {rtt_ms * 1000 // late_part}us" if late_percent else ""
    return f"""seed {seed}
run {RUN_S[rtt_ms]}s
host a cc {algorithm} send-buffer 8MB recv-buffer 8MB
host b cc {algorithm} send-buffer 8MB recv-buffer 8MB
link a b rate {RATE_MBIT}mbit delay {rtt_ms * 500}us {queue_of(algorithm, rtt_ms)} \
{LOSSES[loss]} {late} back delay {rtt_ms * 500}us
flow f bulk a b
"""


def play(weir, seed, cell):
    run = subprocess.run(
        [weir, "sim", "--json", "--no-checks", "-"],
        input=scenario_of(seed, *cell), capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"{cell}: {run.stderr}")
    return next(json.loads(line) for line in run.stdout.splitlines() if '"flow"' in line)


def play_cell(weir, cell):
    """Percent of the link, and spurious segments: means."""
    flows = [play(weir, seed, cell) for seed in SEEDS]
    share = sum(flow["share_ppm"] for flow in flows) / len(SEEDS) / 10000
    return share, round(sum(flow["spurious"] for flow in flows) / len(SEEDS))


def play_all(weir, cells):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(cells, pool.map(lambda cell: play_cell(weir, cell), cells)))


def all_cells():
    return list(itertools.product(ALGORITHMS, RUN_S, ORDERS, LOSSES))


def table_of(results, algorithm):
    lines = [f"\n## {algorithm}\n", "| RTT | order | " + " | ".join(LOSSES) + " |",
             "| --- | --- |" + " ---: |" * len(LOSSES)]
    for rtt_ms, order in itertools.product(RUN_S, ORDERS):
        row = [results[algorithm, rtt_ms, order, loss] for loss in LOSSES]
        lines.append(f"| {rtt_ms} ms | {order} | "
                     + " | ".join(f"{share:.1f} ({spurious})" for share, spurious in row) + " |")
    return "\n".join(lines)


def read_table():
    results, algorithm = {}, None
    with open(TABLE, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("## "):
                algorithm = line[3:].strip()
            row = re.match(r"\| (\d+) ms \| ([^|]+) \| (.*) \|$", line)
            if row is None:
                continue
            for loss, cell in zip(LOSSES, row[3].split(" | ")):
                share, spurious = re.match(r"([\d.]+) \((\d+)\)", cell).groups()
                results[algorithm, int(row[1]), row[2], loss] = float(share), int(spurious)
    return results


# ---- the plot: a panel for each round trip, a line for each algorithm ----

COLOURS = {"reno": "#7f7f7f", "cubic": "#1f77b4", "bbr": "#d62728", "dctcp": "#2ca02c",
           "prague": "#9467bd"}
WIDTH, HEIGHT, LEFT, TOP, GAP = 190, 180, 45, 40, 25


def panel(results, rtt_ms, x):
    step = WIDTH / (len(LOSSES) - 1)
    parts = [f'<text x="{x + WIDTH / 2}" y="{TOP - 12}" text-anchor="middle">RTT {rtt_ms} ms</text>',
             f'<rect x="{x}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#aaa"/>']
    for i, loss in enumerate(LOSSES):
        parts.append(f'<text x="{x + i * step:.0f}" y="{TOP + HEIGHT + 16}" text-anchor="middle" '
                     f'font-size="9">{loss.replace(", 1 %", "")}</text>')
    for algorithm, colour in COLOURS.items():
        points = " ".join(
            f"{x + i * step:.1f},{TOP + HEIGHT * (1 - results[algorithm, rtt_ms, 'in order', loss][0] / 100):.1f}"
            for i, loss in enumerate(LOSSES))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "\n".join(parts)


def plot_of(results):
    width = LEFT + len(RUN_S) * (WIDTH + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 60}" '
             'font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>']
    for percent in (0, 25, 50, 75, 100):
        parts.append(f'<text x="{LEFT - 6}" y="{TOP + HEIGHT * (1 - percent / 100) + 4:.0f}" '
                     f'text-anchor="end">{percent} %</text>')
    for i, rtt_ms in enumerate(RUN_S):
        parts.append(panel(results, rtt_ms, LEFT + i * (WIDTH + GAP)))
    for i, (algorithm, colour) in enumerate(COLOURS.items()):
        x = LEFT + i * 90
        parts.append(f'<rect x="{x}" y="{TOP + HEIGHT + 36}" width="14" height="4" fill="{colour}"/>'
                     f'<text x="{x + 20}" y="{TOP + HEIGHT + 42}">{algorithm}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def is_worse(now, golden):
    share_is_worse = now[0] < golden[0] * WORSE_SHARE and now[0] < golden[0] - WORSE_POINTS
    return share_is_worse or now[1] > 2 * golden[1] + SPURIOUS_MORE


def reordering_costs(results):
    """Where nothing is lost, a late segment in a hundred costs less than 5 % of the goodput."""
    costly = 0
    for algorithm, rtt_ms in itertools.product(ALGORITHMS, RUN_S):
        plain = results.get((algorithm, rtt_ms, "in order", "no loss"))
        late = results.get((algorithm, rtt_ms, "1 % late by RTT/4", "no loss"))
        if plain is not None and late is not None and late[0] < 0.95 * plain[0]:
            print(f"{algorithm}, {rtt_ms} ms: {late[0]:.1f} % with reordering, {plain[0]:.1f} % without")
            costly += 1
    return costly


def check(weir):
    golden = read_table()
    cells = all_cells()[::41] + [cell for cell in all_cells()
                                 if cell[0] == "cubic" and cell[3] == "no loss" and cell[1] < 300]
    worse = reordering_costs(golden)
    played = play_all(weir, cells)
    worse += reordering_costs(played)
    for cell, now in played.items():
        if is_worse(now, golden[cell]):
            print(f"{', '.join(map(str, cell))}: {now[0]:.1f} % ({now[1]} spurious), "
                  f"but it was {golden[cell][0]:.1f} % ({golden[cell][1]})")
            worse += 1
    print(f"{len(cells)} cells, {worse} worse")
    if worse:
        print("If it is meant to be so: tools/congestion_table.py WEIR")
    return 1 if worse else 0


def write(weir):
    results = play_all(weir, all_cells())
    with open(TABLE, "w", encoding="utf-8") as out:
        out.write(PREAMBLE.format(rate=RATE_MBIT, run=", ".join(map(str, RUN_S.values())),
                                  rtt=", ".join(map(str, RUN_S)), seeds=len(SEEDS)))
        for algorithm in ALGORITHMS:
            out.write(table_of(results, algorithm) + "\n")
    with open(PLOT, "w", encoding="utf-8") as out:
        out.write(plot_of(results))
    return 0


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    sys.exit(check(sys.argv[1]) if sys.argv[2:] else write(sys.argv[1]))


if __name__ == "__main__":
    main()
