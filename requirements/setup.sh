#!/bin/sh
# The set-up: .venv with what the files beside this one pin. `make setup` runs it from the checkout's root.
#
#   setup.sh            make .venv, unless it is ready
#   setup.sh add NAME   add what NAME.txt pins to it
#   setup.sh python     only say which Python it would take
#
# PYTHON names the Python to use (otherwise the first fitting one that is found), TORCH the build of torch: `cpu`,
# `cuda`, or nothing: then it is a CPU build where the places that pip or uv is set to look in have one (find-links, an
# extra index), and the registry's own where they have not. The stamp, written last, says what .venv was made from, in
# which folder (a copied or moved .venv runs the code of the folder that it was made in) and by which Python. While it
# agrees there is nothing to do, and whatever is half-finished or out of date is made again.
set -eu

HERE=$(pwd -P)
BIN=.venv/bin
STAMP=.venv/.ready
CPU_INDEX=https://download.pytorch.org/whl/cpu # PyTorch's own; asked for torch alone
NEEDED="handbook needs Python 3.11, 3.12 or 3.13"

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*" >&2; }

# The variables that would change what is installed, or where. Where packages come from (index, find-links, proxy,
# certificates) is left alone.
neutral() {
  unset PYTHONHOME PYTHONPATH PYTHONSAFEPATH VIRTUAL_ENV __PYVENV_LAUNCHER__
  for name in TARGET PREFIX ROOT CONSTRAINT REQUIREMENT EDITABLE DRY_RUN NO_BUILD_ISOLATION NO_DEPS REQUIRE_HASHES \
      IGNORE_INSTALLED UPGRADE ONLY_BINARY NO_BINARY PYTHON_VERSION PLATFORM ABI IMPLEMENTATION PYTHON LOG REPORT; do
    unset "PIP_$name"
  done
  export PIP_USER=0 # `user = true` may also stand in a file of pip's
  unset UV_PYTHON UV_SYSTEM_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_TORCH_BACKEND UV_NO_BINARY UV_ONLY_BINARY
  # without ours, which make puts first: it may be the one that is to be made again
  PATH=$(printf '%s' "$PATH" | awk -v RS=: -v ORS=: -v own="$HERE/$BIN" '$0 != own' | sed 's/:*$//')
  export PATH
}

# "3.12.1" of a Python that fits; otherwise why it does not, and status 1. A command that is not there says nothing.
fit() {
  [ -n "$(command -v -- "$1" 2>/dev/null)" ] || return 1
  found=$("$1" -I -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) ||
    { echo "$1 does not start"; return 1; }
  case $found in
    3.11.* | 3.12.* | 3.13.*) ;;
    2.* | 3.? | 3.?.* | 3.10.*) echo "$1 is Python $found, which is too old"; return 1 ;;
    *) echo "$1 is Python $found, which is too new"; return 1 ;;
  esac
  "$1" -I -c 'import ensurepip, venv' 2>/dev/null ||
    { echo "$1 is Python $found without venv (Debian and Ubuntu package it as python3-venv)"; return 1; }
  echo "$found"
}

# The Pythons worth a try, one a line: by name, then pyenv's, then uv's.
candidates() {
  printf '%s\n' python3 python3.13 python3.12 python3.11
  for version in 3.13 3.12 3.11; do
    for python in "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions/$version".*/bin/python; do
      [ -x "$python" ] && printf '%s\n' "$python"
    done
  done
  command -v uv > /dev/null && uv python find --system '>=3.11,<3.14' 2> /dev/null
  return 0
}

# The first candidate that fits, in $python and $version, with what spoke against the others.
find_python() {
  against=
  while IFS= read -r python; do
    if version=$(fit "$python"); then
      [ -z "$against" ] || say "$against; taking $python, which is Python $version"
      return
    fi
    [ -z "$version" ] || against="${against:+$against; }$version"
  done <<CANDIDATES
$(candidates)
CANDIDATES
  python=
}

choose() {
  if [ -n "${PYTHON:-}" ]; then
    reason=$(fit "$PYTHON") && { python=$PYTHON version=$reason; return; }
    find_python 2> /dev/null
    fail "$NEEDED; ${reason:-there is no $PYTHON}.${python:+ Choose another, say: make PYTHON=$python}"
  fi
  find_python
  [ -n "$python" ] || fail "$NEEDED. ${against:-No python3 was found}. Install one, or name it: make PYTHON=/path/to/python3.12"
}

sum() { cat pyproject.toml requirements/*.txt requirements/setup.sh | cksum; }

# Whether .venv is what this checkout needs; a Python or a build of torch is only compared where one was asked for.
ready() {
  [ -f "$STAMP" ] && { read -r made < "$STAMP" || :; } || return 1
  [ "$made" = "$(sum)|$HERE|${made##*|"$HERE"|}" ] || return 1
  rest=${made##*|"$HERE"|}
  [ -z "${TORCH:-}" ] || [ "$TORCH" = "${rest#*|}" ] || return 1
  [ -z "${PYTHON:-}" ] || [ "$(fit "$PYTHON")" = "${rest%|*}" ] || return 1
  "$BIN/python" -I -c 'import handbook' 2> /dev/null
}

if command -v uv > /dev/null; then
  install() { uv --quiet pip install --python "$BIN/python" --no-deps "$@"; }
else
  install() { "$BIN/python" -I -m pip --quiet --quiet --disable-pip-version-check install --no-deps --no-compile "$@"; }
fi
pinned() { install --no-build-isolation --require-hashes "$@"; }

make_venv() {
  if [ -h .venv ] && [ ! -e .venv ]; then
    fail ".venv is a link to $(readlink .venv), which is not there. Make that folder, or remove the link: rm .venv"
  fi
  if [ -e .venv ] && [ ! -d .venv ]; then fail ".venv is a file; the environment goes there. Move it away, or: rm .venv"; fi
  [ ! -f "$STAMP" ] || rm "$STAMP"
  "$python" -I -m venv --clear .venv
}

# Whoever types dvc in some folder: each python of .venv finds the checkout around itself, for what make exports there.
SITE_CACHE='import os, sys; os.environ.setdefault("DVC_SITE_CACHE_DIR", os.path.join(os.path.dirname(sys.prefix), ".dvc", "site"))'

install_torch() {
  case ${TORCH:-} in
    '') pinned -r requirements/torch-cpu.txt 2> /dev/null || pinned -r requirements/torch.txt ;;
    cpu) pinned -r requirements/torch-cpu.txt 2> /dev/null || pinned -r requirements/torch-cpu.txt --index-url "$CPU_INDEX" ;;
    cuda) pinned -r requirements/torch.txt ;;
  esac
  asks_for_cuda='import importlib.metadata as m, sys; sys.exit("nvidia" not in " ".join(m.requires("torch") or []))'
  if "$BIN/python" -I -c "$asks_for_cuda"; then
    say "This build of torch asks for NVIDIA's libraries, some GB. On a machine without a GPU: make setup TORCH=cpu"
    pinned -r requirements/cuda.txt
  fi
}

# The packages of handbook.txt before the letter p (0), or from it on (1), each with its hashes: about as much to unpack.
# Cut by the letter, for mlflow and mlflow-skinny write the same files, and must do so one after the other.
install_half() {
  LC_ALL=C awk -v half="$1" '/^[^ ]/ { later = $0 >= "p" } later == half' requirements/handbook.txt > ".venv/half-$1.txt"
  pinned -r ".venv/half-$1.txt"
}

install_all() {
  pinned -r requirements/build.txt
  # side by side: no package needs another one to be installed, and pip unpacks on one core
  install_torch & torch=$!
  install_half 0 & half=$!
  rest=0 && install_half 1 || rest=$?
  wait "$torch" && wait "$half" && [ "$rest" = 0 ] || exit 1
  install --no-build-isolation --editable .
  packages=$("$BIN/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  [ -n "$packages" ] || fail "$BIN/python does not say where its packages lie. Remove .venv and set up again"
  printf '%s\n' "$SITE_CACHE" > "$packages/handbook_site_cache.pth"
  # Compiled at once: otherwise each first import takes twice as long, and all where bytecode is not kept. On all cores,
  # which neither installer does for us; what a package holds as a template for another Python does not compile.
  "$BIN/python" -I -m compileall -q -q -j 0 "$packages" || :
  # a source archive has no git history for DVC to look into
  if [ -d .dvc ] && [ ! -e .git ]; then "$BIN/dvc" config --quiet --local core.no_scm true; fi
  "$BIN/python" -I -m pip --disable-pip-version-check check > .venv/check.txt || { cat .venv/check.txt >&2; exit 1; }
}

mkdir -p "${HOME:-.cache/home}" # the one that make gives to who has none
case ${TORCH:-} in '' | cpu | cuda) ;; *) fail "TORCH=$TORCH: choose cpu or cuda, or leave it out" ;; esac
wanted_python=${PYTHON:-}
neutral
PYTHON=$wanted_python
if [ "${1:-}" = add ]; then
  pinned -r "requirements/$2.txt"
elif [ "${1:-}" = python ]; then
  choose
  printf '%s\n' "$python"
elif ! ready; then
  choose
  say "Setting up .venv with Python $version (about two minutes, once)"
  make_venv
  install_all
  printf '%s|%s|%s|%s\n' "$(sum)" "$HERE" "$version" "${TORCH:-}" > "$STAMP"
fi
