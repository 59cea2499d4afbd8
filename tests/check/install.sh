#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# install.sh PROGRAM: what `make install` puts in place runs from there, with a page for each command.
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
"$(dirname "$0")/../../tools/install" "$1" "$here"
"$here/bin/dualtone" flow check 4.2
for command in $("$here/bin/dualtone" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p') ""; do
    grep -q '^\.SH SYNOPSIS' "$here/share/man/man1/dualtone${command:+-$command}.1"
done
[ -s "$here/share/man/man1/dualtone-proxy.1" ]
