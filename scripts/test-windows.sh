#!/bin/sh
# Runs Windows tests under Wine: go test with the flags that this needs, and the
# arguments given.
#
#     scripts/test-windows.sh ./winmsg -run TestInvoke -v
#
# On Windows itself, plain go test does.
set -eu
GO=${GO:-go}
here=$(cd "$(dirname "$0")" && pwd)
overlay=$(mktemp -d)
trap 'rm -rf "$overlay"' EXIT

# os.RemoveAll asks for a way to delete files that Wine 8 does not have. Go tries another
# way if the system says so; Wine says it in another word than Windows does
# (STATUS_NOT_IMPLEMENTED). The tests' standard library knows that word too.
file=$("$GO" env GOROOT)/src/internal/syscall/windows/at_windows.go
sed 's/case STATUS_INVALID_INFO_CLASS,/case NTStatus(0xC0000002), STATUS_INVALID_INFO_CLASS,/' "$file" >"$overlay/at_windows.go"
printf '{"Replace":{"%s":"%s/at_windows.go"}}\n' "$file" "$overlay" >"$overlay/overlay.json"

GOOS=windows GOARCH=amd64 CGO_ENABLED=0 "$GO" test -overlay "$overlay/overlay.json" -exec "$here/wine.sh" "$@"
