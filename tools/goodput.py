#!/usr/bin/env python3
"""goodput.py - what each congestion control makes of a path, as a table

For each algorithm, loss, round trip time and reordering, "weir sim" plays one bulk transfer over a
bottleneck of 50 Mbit/s. The table has the share of the bottleneck, and how many of a thousand
segments were sent again for nothing. The simulation is deterministic: the table is the same on
every machine until TCP changes.

    tools/goodput.py WEIR            print the table
    tools/goodput.py WEIR --check    fail if it is not tests/golden/goodput.txt
    tools/goodput.py WEIR --update   write that, and docs/goodput.svg (which needs gnuplot)
"""
import concurrent.futures
import json
import os
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
TABLE = os.path.join(HERE, "tests/golden/goodput.txt")
PLOT = os.path.join(HERE, "docs/goodput.svg")

RATE = 50_000_000
ALGORITHMS = ["reno", "cubic", "bbr", "dctcp", "prague"]
LOSSES = {
    "none": "",
    "0.1 %": "loss 0.1%",
    "1 %": "loss 1%",
    "3 %": "loss 3%",
    "1 % in bursts": "bad-loss 50% to-bad 0.5% to-good 24.5%",
}
RTTS_MS = [1, 20, 100, 300]
ORDERS = {"in order": (0, 0), "1 % by 1/4": (1, 4), "10 % by 1/2": (10, 2)}
SECONDS = {1: 4, 20: 8, 100: 20, 300: 40}

# A queue of a round trip, but not below what a burst needs; those that want marks get them.
QUEUES = {"dctcp": "queue ecn mark 40", "prague": "queue dualpi2"}
ECN = {"dctcp": "ecn on", "prague": "ecn accurate"}


def scenario(algorithm, loss, rtt, order):
    percent, part = ORDERS[order]
    limit = max(int(RATE / 8 * rtt / 1000), 60000)
    late = f"reorder {percent}% reorder-by {rtt * 1000 // part}us" if percent else ""
    host = f"send-buffer 32MB recv-buffer 32MB {ECN.get(algorithm, '')}"
    return f"""seed 1
run {SECONDS[rtt]}s
host client cc {algorithm} {host}
host server {host}
link client server rate 50mbit delay {rtt * 500}us {QUEUES.get(algorithm, 'queue fifo')} \
limit-bytes {limit} {LOSSES[loss]} {late} back delay {rtt * 500}us
flow main bulk client server bytes 2GB
"""


def play(weir, cell):
    run = subprocess.run([weir, "sim", "--json", "--no-checks", "-"], input=scenario(*cell),
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"goodput.py: {cell}: {run.stderr or run.stdout}{scenario(*cell)}")
    flow = json.loads(run.stdout.splitlines()[0])
    return flow["share_ppm"], flow["spurious"] * 1_000_000 // max(flow["segments"], 1)


def measure(weir):
    cells = [(a, l, r, o) for a in ALGORITHMS for l in LOSSES for r in RTTS_MS for o in ORDERS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(cells, pool.map(lambda cell: play(weir, cell), cells)))


def table(results):
    lines = ["Goodput as a share of 50 Mbit/s, in percent (TCP/IP headers take 3.5), and, behind the",
             "slash, needless retransmissions among a million segments. tools/goodput.py makes it.", ""]
    for algorithm in ALGORITHMS:
        lines.append(f"{algorithm}: {QUEUES.get(algorithm, 'queue fifo')[6:]}")
        head = "".join(f"{o:>14}" for o in ORDERS)
        lines.append(f"  {'loss':<14}{'RTT':>7}{head}")
        for loss in LOSSES:
            for rtt in RTTS_MS:
                row = ""
                for order in ORDERS:
                    share, spurious = results[algorithm, loss, rtt, order]
                    row += f"{share / 10000:>7.1f} /{spurious:>5}"
                lines.append(f"  {loss:<14}{rtt:>4} ms{row}")
        lines.append("")
    return "\n".join(lines)


def expect(results):
    """What holds whatever else changes: reordering alone costs next to nothing."""
    faults = []
    for algorithm in ALGORITHMS:
        for rtt in RTTS_MS:
            plain, _ = results[algorithm, "none", rtt, "in order"]
            share, spurious = results[algorithm, "none", rtt, "1 % by 1/4"]
            if share < 0.95 * plain:
                faults.append(f"{algorithm}, {rtt} ms: reordering costs more than 5 % of {plain} ppm: {share}")
            if spurious >= 10000:
                faults.append(f"{algorithm}, {rtt} ms: {spurious} of a million segments sent for nothing")
    return faults


def plot(results):
    rows = []
    for rtt in RTTS_MS:
        for loss in LOSSES:
            shares = " ".join(f"{results[a, loss, rtt, 'in order'][0] / 10000:.1f}" for a in ALGORITHMS)
            rows.append(f'"{rtt} ms, {loss}" {shares}')
    data = "\n".join(rows)
    columns = ", ".join(f"$d using {i + 2}:xtic(1) title '{a}'" for i, a in enumerate(ALGORITHMS))
    script = f"""set terminal svg size 1100,480 background 'white' font 'sans,11'
set output '{PLOT}'
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set ylabel 'goodput, % of 50 Mbit/s'
set yrange [0:100]
set xtics rotate by -40 font ',9'
set grid ytics
set key outside top horizontal
$d << END
{data}
END
plot {columns}
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    with open(PLOT, encoding="utf-8") as drawn:
        lines = [line.rstrip() for line in drawn]
    with open(PLOT, "w", encoding="utf-8") as drawn:
        drawn.write("\n".join(lines) + "\n")


def main():
    if len(sys.argv) < 2 or len(sys.argv) > 3:
        sys.exit(__doc__)
    results = measure(sys.argv[1])
    text = table(results)
    faults = expect(results)
    if sys.argv[2:] == ["--check"]:
        with open(TABLE, encoding="utf-8") as golden:
            if golden.read() != text:
                faults.append("the table is another than tests/golden/goodput.txt; look at what "
                              "changed, then tools/goodput.py WEIR --update")
    elif sys.argv[2:] == ["--update"]:
        with open(TABLE, "w", encoding="utf-8") as golden:
            golden.write(text)
        plot(results)
    else:
        print(text)
    for fault in faults:
        print(f"goodput.py: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


main()
