#!/bin/sh
# Prints which of HOME, LOGNAME and TMPDIR make must set itself, since what they say is of no use here. Libraries look
# for a user's folder and name (a container's user may have neither), and not all try another folder for temporary files.
writable() { [ -d "$1" ] && [ -w "$1" ] && [ -x "$1" ]; }

writable "${HOME:-}" || echo HOME
[ -n "${LOGNAME:-}${USER:-}" ] || id -un > /dev/null 2>&1 || echo LOGNAME
if [ -n "${TMPDIR:-}" ] && ! writable "$TMPDIR"; then
  echo "TMPDIR is $TMPDIR, which is no folder that can be written to; leaving it out" >&2
  echo TMPDIR
fi
