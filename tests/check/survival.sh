#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/survival.md: its ladders are what the tool draws, and its table names every survive flow with the
# bound that the flow holds. Use: survival.sh PATH-OF-DUALTONE [--write]
set -uo pipefail
dualtone=${1:?path of dualtone}
root=$(cd "$(dirname "$0")/../.." && pwd)
doc=$root/docs/survival.md
work=$(mktemp -d "${TMPDIR:-/tmp}/dualtone-doc-XXXXXX")
trap 'rm -rf "$work"' EXIT

# Without the quiet time behind it: up to the line where the last phone is idle again.
draw() { "$dualtone" flow run "$1" | sed -n '/^step/,/^flow/p' | sed '/^flow/d; /^ *1[0-9][0-9]\.\|^[0-9-]* *1[0-9][0-9]\./,$d' | sed '/^$/d'; }

flow=""
while IFS= read -r line; do
    if [[ $line == '```ladder '* ]]; then
        flow=${line#'```ladder '}
        printf '%s\n' "$line"
        draw "$flow"
    elif [[ $line == '```' && -n $flow ]]; then
        flow=""
        printf '%s\n' "$line"
    elif [[ -z $flow ]]; then
        printf '%s\n' "$line"
    fi
done <"$doc" >"$work/doc"
if [[ ${2:-} == --write ]]; then
    cp "$work/doc" "$doc"
    exit
fi
diff -u "$doc" "$work/doc" || { echo "FAILED: the ladders of $doc are not what is drawn; run $0 PROGRAM --write"; exit 1; }
(($(grep -c '^```ladder ' "$doc") >= 3)) || { echo "FAILED: no ladders in $doc"; exit 1; }
for file in "$root"/flows/survive-*.flow; do
    name=$(basename "$file" .flow)
    row=$(grep -F "| \`$name\` |" "$doc") || { echo "FAILED: $doc lacks $name"; exit 1; }
    for bound in $(sed -nE 's/.* within ([0-9.]+).*/\1/p' "$file" | sort -u); do
        ms=$(awk "BEGIN { printf \"%d\", $bound * 1000 }")
        grep -qE "(^|[^0-9.])($bound s|$ms ms)" <<<"$row" && continue 2
    done
    echo "FAILED: the bound of $name in $doc is not the one that the flow holds: $row"
    exit 1
done
flows=("$root"/flows/survive-*.flow)
((${#flows[@]} >= 7)) || { echo "FAILED: only ${#flows[@]} survive flows"; exit 1; }
echo "ok: ${#flows[@]} flows"
