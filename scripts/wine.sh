#!/bin/bash
# Runs one Windows program under Wine, on a virtual display and in a Wine prefix of the
# project's own. It serves as the -exec program of go test:
#
#     GOOS=windows go test -exec "$PWD/scripts/wine.sh" ./winmsg
#
# One run at a time has the prefix, so that no test sees another's windows; nothing
# of a run is left when it has ended. The prefix and the C programs that tests talk to
# (testdata/*.c in the directory where it is run; the program finds them in the directory
# PARTYWALL_C_PEERS) are made at first use, and kept in PARTYWALL_WINE, or else in
# partywall-wine in the user's cache directory.
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
version=$("$wine" --version)
if [ "$(cat "$home/made" 2>/dev/null)" != "$version" ]; then
	echo "wine.sh: making a prefix for $version in $home" >&2
	rm -rf "$WINEPREFIX"
	"$wine" wineboot --init 9>&- >"$home/boot.log" 2>&1 || fail "wineboot failed: $(tail -n 5 "$home/boot.log")"
	wineserver -w 9>&-
	system=$WINEPREFIX/drive_c/windows/system32
	[ -d "$system" ] || fail "wineboot made no prefix: $(tail -n 5 "$home/boot.log")"
	if [ ! -e "$system/bcryptprimitives.dll" ]; then
		printf 'LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng=advapi32.SystemFunction036\n' >"$home/prng.def"
		x86_64-w64-mingw32-gcc -shared -nostdlib -o "$system/bcryptprimitives.dll" "$home/prng.def"
	fi
	echo "$version" >"$home/made"
fi

# The C peers.
if compgen -G 'testdata/*.c' >/dev/null; then
	peers=$home/peers/$(pwd | sha256sum | cut -c1-16)
	mkdir -p "$peers"
	for source in testdata/*.c; do
		program=$peers/$(basename "$source" .c).exe
		if [ ! "$program" -nt "$source" ]; then
			x86_64-w64-mingw32-gcc -std=c11 -O2 -Wall -Wextra -Werror -municode -o "$program" "$source" -lgdi32 ||
				fail "$source does not build"
		fi
	done
	PARTYWALL_C_PEERS=$("$wine" winepath -w "$peers" 2>/dev/null 9>&-)
	export PARTYWALL_C_PEERS
fi

"$wine" "$@" 9>&-
