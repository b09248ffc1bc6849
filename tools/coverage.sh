#!/bin/sh
# coverage.sh - which share of each file's lines the tests reach, least first, and the whole
set -eu

cd "$(dirname "$0")/.."
tools/build.sh coverage >&2
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage -j "$(nproc)" >&2 || echo "some tests failed" >&2

# gcov prints a file's name, then its share; tests themselves are of no interest.
find build/coverage -path '*layer_*' -name '*.gcda' -print0 |
    xargs -0 -r gcov --no-output --relative-only --source-prefix "$PWD" 2>/dev/null |
    awk -F"[':% ]+" '
        /^File/ { file = $2 }
        /^Lines executed/ && file ~ /\.c$/ {
            printf "%6.1f%%  %5d lines  %s\n", $3, $5, file
            reached += $3 * $5 / 100
            lines += $5
            file = ""
        }
        END { if (lines) printf "%6.1f%%  %5d lines  in all\n", 100 * reached / lines, lines }' |
    sort -n
