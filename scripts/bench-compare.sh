#!/bin/sh
# Runs the Go benchmarks of this tree and of another one, main unless BASE says otherwise, in
# turns, and prints what benchstat makes of them:
#
#     scripts/bench-compare.sh 6 'Call' ./call ./section
#
# are six rounds of the benchmarks that match Call, in two packages. The other tree is checked
# out in a temporary directory, which is removed.
set -eu
GO=${GO:-go}
BASE=${BASE:-main}
[ $# -ge 3 ] || { echo "usage: $0 ROUNDS REGEXP PACKAGE..." >&2; exit 2; }
rounds=$1 bench=$2
shift 2

cd "$(dirname "$0")/.."
here=$(pwd -P)
dir=$(mktemp -d)
end() {
	git worktree remove --force "$dir/base" 2>/dev/null || true
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
git worktree add --quiet --detach "$dir/base" "$BASE"
"$GO" build -buildvcs=false -modfile=tools/go.mod -o "$dir/benchstat" golang.org/x/perf/cmd/benchstat

# round TREE FILE PACKAGE...: one round of one tree.
round() {
	tree=$1 file=$2
	shift 2
	(cd "$tree" && "$GO" test -run '^$' -bench "$bench" -benchmem -count=1 "$@") >>"$file" 2>"$dir/said" || {
		cat "$file" "$dir/said" >&2
		exit 1
	}
}

i=1
while [ "$i" -le "$rounds" ]; do
	echo "round $i of $rounds" >&2
	# Each round begins with the other tree, so that neither always follows.
	if [ $((i % 2)) = 1 ]; then
		round "$dir/base" "$dir/base.txt" "$@"
		round "$here" "$dir/here.txt" "$@"
	else
		round "$here" "$dir/here.txt" "$@"
		round "$dir/base" "$dir/base.txt" "$@"
	fi
	i=$((i + 1))
done
"$dir/benchstat" "$BASE=$dir/base.txt" "here=$dir/here.txt"
