#!/usr/bin/env python3
"""check_layers.py - who includes whom, against the block in docs/ARCHITECTURE.md

A quoted include is "folder/file.h" and reaches the file's own layer or one listed for it; the
core and its interface include no system header but those listed.

    check_layers.py [--root FOLDER]
"""
import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(.*?)\s*(?://.*|/\*.*)?$')
# Where a quoted include is looked up: the folders given to the compiler.
ROOTS = ["core", "", "tests"]


class Rules:
    def __init__(self, text):
        block = re.search(r"^```layers\n(.*?)^```", text, re.S | re.M)
        if not block:
            raise SystemExit("docs/ARCHITECTURE.md has no layers block")
        self.path = {}     # layer: folder or file
        self.allowed = {}  # layer: layers it may include
        self.system = {}   # layer: system headers it may include, if restricted
        for line in block.group(1).splitlines():
            words = line.split("#")[0].replace(":", " : ").split()
            if not words:
                continue
            if words[0] == "layer":
                self.path[words[1]] = words[2]
                self.allowed[words[1]] = set(words[3:]) | {words[1]}
            elif words[0] == "system":
                colon = words.index(":")
                for layer in words[1:colon]:
                    self.system[layer] = set(words[colon + 1:])
            else:
                raise SystemExit(f"layers block: what is '{line}'?")
        for layer, others in self.allowed.items():
            for other in others - set(self.path) - {"*"}:
                raise SystemExit(f"layers block: {layer} may include {other}, which is no layer")

    def layer_of(self, path):
        """The layer with the longest path that contains the file."""
        found = [(len(place), layer) for layer, place in self.path.items()
                 if path == place or path.startswith(place + "/")]
        return max(found)[1] if found else None


def check_include(rules, root, path, layer, what):
    """What is wrong with one include, or None."""
    if what.startswith("<"):
        name = what.strip("<>")
        if not name.startswith("weir/"):
            listed = rules.system.get(layer)
            if listed is not None and name not in listed:
                return f"{what}: not one of the system headers the core may use"
            return None
        target = f"include/{name}"
        if not (root / target).exists():
            return f"{what}: no such header"
    elif what.startswith('"'):
        name = what.strip('"')
        if "/" not in name:
            return f"{what}: a quoted include is \"folder/file.h\""
        targets = [f"{place}/{name}".lstrip("/") for place in ROOTS]
        targets = [t for t in targets if (root / t).exists() and (rules.layer_of(t))]
        if not targets:
            return f"{what}: no such file in any layer"
        target = targets[0]
    else:
        return f"{what}: an include names its file"
    reached = rules.layer_of(target)
    if reached not in rules.allowed[layer] and "*" not in rules.allowed[layer]:
        return f"{what}: {layer} may not include {reached}"
    return None


def check_tree(root):
    rules = Rules((root / "docs/ARCHITECTURE.md").read_text())
    problems, count = [], 0
    for place in sorted(set(rules.path.values())):
        folder = root / place
        files = [folder] if folder.is_file() else sorted(folder.rglob("*.[ch]"))
        for file in files:
            path = file.relative_to(root).as_posix()
            layer = rules.layer_of(path)
            if layer != rules.layer_of(place) or (rules.path[layer] != place):
                continue  # a more particular layer's file, seen there
            count += 1
            for number, line in enumerate(file.read_text().splitlines(), 1):
                include = INCLUDE.match(line)
                wrong = include and check_include(rules, root, path, layer, include.group(1))
                if wrong:
                    problems.append(f"{path}:{number}: {wrong}")
    return problems, count


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--root", type=pathlib.Path,
                         default=pathlib.Path(__file__).resolve().parent.parent)
    problems, count = check_tree(options.parse_args().root)
    for problem in problems:
        print(problem)
    print(f"{count} files, {len(problems)} includes across the layers' borders")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
