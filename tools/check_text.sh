#!/bin/sh
# check_text.sh - no file names a path of somebody's machine, leaves something for later or has
# blanks at the end of a line
#
#   check_text.sh [FOLDER]
set -u

cd "${1:-$(dirname "$0")/..}" || exit 2
failed=0

# refuse WHAT PATTERN: no text file but the generated ones may hold the pattern.
refuse() {
    if grep -rnIE --exclude-dir=.git --exclude-dir=build --exclude-dir=corpus --exclude='*.patch' \
        -e "$2" .; then
        echo "$1"
        failed=1
    fi
}

# The brackets keep this file from finding itself.
refuse "a path of one machine" '/hom[e]/[a-z]|/roo[t]/|/wor[k]/'
refuse "something left for later" '\b(TOD[O]|FIXM[E]|XX[X])\b'
refuse "blanks at the end of a line" '[^[:blank:]][[:blank:]]+$'
exit $failed
