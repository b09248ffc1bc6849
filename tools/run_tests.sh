#!/usr/bin/env bash
# run_tests.sh - the stages of ./dev test and ./dev lint, one line each
#
#   run_tests.sh test|lint
#
# A stage is a command: 0 is passed, 77 is skipped (its last line says why; a failure when
# CI=true), the rest is failed. Output goes to build/log/STAGE.log and is shown on failure. A stage
# whose folder does not exist yet is absent.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
export WEIR_SOURCE=$PWD PATH=$PATH:/usr/sbin:/sbin
log=build/log
results=$log/results

# ---- how stages are run and counted ----

stage() {
    local name=$1 file code
    file=$log/${name//\//-}.log
    shift
    local begin=$EPOCHREALTIME
    "$@" >"$file" 2>&1 </dev/null
    code=$?
    local tenths=$(((${EPOCHREALTIME/[.,]/} - ${begin/[.,]/}) / 100000))
    local time="$((tenths / 10)).$((tenths % 10))s"
    if [ $code = 0 ]; then
        echo "ok $name" >>"$results"
        printf 'ok    %8s  %s\n' "$time" "$name"
    elif [ $code = 77 ] && [ "${CI:-}" != true ]; then
        printf 'skip  %8s  %s: %s\n' "$time" "$name" "$(tail -n 1 "$file")"
    else
        echo "FAIL $name" >>"$results"
        printf 'FAIL  %8s  %s\n%s\n' "$time" "$name" "$(tail -n 100 "$file" | sed 's/^/    | /')"
    fi
    return $code
}

# Those that keep one processor busy, as many at a time as there are.
stage_beside() {
    stage_among "$(nproc)" "$@"
}

# Those that wait a good part of their time: one more.
stage_waiting() {
    stage_among $(($(nproc) + 1)) "$@"
}

stage_among() {
    while [ "$(jobs -rp | wc -l)" -ge "$1" ]; do
        wait -n
    done
    stage "${@:2}" &
}

skip() {
    echo "$*"
    return 77
}

# Is there a file of this name or pattern?
any() {
    compgen -G "$1" >/dev/null
}

# The unit tests there are among the named, as targets of the build.
unit_targets() {
    local name
    for name in "$@"; do
        ! any "tests/unit/$name/*.c" || echo "unit_$name"
    done
}

shell_files() {
    echo dev
    echo .ci/run
    find tools tests -name '*.sh' | sort
}

# ---- stages ----

# What runs programs waits for them, hence one more than there are processors.
run_ctest() {
    ctest --test-dir "build/$1" --output-on-failure -j $(($(nproc) + 1)) "${@:2}"
}

check_format() {
    command -v clang-format >/dev/null || skip "clang-format is missing" || return
    tools/c_files.sh | xargs clang-format --dry-run -Werror
}

check_shell() {
    command -v shellcheck >/dev/null || skip "shellcheck is missing" || return
    shell_files | xargs shellcheck
}

check_tidy() {
    command -v clang-tidy >/dev/null || skip "clang-tidy is missing" || return
    find core -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 8 tools/tidy.sh
}

# The mistakes that tests/sim/planted.sh plants still have their places.
check_planted() {
    local patch code=0
    for patch in tests/sim/planted/*.patch; do
        git apply --check "$patch" || code=1
    done
    return $code
}

check_pure() {
    tools/build.sh release --target weir_static --target weir_shared &&
        tools/check_pure.py build/release/weir.o build/release/libweir.so
}

# Another compiler or machine: the core builds and is pure, its unit tests pass.
inner_tests='base|wire|cc|tcp|udp|ip|stack|format|replay|trace|sim|drill'
other_machine() {
    local preset=$1 recording=$log/recording-$1 targets
    mapfile -t targets < <(unit_targets ${inner_tests//|/ })
    # What this machine records is replayed there.
    WEIR_TEST_RECORD=$recording build/debug/unit_replay >/dev/null 2>&1 || return
    tools/build.sh "$preset" --target weir_object "${targets[@]}" &&
        tools/check_pure.py "build/$preset/weir.o" &&
        WEIR_TEST_REPLAY=$recording run_ctest "$preset" -R "^unit_($inner_tests)\$"
}

with_clang() {
    command -v clang >/dev/null || skip "clang is missing" || return
    tools/build.sh clang --target weir_shared && tools/check_pure.py build/clang/weir.o
}

with_32_bits() {
    echo 'int main(void) { return 0; }' | gcc -m32 -x c -o "$log/m32" - && "$log/m32" ||
        skip "gcc -m32 does not make programs that run here (package gcc-N-multilib)" || return
    other_machine m32
}

with_big_endian() {
    command -v s390x-linux-gnu-gcc >/dev/null && command -v qemu-s390x >/dev/null ||
        skip "gcc-s390x-linux-gnu or qemu-user is missing" || return
    WEIR_TEST_EMULATED=1 NM=s390x-linux-gnu-nm other_machine s390x
}

threaded_tests='host|posix|preload'
with_threads() {
    local targets
    mapfile -t targets < <(unit_targets ${threaded_tests//|/ })
    tools/build.sh tsan --target "${targets[@]}" && run_ctest tsan -R "^unit_($threaded_tests)\$"
}

fuzz_target() {
    command -v clang >/dev/null || skip "clang is missing" || return
    tools/run_fuzz.sh "$1" 3 built
}

build_fuzz() {
    local file targets=()
    command -v clang >/dev/null || skip "clang is missing" || return
    for file in fuzz/fuzz_*.c; do
        targets+=("$(basename "$file" .c)")
    done
    tools/build.sh fuzz --target "${targets[@]}"
}

# They run; how fast is not a matter of passing.
run_benchmarks() {
    tools/bench.py build/release/weir --small
}

count_instructions() {
    command -v valgrind >/dev/null || skip "valgrind is missing" || return
    tools/bench_budget.py build/release/weir
}

interop() {
    WEIR_BUILD=$PWD/build/release timeout --kill-after=10 600 "$1"
}

sim_random() {
    build/release/weir sim --random --seeds 3000 --keep "$log"
}

# ---- the two runs ----

lint() {
    stage_beside headers tools/check_headers.py
    stage_beside shell check_shell
    stage_beside tools tests/tools/test_tools.py
    stage_beside format check_format
    stage_beside layers tools/check_layers.py
    stage_beside text tools/check_text.sh
    stage_beside planted check_planted
    wait
    ! any 'core/*/*.c' || stage pure check_pure
    ! any 'core/*/*.c' || stage tidy check_tidy
}

test_all() {
    local file
    lint
    stage conformance tools/conformance.py --check
    stage build-release tools/build.sh release
    stage build-debug tools/build.sh debug
    stage tests-debug run_ctest debug
    stage_beside big-endian with_big_endian
    stage_beside tests-release run_ctest release
    ! any 'core/*/*.c' || stage_beside install tests/install.sh
    ! any 'bench/*.c' || stage_beside benchmarks run_benchmarks
    ! any 'bench/*.c' || stage_beside instructions count_instructions
    stage_beside sim/random sim_random
    stage_beside sim/laws tests/sim/laws.py
    # Each builds, and then some of them wait for a few long tests.
    ! any 'core/*/*.c' || stage_beside size tools/size.sh -b
    stage_beside clang with_clang
    stage_beside 32-bit with_32_bits
    [ -z "$(unit_targets ${threaded_tests//|/ })" ] || stage_beside threads with_threads
    stage_beside build-fuzz build_fuzz
    wait
    stage sim/same-bytes tests/sim/same_bytes.sh # of what all of them built
    for file in fuzz/*.c; do
        grep -qs LLVMFuzzerTestOneInput "$file" || continue
        file=$(basename "$file" .c)
        stage_beside "fuzz/${file#fuzz_}" fuzz_target "${file#fuzz_}"
    done
    wait
    # Each has namespaces of its own, and waits more than it works. The longest begin.
    for file in trouble streams http; do
        stage_waiting "interop/$file" interop "tests/interop/$file.sh"
    done
    for file in tests/interop/*.sh; do
        case $file in
        */trouble.sh | */streams.sh | */http.sh | */scripts.sh) continue ;;
        esac
        [ ! -x "$file" ] || stage_waiting "interop/$(basename "$file" .sh)" interop "$file"
    done
    wait
    # What it says of times is of real ones: nothing runs beside it.
    stage interop/scripts interop tests/interop/scripts.sh
}

mkdir -p "$log"
: >"$results"
case ${1:-} in
lint) lint ;;
test) test_all ;;
*) echo "usage: run_tests.sh test|lint" >&2 && exit 2 ;;
esac

passed=$(grep -c '^ok' "$results")
failed=$(grep -c '^FAIL' "$results")
[ "$failed" = 0 ] ||
    printf '\nfailed: %s (logs in %s)\n' "$(sed -n 's/^FAIL //p' "$results" | xargs)" "$log"
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
