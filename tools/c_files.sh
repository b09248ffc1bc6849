#!/bin/sh
# c_files.sh - lists the C files that clang-format settles
cd "$(dirname "$0")/.." || exit 2
find include core format drivers host posix preload trace sim drill cli tests fuzz bench examples \
    tools -name '*.[ch]' 2>/dev/null | sort
