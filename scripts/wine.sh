#!/bin/bash
# Runs one Windows program under Wine, on a virtual display and in a Wine prefix of the
# project's own. It serves as the -exec program of go test:
#
#     GOOS=windows go test -exec "$PWD/scripts/wine.sh" ./winmsg
#
# One run at a time has the prefix, so that no test sees another's windows; nothing
# of a run is left when it has ended. The prefix and the C programs that tests talk to
# (every testdata/*.c of this repository, and none in a folder below; the program finds
# them in the directory PARTYWALL_C_PEERS) are made at first use, and kept in PARTYWALL_WINE, or else in
# partywall-wine in the user's cache directory. A C program is made again when its source
# is newer.
set -euo pipefail

fail() {
	echo "wine.sh: $*" >&2
	exit 125
}

[ $# -gt 0 ] || fail 'usage: wine.sh PROGRAM.exe [ARGUMENT...]'
wine=$(command -v wine64 || command -v /usr/lib/wine/wine64 || command -v wine) || fail 'Wine is missing; scripts/install-test-needs.sh installs it'
for need in wineserver Xvfb flock x86_64-w64-mingw32-gcc; do
	command -v "$need" >/dev/null || fail "$need is missing; scripts/install-test-needs.sh installs it"
done

home=${PARTYWALL_WINE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/partywall-wine}
mkdir -p "$home"
exec 9>"$home/lock"
flock 9

export WINEPREFIX=$home/prefix WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all}
# No Mono and no Gecko: nothing here needs them, and Wine would ask for them.
export WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS

# The display. Xvfb says which one is free.
display=$(mktemp -u "$home/display.XXXXXX")
mkfifo "$display"
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>"$display" >"$home/xvfb.log" 2>&1 9>&- &
xvfb=$!
end() {
	wineserver -k 9>&- || true
	wineserver -w 9>&- || true
	kill "$xvfb" 2>/dev/null || true
	wait "$xvfb" 2>/dev/null || true
	rm -f "$display"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
read -r number <"$display" || fail "no display: $(cat "$home/xvfb.log")"
export DISPLAY=:$number
unset XAUTHORITY

# The prefix. Wine before version 9 lacks a DLL that Go's runtime needs; one that
# forwards to the same function elsewhere will do.
version="$("$wine" --version), unmanaged windows"
if [ "$(cat "$home/made" 2>/dev/null)" != "$version" ]; then
	echo "wine.sh: making a prefix for $version in $home" >&2
	rm -rf "$WINEPREFIX"
	"$wine" wineboot --init 9>&- >"$home/boot.log" 2>&1 || fail "wineboot failed: $(tail -n 5 "$home/boot.log")"
	wineserver -w 9>&-
	system=$WINEPREFIX/drive_c/windows/system32
	[ -d "$system" ] || fail "wineboot made no prefix: $(tail -n 5 "$home/boot.log")"
	if [ ! -e "$system/bcryptprimitives.dll" ]; then
		(cd "$(dirname "$0")/.." && env -u GOOS -u GOARCH -u GOFLAGS "${GO:-go}" run ./cmd/partywall pe dll \
			"$system/bcryptprimitives.dll" --forward ProcessPrng=advapi32.SystemFunction036) >&2
	fi
	# Without a window manager on the display, a window that waits for one takes two seconds
	# to go.
	"$wine" reg add 'HKCU\Software\Wine\X11 Driver' /v Managed /d N /f 9>&- >"$home/boot.log" 2>&1
	wineserver -w 9>&-
	echo "$version" >"$home/made"
fi

# The C peers; what is called …-dll.c becomes a DLL. Two sources of one name would make one
# program, so that is refused.
root=$(cd "$(dirname "$0")/.." && pwd -P)
peers=$home/peers/$(printf '%s' "$root" | sha256sum | cut -c1-16)
mkdir -p "$peers"
declare -A sources=()
while IFS= read -r -d '' source; do
	name=$(basename "$source" .c)
	[ -z "${sources[$name]:-}" ] || fail "${sources[$name]} and $source have the same name"
	sources[$name]=$source
	program=$peers/$name.exe kind=-municode
	case $name in *-dll) program=$peers/$name.dll kind=-shared ;; esac
	[ ! -e "$program" ] || [ "$source" -nt "$program" ] || continue
	# Renamed when it is whole, so that a build that was interrupted leaves no program.
	x86_64-w64-mingw32-gcc -std=c11 -O2 -Wall -Wextra -Werror "$kind" -o "$peers/.new.exe" "$source" -lgdi32 ||
		fail "$source does not build"
	mv "$peers/.new.exe" "$program"
done < <(find "$root" -mindepth 1 -name '.*' -prune -o -regex '.*/testdata/[^/]*\.c' -type f -print0)
# Wine has / as drive Z. Its winepath would say the same, half a second later.
PARTYWALL_C_PEERS=Z:${peers//\//\\}
export PARTYWALL_C_PEERS

"$wine" "$@" 9>&-
