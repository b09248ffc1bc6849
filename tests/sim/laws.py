#!/usr/bin/env python3
"""laws.py - simulations come to what theory and RFCs say

    laws.py [PROGRAM]       build/release/weir

Each law has bounds, which are printed with what was measured.
"""
import json
import math
import subprocess
import sys

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else "build/release/weir"
failed = []


def play(scenario):
    """The report's objects by type."""
    result = subprocess.run([PROGRAM, "sim", "--json", "--no-checks", "-"], input=scenario,
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{scenario}\n{result.stderr}")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    return {kind: [o for o in objects if o["type"] == kind] for kind in ("flow", "link", "run")}


def expect(what, value, low, high):
    good = low <= value <= high
    print(f"{'ok  ' if good else 'FAIL'}  {what}: {value:.3f} (from {low:.3f} to {high:.3f})")
    if not good:
        failed.append(what)


def window_under_loss(control, every, rtt_ms, seconds):
    """Segments in flight on average, when every nth is lost."""
    report = play(f"""
        run {seconds}s
        host a cc {control} send-buffer 16MiB recv-buffer 16MiB
        host b send-buffer 16MiB recv-buffer 16MiB
        link a b delay {rtt_ms // 2}ms lose-every {every} back delay {rtt_ms // 2}ms
        flow f bulk a b lends
        """)
    flow = report["flow"][0]
    return flow["goodput_bit_s"] / 8 / flow["mss"] * rtt_ms / 1000


def reno_law():
    """Mathis et al. 1997: W = sqrt(3/2) / sqrt(p)."""
    for every in (100, 400, 1600, 6400):
        law = math.sqrt(1.5 * every)
        expect(f"Reno, loss 1/{every}, window over the law",
               window_under_loss("reno", every, 50, 200) / law, 0.8, 1.1)


def cubic_law():
    """RFC 9438, 5.1: AVG_W = (C (3 + beta) / (4 (1 - beta)))^(1/4) RTT^(3/4) / p^(3/4).

    The law is one of fluids. In whole segments W_max counts as reached a little before, after
    K - (1 / C)^(1/3), and what has been reached stays: that is up to a quarter more."""
    for every, rtt_ms in ((10000, 100), (30000, 50), (30000, 100)):
        law = (0.4 * 3.7 / (4 * 0.3)) ** 0.25 * (rtt_ms / 1000) ** 0.75 * every ** 0.75
        expect(f"CUBIC, loss 1/{every}, {rtt_ms} ms, window over RFC 9438's",
               window_under_loss("cubic", every, rtt_ms, 600) / law, 0.8, 1.25)


def fairness():
    for control in ("reno", "cubic"):
        report = play(f"""
            run 120s
            host b recv-buffer 4MiB
            router r
            link r b rate 40mbit delay 10ms limit 150
            """ + "".join(f"""
            host a{i} cc {control} send-buffer 4MiB
            link a{i} r delay 5ms
            flow f{i} bulk a{i} b start {i * 300}ms lends
            """ for i in range(4)))
        run = report["run"][0]
        total = sum(flow["goodput_bit_s"] for flow in report["flow"])
        expect(f"Jain's index of four {control} flows", float(run["fairness"]), 0.95, 1)
        expect("their share of the bottleneck", total / 40e6, 0.9, 1)


def queue_of(control, queue):
    """One flow at 50 Mbit/s and 20 ms: goodput's share and the bottleneck's queue."""
    report = play(f"""
        run 30s
        host a cc {control} send-buffer 4MiB recv-buffer 4MiB
        host b cc {control} send-buffer 4MiB recv-buffer 4MiB
        link a b rate 50mbit delay 10ms {queue} back delay 10ms
        flow f bulk a b lends
        """)
    link = [o for o in report["link"] if o["from"] == "a"][0]
    return report["flow"][0]["goodput_bit_s"] / 50e6, link


def dctcp_queue():
    """RFC 8257, 3.1 and 4.1: the queue stays about the threshold, here 30 packets or 7.3 ms."""
    share, link = queue_of("dctcp", "queue ecn mark 30 limit 1000")
    expect("DCTCP, share of the bottleneck", share, 0.9, 1)
    expect("DCTCP, median queue in ms", link["queue_p50_s"] * 1000, 2, 10)
    expect("DCTCP, drops", link["dropped_full"] + link["dropped_aqm"], 0, 0)


def prague_queue():
    """RFC 9331 and 9332: under a millisecond or so at a DualPI2 bottleneck."""
    share, link = queue_of("prague", "queue dualpi2")
    expect("Prague, share of the bottleneck", share, 0.85, 1)
    expect("Prague, median queue in ms", link["queue_p50_s"] * 1000, 0, 1)
    expect("Prague, 99th percentile in ms", link["queue_p99_s"] * 1000, 0, 1.5)
    expect("Prague, drops", link["dropped_full"] + link["dropped_aqm"], 0, 0)


reno_law()
cubic_law()
fairness()
dctcp_queue()
prague_queue()
sys.exit(1 if failed else 0)
