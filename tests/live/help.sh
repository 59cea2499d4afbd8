#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# --help of each command works, its manual page renders without a complaint, and both name each option.
source "$(dirname "$0")/../interop/lib.sh"
try 0 '^dualtone [0-9]' "$dualtone" --version
for ask in --help -h help; do try 0 '^use: dualtone COMMAND' "$dualtone" "$ask"; done
commands=$(sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' <<<"$said")
[[ $(wc -w <<<"$commands") == 8 ]] || fail "these commands are listed: $commands"
try 0 '^\.TH DUALTONE 1' "$dualtone" man
overview=$said
for command in $commands; do
    try 0 "^use: dualtone $command " "$dualtone" help "$command"
    help=$said
    try 0 "^use: dualtone $command " "$dualtone" "$command" -h
    try 0 "^use: dualtone $command " "$dualtone" "$command" --help
    [[ $said == "$help" ]] || fail "help $command and $command --help differ"
    ((${#said} > 200)) || fail "the help of $command is short"
    awk 'length > 110 { bad = 1 } END { exit bad }' <<<"$said" || fail "the help of $command has long lines"
    try 0 "^\.TH DUALTONE.-$command 1" "$dualtone" man "$command"
    page=$said
    grep -q "^\.B $command$" <<<"$overview" || fail "the overview lacks $command"
    # Each option of the help, in either spelling, is in the page; "lineN_name" has an N.
    options=$(grep -oE '^  --[A-Za-z0-9_-]+' <<<"$help" | tr -d ' ')
    unused=$(sed -n '/without effect yet:$/,$p' <<<"$help" | tail -n +2)
    ((${#options} > 0)) || fail "the help of $command has no options"
    plain=$(tr -d '\\' <<<"$page" | tr - _)
    for option in $options $unused; do
        name=$(tr - _ <<<"${option#--}")
        grep -qE "^\.B (__)?$name$" <<<"$plain" || fail "the manual page of $command lacks $option"
    done
    if command -v groff >/dev/null; then
        groff -man -Tutf8 -ww <<<"$page" >"$work/page" 2>"$work/complaints" || fail "groff: $command"
        [[ -s $work/page && ! -s $work/complaints ]] || fail "groff: $(cat "$work/complaints")"
    fi
    if command -v man >/dev/null; then
        MANWIDTH=100 man -l - <<<"$page" 2>&1 | grep -q '^EXIT STATUS' || fail "man cannot show $command"
    fi
done
for option in timer_t1 proxyN_address line_domain sip_tcp; do
    try 0 "^\.B $option$" "$dualtone" man phone
done
echo "ok: help and manual pages"
