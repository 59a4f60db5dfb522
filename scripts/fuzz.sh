#!/bin/sh
# Runs every fuzz target of the root module for the time given (10s, 2m, 1000x). By itself Go
# would spend a minute on making one interesting input smaller.
set -eu
GO=${GO:-go}
time=${1:-10s}

# `go test -list` prints the targets of a package and then "ok <package> <time>".
list=$("$GO" test -list '^Fuzz' ./...) || {
	printf '%s\n' "$list" >&2
	exit 1
}
targets=$(printf '%s\n' "$list" | awk '
	/^Fuzz/ { name[++n] = $1 }
	/^ok/   { for (i = 1; i <= n; i++) print $2, name[i]; n = 0 }')

if [ -z "$targets" ]; then
	echo 'fuzz: there are no fuzz targets'
	exit 0
fi
printf '%s\n' "$targets" | while read -r pkg name; do
	echo "== fuzz $name for $time, $pkg"
	"$GO" test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x "$pkg" </dev/null
done
