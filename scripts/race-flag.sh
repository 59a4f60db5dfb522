#!/bin/sh
# Prints -race where the race detector works, and nothing where it does not;
# says on standard error which of the two it is, and why. A program is built and
# run, because a compiler on PATH may lack its headers and a kernel may refuse
# the detector's memory map.
set -u
GO=${GO:-go}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
printf 'package main\n\nfunc main() {}\n' >"$dir/main.go"

if why=$(cd "$dir" && "$GO" build -race -o racy main.go 2>&1 && ./racy 2>&1); then
	echo '-race'
	echo 'race detector: on' >&2
else
	echo 'race detector: OFF, the tests run without it; it said:' >&2
	printf '%s\n' "$why" | sed 's/^/    /' >&2
fi
