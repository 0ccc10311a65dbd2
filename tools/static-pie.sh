#!/bin/sh
# static-pie.sh CLANG FOLDER: the options that put the C library into the program too, where a program made so runs here, else nothing;
# FOLDER gets what is linked besides. Such a program starts without a dynamic linker, at a random address all the same. RELR makes its
# relocations a sixtieth as long; that needs a C library of 2022 (glibc 2.36).
set -u
probe=$(mktemp -d) || exit 1
trap 'rm -rf "$probe"' EXIT
cat > "$probe/probe.c" <<'PROBE'
static int here;
static int *volatile relocated = &here;
int main(void) { return relocated != &here; }
PROBE
own=$2/static_program.o
"$1" -O2 -fPIE -c -o "$own" "$(dirname -- "$0")/static_program.c" 2> /dev/null &&
    "$1" -fuse-ld=lld -static-pie -Wl,-z,pack-relative-relocs -o "$probe/probe" "$probe/probe.c" "$own" -lm -lstdc++ 2> /dev/null &&
    "$probe/probe" &&
    echo "-Xswiftc -use-ld=lld -Xswiftc -Xclang-linker -Xswiftc -static-pie -Xlinker -z -Xlinker pack-relative-relocs -Xlinker $own"
exit 0
