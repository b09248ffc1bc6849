#!/bin/sh
# What is installed is enough to build a program in C and in C++, with the static and the shared
# library, and a program may have functions named like the library's inner ones.
set -eu

build=${WEIR_BUILD:-$(dirname "$0")/../build/release}
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT

cmake --install "$build" --prefix "$there" >"$there/log"
library=$(dirname "$(find "$there" -name libweir.a)")

cat >"$there/program.c" <<'END'
#include <string.h>
#include <weir/weir.h>
#include <weir/err.h>

int tcp_input(void);
int tcp_input(void)
{
    return 0;
}

int main(void)
{
    return tcp_input() || strlen(weir_err_text(WEIR_EAGAIN)) == 0;
}
END

for language in 'cc -x c' 'c++ -x c++'; do
    command -v "${language%% *}" >/dev/null || continue
    # shellcheck disable=SC2086 # a compiler and its options
    $language -I"$there/include" -c "$there/program.c" -o "$there/program.o"

    "${language%% *}" "$there/program.o" "$library/libweir.a" -o "$there/program"
    "$there/program"
    "${language%% *}" "$there/program.o" -L"$library" -lweir -o "$there/program"
    LD_LIBRARY_PATH=$library "$there/program"
done

if command -v pkg-config >/dev/null; then
    PKG_CONFIG_PATH=$library/pkgconfig pkg-config --exists --print-errors weir
fi
