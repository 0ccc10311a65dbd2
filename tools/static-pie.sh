#!/bin/sh
# static-pie.sh CLANG: the options that put the C library into the program too, where a program made so runs here, else nothing.
# Such a program starts without a dynamic linker, at a random address all the same. RELR makes its relocations a sixtieth as long;
# that needs a C library of 2022 (glibc 2.36).
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cat > "$folder/probe.c" <<'PROBE'
static int here;
static int *volatile relocated = &here;
int main(void) { return relocated != &here; }
PROBE
"$1" -fuse-ld=lld -static-pie -Wl,-z,pack-relative-relocs -o "$folder/probe" "$folder/probe.c" -lm -lstdc++ 2> /dev/null &&
    "$folder/probe" &&
    echo "-Xswiftc -use-ld=lld -Xswiftc -Xclang-linker -Xswiftc -static-pie -Xlinker -z -Xlinker pack-relative-relocs"
exit 0
