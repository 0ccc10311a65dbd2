#!/bin/sh
# need.sh COMMAND PACKAGE required|optional: installs what is missing where it may, and says so.
set -u
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "make: $1 is missing; installing the Debian package $2"
    if apt-get install -y -q "$2" >/dev/null 2>&1 || { apt-get update -q >/dev/null 2>&1 && apt-get install -y -q "$2" >/dev/null 2>&1; }; then
        exit 0
    fi
fi
if [ "$3" = optional ]; then
    echo "make: $1 is missing and could not be installed; the tests that need it will say that they are skipped" >&2
    exit 0
fi
echo "make: $1 is needed; install the package $2" >&2
exit 1
