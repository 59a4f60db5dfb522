#!/bin/sh
# Installs what the tests need beyond Go: ImageMagick's `compare`, which the image
# comparison is checked against, groff, which the manual pages are checked with,
# bash-completion, a C compiler for the race detector, and for the Windows tests Wine, a
# virtual display and a C compiler. On Debian and Ubuntu it installs what is missing;
# elsewhere it says what to install.
set -eu
GO=${GO:-go}
here=$(dirname "$0")

has_imagemagick() {
	compare -version 2>/dev/null | grep -q ImageMagick
}

has_groff() {
	[ "$(printf '.TH x 1\n.SH y\nz\n' | groff -man -Kutf8 -Tutf8 -ww 2>&1 | grep -c z)" = 1 ]
}

has_bash_completion() {
	command -v bash >/dev/null && [ -r /usr/share/bash-completion/bash_completion ]
}

# All that scripts/wine.sh asks for. Debian has Wine's loader outside PATH. A font is for what
# windows show.
has_wine() {
	{ command -v wine64 || command -v wine || [ -x /usr/lib/wine/wine64 ]; } >/dev/null && command -v wineserver >/dev/null
}

has_xvfb() {
	command -v Xvfb >/dev/null
}

has_flock() {
	command -v flock >/dev/null
}

has_mingw() {
	command -v x86_64-w64-mingw32-gcc >/dev/null
}

# The race detector is wanted unless this platform has none or cgo was switched off
# on purpose. Go switches cgo off by itself when it finds no C compiler.
lacks_compiler() {
	[ -z "$(GO="$GO" "$here/race-flag.sh" 2>/dev/null)" ] || return 1
	if [ "$("$GO" env CGO_ENABLED)" = 0 ] && "$GO" env -changed CGO_ENABLED | grep -q .; then
		echo 'needs: CGO_ENABLED=0 is set, so no C compiler is installed'
		return 1
	fi
	case "$("$GO" env GOOS)/$("$GO" env GOARCH)" in
	linux/amd64 | linux/arm64 | linux/ppc64le | linux/s390x | linux/riscv64 | linux/loong64) ;;
	*)
		echo 'needs: no C compiler is installed: no race detector here, or one without cgo'
		return 1
		;;
	esac
	! has_compiler
}

has_compiler() {
	printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
		"${CC:-cc}" -x c -o /dev/null - 2>/dev/null
}

packages=
has_imagemagick || packages="$packages imagemagick"
has_groff || packages="$packages groff-base"
has_bash_completion || packages="$packages bash bash-completion"
has_wine || packages="$packages wine wine64 fonts-dejavu-core"
has_xvfb || packages="$packages xvfb"
has_flock || packages="$packages util-linux"
has_mingw || packages="$packages gcc-mingw-w64-x86-64"
if lacks_compiler; then packages="$packages gcc libc6-dev"; fi

if [ -z "$packages" ]; then
	echo 'needs: all here'
	exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
	echo 'needs: there is no apt-get here; please install by hand, then try again:' >&2
	has_imagemagick || echo '    ImageMagick, so that "compare -version" names it' >&2
	has_groff || echo '    groff, with the macros for manual pages' >&2
	has_bash_completion || echo '    bash and bash-completion, the latter in /usr/share/bash-completion' >&2
	has_wine || echo '    Wine for 64-bit programs, with wineserver' >&2
	has_xvfb || echo '    Xvfb' >&2
	has_flock || echo '    flock' >&2
	has_mingw || echo '    mingw: x86_64-w64-mingw32-gcc' >&2
	case $packages in *libc6-dev*) echo '    a C compiler and the C library headers, for go test -race (or set CGO_ENABLED=0)' >&2 ;; esac
	exit 1
fi

sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "needs: please run as root, then try again: apt-get install$packages" >&2
		exit 1
	fi
	sudo=sudo
fi

echo "needs: installing$packages"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages

if ! has_imagemagick; then
	echo "needs: ImageMagick is installed, but another program is found first as: $(command -v compare || echo '(no compare on PATH)')" >&2
	exit 1
fi
echo 'needs: all here'
