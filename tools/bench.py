#!/usr/bin/env python3
"""bench.py - runs the benchmarks several times, and prints medians beside what is aimed at

    bench.py WEIR [--runs N] [--json] [--small] [NAME [OPTION...]]
    bench.py WEIR [--runs N] [--json] [--small] --peers

Without a name, all that the table below has. A line a number: median, least, greatest, aim. With
--json, one object a benchmark in a line; the numbers are medians, each with _min and _max. With
--peers, other stacks that are installed do the same work, run by run beside Weir.
Exit code 1 if a benchmark failed; an aim that is missed is no failure.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

PEERS = os.path.join(os.path.dirname(__file__), "..", "bench", "peers")

# Benchmark with its options, and what is aimed at: at least (>=) or at most (<=).
TABLE = [
    ("bulk", {"ratio_to_null_stack": (">=", 0.80)}),
    ("bulk --plain-read", {"ratio_to_null_stack": (">=", 0.80)}),
    ("bulk --ack-every 2", {"ratio_to_null_stack": (">=", 0.70)}),
    ("bulk --ipv6", {"ratio_to_null_stack": (">=", 0.78)}),
    ("bulk --gso", {"ratio_to_null_stack": (">=", 0.95)}),
    ("bulk --zerocopy", {"ratio_to_null_stack": (">=", 3)}),
    ("bulk --zerocopy --gso", {"ratio_to_null_stack": (">=", 3)}),
    ("bulk --loss 0.1%", {"ratio_to_lossless_cost": ("<=", 1.15)}),
    ("conns", {"connections_per_cpu_s": (">=", 1200000)}),
    ("conns --at-a-time 64", {"connections_per_cpu_s": (">=", 1200000)}),
    ("conns --at-a-time 512", {"connections_per_cpu_s": (">=", 800000)}),
    ("conns --at-a-time 100000", {"connections_per_cpu_s": (">=", 800000)}),
    ("conns --at-a-time 512 --population 1000000", {"connections_per_cpu_s": (">=", 800000)}),
    ("rr", {"ns_per_round_trip": ("<=", 300)}),
    ("rr-tun", {"ratio_to_kernel_p50": ("<=", 1), "ratio_to_kernel_p99": ("<=", 1)}),
    (
        "tun",
        {
            "in_ratio_to_kernel": (">=", 1),
            "out_ratio_to_kernel": (">=", 1),
            "plain_in_ratio_to_relay": (">=", 2),
            "plain_out_ratio_to_relay": (">=", 2),
        },
    ),
    ("tun --ipv6", {"in_ratio_to_kernel": (">=", 1), "out_ratio_to_kernel": (">=", 1)}),
    ("idle", {"bytes_per_connection": ("<=", 256), "longest_pause_both_times_ms": ("<=", 1),
              "active_ratio_to_small_table": (">=", 0.9)}),
    ("fairness", {"p1_ratio_to_mean": (">=", 0.5)}),
    ("syn", {"syns_per_cpu_s": (">=", 5000000)}),
    ("attack", {}),
    ("timers", {"arm_ns": ("<=", 50), "move_ns": ("<=", 50), "expire_ns": ("<=", 50)}),
]


def run_once(weir, words):
    done = subprocess.run([weir, "bench", *words, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode == 77:
        return None
    if done.returncode != 0:
        raise RuntimeError(f"weir bench {' '.join(words)} failed")
    return json.loads(done.stdout)


def numbers_of(results):
    names = [n for n, v in results[0].items() if isinstance(v, (int, float))]
    return {n: [r[n] for r in results] for n in names}


def is_met(aim, value):
    return value >= aim[1] if aim[0] == ">=" else value <= aim[1]


def print_table(line, numbers, aims):
    print(line)
    for name, values in numbers.items():
        median = statistics.median(values)
        text = f"  {name:38} {median:12.5g}  ({min(values):.5g} to {max(values):.5g})"
        if name in aims:
            verdict = "met" if is_met(aims[name], median) else "missed"
            text += f"   aim {aims[name][0]} {aims[name][1]:g}: {verdict}"
        print(text)
    sys.stdout.flush()


def print_json(line, numbers, aims, runs):
    name, _, options = line.partition(" ")
    out = {"type": "bench", "name": name, "options": options, "runs": runs}
    for key, values in numbers.items():
        out[key] = statistics.median(values)
        out[f"{key}_min"] = min(values)
        out[f"{key}_max"] = max(values)
        if key in aims:
            out[f"{key}_aim"] = aims[key][1]
            out[f"{key}_met"] = is_met(aims[key], out[key])
    print(json.dumps(out), flush=True)


def build_lwip(there):
    """The harness around Debian's liblwip, or None if that is not installed."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "lwip"], check=False, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    program = os.path.join(there, "lwip")
    source = os.path.join(PEERS, "lwip.c")
    if flags.returncode != 0:
        return None
    subprocess.run(["gcc", "-O2", "-o", program, source, *flags.stdout.split()], check=True)
    return program


def run_peers(weir, runs, small, as_json):
    with tempfile.TemporaryDirectory() as there:
        lwip = build_lwip(there)
        if lwip is None:
            print("lwIP is not installed (package liblwip-dev)", file=sys.stderr)
            return 77
        for name, key in (("bulk", "goodput_gbit_per_cpu_s"), ("conns", "connections_per_cpu_s")):
            numbers = {f"weir_{key}": [], f"lwip_{key}": [], "ratio_to_lwip": []}
            for _ in range(runs):
                ours = run_once(weir, [name] + (["--small"] if small else []))[key]
                done = subprocess.run([lwip, name] + (["small"] if small else []), check=True,
                                      stdout=subprocess.PIPE, text=True)
                theirs = json.loads(done.stdout)[key]
                for list_, value in zip(numbers.values(), (ours, theirs, ours / theirs)):
                    list_.append(value)
            if as_json:
                print_json(f"peers {name}", numbers, {}, runs)
            else:
                print_table(f"peers {name}", numbers, {})
    return 0


def take(words, option, default=None):
    """Takes an option and, with a default, its value out of the words."""
    if option not in words:
        return default
    at = words.index(option)
    words.pop(at)
    return True if default is None else int(words.pop(at))


def main():
    weir, *words = sys.argv[1:]
    if "--help" in words:
        print(__doc__, end="")
        print("NAME OPTION..., of which `weir bench --help` says more:")
        print(*(f"    {line}" for line, _ in TABLE), sep="\n")
        return 0
    as_json, small = take(words, "--json"), take(words, "--small")
    runs = take(words, "--runs", 1 if small else 5)
    if take(words, "--peers"):
        return run_peers(weir, runs, small, as_json)
    table = TABLE
    if words:
        line = " ".join(words)
        table = [row for row in TABLE if row[0] == line] or [(line, {})]
    failed = False
    for line, aims in table:
        try:
            extra = ["--small"] if small else []
            results = [run_once(weir, line.split() + extra) for _ in range(runs)]
        except (RuntimeError, ValueError) as error:
            print(f"{line}: {error}", file=sys.stderr)
            failed = True
            continue
        if None in results:
            print(f"{line}: cannot be measured here", file=sys.stderr)
            continue
        numbers = numbers_of(results)
        if as_json:
            print_json(line, numbers, aims, runs)
        else:
            print_table(line, numbers, aims)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
