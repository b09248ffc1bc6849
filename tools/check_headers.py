#!/usr/bin/env python3
"""check_headers.py - every header stands alone, twice, and has a guard named after its path

Public headers are compiled as C11 and as C++11 by whatever CC and CXX name, the others as C11.
Public functions that may change a stack tell of it (weir/call.h): they stand in calls.c.

    check_headers.py [--root FOLDER]
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

FOLDERS = ["include", "core", "format", "drivers", "host", "posix", "replay", "trace", "sim",
           "drill", "cli", "tests", "fuzz", "bench"]
C = [*os.environ.get("CC", "cc").split(), "-x", "c", "-std=c11"]
CXX = [*os.environ.get("CXX", "c++").split(), "-x", "c++", "-std=c++11"]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def guard_of(path):
    """include/weir/tcp.h: WEIR_TCP_H; core/base/be.h: CORE_BASE_BE_H."""
    return re.sub(r"\W", "_", path.removeprefix("include/")).upper()


def compile_twice(root, path, compiler):
    text = f'#include "{path}"\n' * 2 + "typedef int not_empty;\n"
    folders = [f"-I{root / folder}" for folder in ("include", "core", "", "tests")]
    result = subprocess.run([*compiler, *STRICT, "-fsyntax-only", *folders, "-"], cwd=root,
                            input=text, capture_output=True, text=True, check=False)
    return [f"{path} with {compiler[0]}:\n{result.stderr}"] if result.returncode else []


def check_header(root, path):
    public = path.startswith("include/")
    problems = []
    if f"#ifndef {guard_of(path)}\n" not in (root / path).read_text():
        problems.append(f"{path}: the guard is {guard_of(path)}")
    gnu = [] if public or path.startswith("core/") else ["-D_GNU_SOURCE"]
    problems += compile_twice(root, path, C + gnu)
    if public and shutil.which(CXX[0]):
        problems += compile_twice(root, path, CXX)
    return problems


# The hooks themselves change nothing that a stack does.
UNTOLD = {"weir_icmp_set", "weir_trace_set"}
CHANGES = re.compile(r"^WEIR_API [^;(]*?(weir_\w+)\(struct weir \*s\b", re.M)


def check_calls(root):
    """Public functions that may change a stack and go past core/stack/calls.c."""
    calls = root / "core/stack/calls.c"
    if not calls.exists():
        return []
    told = set(re.findall(r"^\w[\w ]* \*?(weir_\w+)\(struct weir \*s\b", calls.read_text(), re.M))
    declared = {name for file in (root / "include").rglob("*.h")
                for name in CHANGES.findall(file.read_text())}
    return [f"{name} changes a stack, but core/stack/calls.c tells nobody"
            for name in sorted(declared - told - UNTOLD)]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--root", type=pathlib.Path,
                         default=pathlib.Path(__file__).resolve().parent.parent)
    root = options.parse_args().root
    headers = sorted(file.relative_to(root).as_posix() for folder in FOLDERS
                     for file in (root / folder).rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda path: check_header(root, path), headers)
    problems = [problem for result in results for problem in result] + check_calls(root)
    for problem in problems:
        print(problem)
    print(f"{len(headers)} headers, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
