#!/usr/bin/env python3
"""check_pure.py - the core needs nothing, keeps nothing and shows nothing but weir_*

The joined object of the core may have only a few undefined symbols and no writable data; the
object and the shared library define no visible name that does not start with weir_.

    check_pure.py OBJECT [SHARED_LIBRARY]    (NM and READELF name the tools for other machines)
"""
import os
import re
import subprocess
import sys

NEEDED = {"memcpy", "memmove", "memset", "memcmp", "strlen"}
# 64-bit division and bit counts on 32-bit machines, position-independent addressing: the
# compiler's own.
COMPILER = re.compile(r"__(u?divdi3|u?moddi3|u?divmoddi4|c[lt]zdi2)$|_GLOBAL_OFFSET_TABLE_$")
# Constant tables of addresses, written once by the loader.
RELOCATED = re.compile(r"\.data\.rel\.ro(\.|$)")


def run(tool, *arguments):
    return subprocess.run([os.environ.get(tool.upper(), tool), *arguments], check=True,
                          capture_output=True, text=True).stdout


def symbols(path, *options):
    """Pairs of kind and name; undefined ones have kind U, w or v."""
    for line in run("nm", *options, path).splitlines():
        words = line.split()
        if len(words) >= 2:
            yield words[-2], words[-1].split("@")[0]


def check_needs(path):
    for kind, name in symbols(path, "--undefined-only"):
        if name not in NEEDED and not COMPILER.match(name):
            yield f"{path}: needs {name}"


def check_data(path):
    section = re.compile(r"\s*\[\s*\d+\]\s+(\S*)\s+(\S+)\s+\S+\s+\S+\s+(\S+)\s+\S+\s+(\S*)\s")
    for line in run("readelf", "--sections", "--wide", path).splitlines():
        found = section.match(line)
        if not found:
            continue
        name, _, size, flags = found.groups()
        if "W" in flags and int(size, 16) and not RELOCATED.match(name):
            yield f"{path}: {name} holds {int(size, 16)} bytes that can be written"
    for kind, name in symbols(path):
        if kind == "C":
            yield f"{path}: {name} is a common variable"


def check_names(path, *options):
    for _, name in symbols(path, "--defined-only", "--extern-only", *options):
        if not name.startswith("weir_") and not name.startswith("__x86.get_pc_thunk"):
            yield f"{path}: shows {name}"


def main():
    if not 2 <= len(sys.argv) <= 3:
        raise SystemExit(__doc__)
    path = sys.argv[1]
    problems = [*check_needs(path), *check_data(path), *check_names(path)]
    if len(sys.argv) == 3:
        problems += check_names(sys.argv[2], "--dynamic")
    for problem in problems:
        print(problem)
    print("the core is not pure" if problems else "the core is pure and closed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
