#!/usr/bin/env python3
"""bench_budget.py - how many instructions the hot paths take, against what they took before

    bench_budget.py WEIR [--update]

Counts with callgrind what a unit of work (a segment, a round trip, a connection) costs in Weir's own
code, as the difference between runs of two lengths. Without AVX, so that machines agree; another
compiler makes other code, so its counts are not compared. bench/budget.json holds what is allowed;
2 % more fails. After a change that is worth its price, --update writes the new counts.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

FILE = os.path.join(os.path.dirname(__file__), "..", "bench", "budget.json")
TOLERANCE = 1.02

SEGMENTS = (1 << 22) / 1448  # in a little work of bulk
WORK = {  # units in a little work; what is run to warm up is a part of it
    "bulk": SEGMENTS * 17 / 16,
    "bulk --plain-read": SEGMENTS * 17 / 16,
    "bulk --ipv6": (1 << 22) / 1428 * 17 / 16,
    "bulk --ack-every 2": SEGMENTS * 17 / 16,
    "bulk --gso": SEGMENTS * 17 / 16,
    "bulk --loss 0.5%": SEGMENTS * 17 / 16,
    "rr": 1000 * 11 / 10,
    "conns": 1000 * 21 / 20,
    "conns --at-a-time 64": 1000 * 21 / 20,
    "syn": 4096,  # with making them and reading the answers
}
TIMES = (1, 3)


def own_instructions(path, program):
    """The instructions executed in the program itself, not in the C library."""
    total, is_own, names, skip = 0, False, {}, False
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith(("ob=", "cob=")):
                kind, number, name = re.match(r"(c?ob)=(\(\d+\))(?: (.*))?", line.strip()).groups()
                if name:
                    names[number] = name
                if kind == "ob":
                    is_own = names[number] == program
            elif line.startswith("calls="):
                skip = True  # the next line is the cost of the call, counted where it is made
            elif line[0] in "+-*0123456789":
                if not skip and is_own:
                    total += int(line.split()[1])
                skip = False
    return total


def count(weir, line, times):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", weir, "bench",
             *line.split(), "--portable", "--alone", "--times", str(times)],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return own_instructions(out.name, os.path.realpath(weir))


def measure(weir):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = {(line, times): pool.submit(count, weir, line, times)
                  for line in WORK for times in TIMES}
        return {line: round((counts[line, TIMES[1]].result() - counts[line, TIMES[0]].result())
                            / (units * (TIMES[1] - TIMES[0])), 1)
                for line, units in WORK.items()}


def compiler_of(weir):
    comment = subprocess.run(["readelf", "-p", ".comment", weir], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return sorted(set(re.findall(r"\]\s+(.*)", comment)))[0]


def main():
    weir, update = sys.argv[1], "--update" in sys.argv
    compiler, counts = compiler_of(weir), measure(weir)
    if update:
        with open(FILE, "w", encoding="utf-8") as out:
            json.dump({"compiler": compiler, "instructions": counts}, out, indent=4)
            out.write("\n")
        return 0
    with open(FILE, encoding="utf-8") as given:
        budget = json.load(given)
    is_same = budget["compiler"] == compiler
    failed = False
    for line, instructions in counts.items():
        allowed = budget["instructions"].get(line, 0)
        too_much = instructions > allowed * TOLERANCE
        failed = failed or too_much
        print(f"{line:24} {instructions:10.1f}  allowed {allowed:10.1f}"
              f"{'  TOO MUCH' if too_much and is_same else ''}")
    if not is_same:
        print(f"The budget is of {budget['compiler']}, this is {compiler}: not compared.")
    elif failed:
        print("If that is worth its price: tools/bench_budget.py build/release/weir --update")
    return 1 if failed and is_same else 0


if __name__ == "__main__":
    sys.exit(main())
