#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Each deliberate fault of tests/planted still finds its place in the sources, exactly once; and where one does not,
# tests/planted/apply.cmake says which. Nothing is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$1" >&2
    exit 1
}

out=$(cmake -P tests/planted/apply.cmake 2>&1) || fail "$out"
[[ $out == *"30 faults, 0 without a place"* ]] || fail "$out"

# It must be able to fail: NAME, what it says, what the fault looks for.
mkdir -p "$dir/src/base"
printf 'int one;\nint two;\nint two;\n' >"$dir/src/base/a.c"
refused() {
    printf 'what: w\nbreaks: b\nfile: %s\n--- find\n%s\n--- put\n%s--- end\n' "$3" "$4" "$5" >"$dir/$1.fault"
    if out=$(cd "$dir" && cmake "-DDIR=$dir" "-DROOT=$dir" -P "$here/tests/planted/apply.cmake" 2>&1); then
        fail "$1 was taken: $out"
    fi
    [[ $out == *"$1.fault: $2"* ]] || fail "$1: $out"
    rm "$dir/$1.fault"
}
refused absent "what it looks for is not in src/base/a.c" src/base/a.c 'int three;' ''
refused twice "what it looks for is in src/base/a.c more than once" src/base/a.c 'int two;' ''
refused same "it changes nothing" src/base/a.c 'int one;' $'int one;\n'
refused nowhere "there is no src/base/b.c" src/base/b.c 'int one;' ''
refused outside "it begins with the lines" ../a.c 'int one;' ''
