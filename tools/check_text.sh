#!/bin/sh
# check_text.sh - tracked files name no path of somebody's machine and leave nothing for later
#
#   check_text.sh [FOLDER]
set -eu

cd "${1:-$(dirname "$0")/..}"
failed=0

# The brackets keep this file from finding itself.
if git grep -nIE '/hom[e]/[a-z]|/roo[t]/|/wor[k]/' -- . ':!fuzz/corpus'; then
    echo "a path of one machine"
    failed=1
fi
if git grep -nIE '\b(TOD[O]|FIXM[E]|XX[X])\b' -- '*.[ch]' '*.py' '*.sh' '*.cmake' dev; then
    echo "something left for later"
    failed=1
fi
if git grep -nIE '[[:blank:]]+$' -- '*.[ch]' '*.py' '*.sh' '*.cmake' '*.md' dev; then
    echo "blanks at the end of a line"
    failed=1
fi
exit $failed
