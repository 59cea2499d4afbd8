#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/flow-language.md: every example of a whole flow holds, and every statement of the parser is there.
# Use: flow_language.sh PATH-OF-DUALTONE
set -uo pipefail
dualtone=${1:?path of dualtone}
root=$(cd "$(dirname "$0")/../.." && pwd)
doc=$root/docs/flow-language.md
work=$(mktemp -d "${TMPDIR:-/tmp}/dualtone-doc-XXXXXX")
trap 'rm -rf "$work"' EXIT
awk -v dir="$work" '/^```flow$/ { n++; on = 1; next } /^```/ { on = 0 } on { print > (dir "/" n ".flow") }' "$doc"
examples=0
for flow in "$work"/*.flow; do
    "$dualtone" flow run "$flow" >"$work/out" || { cat "$work/out"; echo "FAILED: an example"; exit 1; }
    examples=$((examples + 1))
done
((examples >= 2)) || { echo "FAILED: no examples in $doc"; exit 1; }
words=$(grep -oE '\{"[a-z]+", (dt__flow_|NULL, false)' "$root/src/flow/parse.c" | cut -d'"' -f2
    grep -oE '\{"[a-z]+", (NULL|"up"), "' "$root/src/flow/parse_steps.c" | grep -oE '[a-z]{3,}')
(($(wc -w <<<"$words") >= 25)) || { echo "FAILED: the parser's tables were not found: $words"; exit 1; }
for word in $words; do
    grep -qE "(\`|\| )(optional |[A-Z] )?$word\b" "$doc" || { echo "FAILED: $doc lacks $word"; exit 1; }
done
echo "ok: $examples examples, $(wc -w <<<"$words") words"
