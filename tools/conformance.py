#!/usr/bin/env python3
"""conformance.py - writes docs/conformance.md: each requirement, its code and its tests

The requirements are the table in docs/requirements/rfc9293.md. Citations stand in comments:
[RFC9293 MUST-40], [RFC9293 MUST-14, MUST-65], [RFC9293 SHLD-6 to SHLD-9]; in core/ they say where
a requirement is met, in tests/ which test shows it. docs/deviations.md has a table whose rows
begin with the requirement that Weir does not follow.

    conformance.py            writes docs/conformance.md
    conformance.py --check    fails if a MUST or SHLD has neither code and test nor a deviation,
                              if a citation is unknown, or if docs/conformance.md is out of date
"""
import argparse
import pathlib
import re
import sys

CITATION = re.compile(r"\[RFC\s?9293\b([^\]]*)\]")
NAMES = re.compile(r"\b(MUST|SHLD|MAY|REC)-(\d+)(?:\s*(?:to|\.\.|–)\s*(?:\1-)?(\d+))?")
FUNCTION = re.compile(r"^[A-Za-z_][^;={]*?\b(\w+)\(")
TEST = re.compile(r"^TEST\((\w+)\)")
OBLIGATIONS = {"MUST": "MUST", "SHLD": "SHOULD", "MAY": "MAY", "REC": "recommended"}
SCRIPTS = {".pkt", ".sh", ".py"}


def names_in(text):
    """The requirements a piece of text names; ranges are spelled out."""
    for kind, first, last in NAMES.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{kind}-{number}"


def read_requirements(root):
    text = (root / "docs/requirements/rfc9293.md").read_text()
    rows = re.findall(r"^\| ((?:MUST|SHLD|MAY|REC)-\d+) \| (.*?) \|$", text, re.M)
    return dict(rows)


def read_deviations(root):
    """Requirement: what Weir does instead."""
    deviations = {}
    file = root / "docs/deviations.md"
    for line in file.read_text().splitlines() if file.exists() else []:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 3:
            for name in names_in(cells[0]):
                deviations[name] = cells[1]
    return deviations


def functions_by_line(lines):
    """For each line the function or test it belongs to: its body or the comment before it."""
    owner = [None] * len(lines)
    start = name = None
    for i, line in enumerate(lines):
        test, function = TEST.match(line), FUNCTION.match(line)
        if test:
            start, name = i, test.group(1)
        elif function and start is None:
            start, name = i, function.group(1)
        if line.startswith("}") and start is not None:
            owner[start:i + 1] = [name] * (i + 1 - start)
            own_comment(lines, owner, start, name)
            start = None
        elif start is not None and line.rstrip().endswith(";") and "{" not in "".join(
                lines[start:i + 1]):
            start = None  # a declaration
    return owner


def own_comment(lines, owner, start, name):
    i = start - 1
    if i < 0 or not lines[i].rstrip().endswith("*/"):
        return
    while i >= 0 and owner[i] is None:
        owner[i] = name
        if lines[i].lstrip().startswith("/*"):
            return
        i -= 1


def citations_of(file):
    """Pairs of requirement and the function, test or None that cites it."""
    text = file.read_text(errors="replace")
    owner = functions_by_line(text.splitlines()) if file.suffix in {".c", ".h"} else None
    for found in CITATION.finditer(text):
        line = text.count("\n", 0, found.start())
        for name in names_in(found.group(1)):
            yield name, owner[line] if owner else None


def scan(root, folder, suffixes):
    """Requirement: places that cite it, each once, in the order of their paths."""
    places = {}
    for file in sorted((root / folder).rglob("*")):
        if file.suffix not in suffixes or "tools" in file.relative_to(root).parts:
            continue
        path = file.relative_to(root).as_posix()
        for name, owner in citations_of(file):
            cited = places.setdefault(name, {})
            cited.setdefault(f"`{path}`" + (f" {owner}" if owner else ""), None)
    return {name: list(cited) for name, cited in places.items()}


def state_of(name, code, tests, deviations):
    if name in deviations:
        return "deviation"
    if name in code and name in tests:
        return "met"
    if name.split("-")[0] in {"MAY", "REC"}:
        return "met" if name in code else "not offered"
    return "open"


def render(requirements, code, tests, deviations):
    out = ["# Conformance to RFC 9293", "",
           "Written by `tools/conformance.py` from the citations in the code and the tests; edit",
           "those. Departures and their reasons stand in [deviations.md](deviations.md).", ""]
    out += ["| | requirements | met and tested | deviation | not offered | open |",
            "| --- | --- | --- | --- | --- | --- |"]
    states = {name: state_of(name, code, tests, deviations) for name in requirements}
    for kind, word in OBLIGATIONS.items():
        mine = [state for name, state in states.items() if name.startswith(kind + "-")]
        out.append(f"| {word} | {len(mine)} | " + " | ".join(
            str(mine.count(state)) for state in ("met", "deviation", "not offered", "open")) + " |")
    out += ["", "| requirement | what it asks | code | tests |", "| --- | --- | --- | --- |"]
    for name, asks in requirements.items():
        where = code.get(name, [])
        if name in deviations:
            where = [f"*deviation*: {deviations[name]}", *where]
        elif states[name] == "not offered":
            where = ["*not offered*"]
        out.append(f"| {name} | {asks} | {'<br>'.join(where)} | "
                   f"{'<br>'.join(tests.get(name, []))} |")
    return "\n".join(out) + "\n"


def check(root, requirements, code, tests, deviations):
    for name in requirements:
        if state_of(name, code, tests, deviations) == "open":
            lacks = [word for word, where in (("code", code), ("test", tests)) if name not in where]
            yield f"{name} ({requirements[name]}): no {' and no '.join(lacks)}"
    for places in (code, tests, deviations):
        for name in sorted(set(places) - set(requirements)):
            yield f"{name}: no such requirement, cited in {places[name]}"
    file = root / "docs/conformance.md"
    if not file.exists() or file.read_text() != render(requirements, code, tests, deviations):
        yield "docs/conformance.md is out of date: run tools/conformance.py"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--check", action="store_true")
    options.add_argument("--root", type=pathlib.Path,
                         default=pathlib.Path(__file__).resolve().parent.parent)
    chosen = options.parse_args()
    root = chosen.root
    requirements = read_requirements(root)
    code = scan(root, "core", {".c", ".h"})
    tests = scan(root, "tests", {".c", ".h"} | SCRIPTS)
    deviations = read_deviations(root)
    if not chosen.check:
        (root / "docs/conformance.md").write_text(render(requirements, code, tests, deviations))
        return 0
    problems = list(check(root, requirements, code, tests, deviations))
    for problem in problems:
        print(problem)
    print(f"{len(requirements)} requirements, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
