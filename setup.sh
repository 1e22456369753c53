#!/bin/sh
# Makes .venv: requirements.lock exactly, then hubel itself. Does nothing where that is already done (`make setup`).
set -eu
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV
cd -- "$(dirname -- "$0")"

LOG=.venv/setup.log
STAMP=.venv/.ready            # what the finished set-up was made from
UNFINISHED=.venv/.unfinished  # there from the first change to the last: what an interruption left cannot be trusted

say() { printf '%s\n' "$*" >&2; }
fail() { say "hubel: $*"; exit 1; }

# The folder is part of it, since a moved .venv no longer starts.
wanted=$(pwd; cksum requirements.lock setup.py setup.sh)
ready() { [ -x .venv/bin/python ] && [ ! -e $UNFINISHED ] && [ "$(cat $STAMP 2>/dev/null)" = "$wanted" ]; }
ready && exit 0

if command -v flock >/dev/null 2>&1; then
  exec 9<setup.sh
  flock -n 9 || { say "Another set-up of this folder is running; waiting for it ..."; flock 9; }
  ready && exit 0
fi

machine="$(uname -s) $(uname -m)"
[ "$machine" = "Linux x86_64" ] ||
  fail "TFX has packages for Linux on x86_64 only, this is $machine; use a container made for --platform linux/amd64."
if command -v getconf >/dev/null 2>&1; then
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || echo "no glibc")
  case $libc in
    "glibc 2."*) [ "${libc#glibc 2.}" -ge 28 ] || libc="only $libc" ;;
  esac
  case $libc in
    no* | only*) fail "the packages need glibc 2.28 and this system has $libc; Debian 10, Ubuntu 20.04 and anything newer will do." ;;
  esac
fi

uv=$(command -v uv || :)
python=
bare=
for name in python3.11 python3 python; do
  found=$("$name" -c 'import sys; print(sys.executable if sys.version_info[:2] == (3, 11) else "")' 2>/dev/null) || continue
  [ -n "$found" ] || continue
  if "$found" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    python=$found
    break
  fi
  bare=$found
done
if [ -z "$uv$python" ]; then
  [ -z "$bare" ] || fail "$bare cannot make virtual environments; install that part of it (apt install python3.11-venv) or uv."
  fail "Python 3.11 is needed and not on PATH; install it (apt install python3.11 python3.11-venv) or uv, which brings it."
fi

# Exactly what is named, built with the setuptools of the lock and not with the newest of the day.
install() {
  if [ -n "$uv" ]; then
    "$uv" pip install --python .venv/bin/python --no-deps --no-build-isolation "$@" >>$LOG 2>&1
  else
    .venv/bin/python -m pip install --no-deps --no-build-isolation --no-input --disable-pip-version-check --progress-bar off "$@" \
      >>$LOG 2>&1
  fi
}

stopped() {
  reason=$(sed -n '/^ *[Ee][Rr][Rr][Oo][Rr]/{p;n;/^ *cause/p;q;}' $LOG | tr -s '\n ' ' ')
  [ -n "$reason" ] || reason=$(tail -n 1 $LOG)
  fail "$1 failed (${reason% }); all of it is in $(pwd)/$LOG. The next make starts over."
}

works() {
  .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' && { [ -n "$uv" ] || .venv/bin/python -m pip --version; }
}

if [ -e $UNFINISHED ] || ! works >/dev/null 2>&1; then
  say "Setting up .venv (a few minutes the first time) ..."
  rm -rf .venv
  mkdir .venv
  : >$UNFINISHED
  if [ -n "$uv" ]; then
    python=${python:-${bare:-3.11}}  # uv needs no ensurepip, and fetches a 3.11 where there is none
    "$uv" venv --allow-existing --python "$python" .venv >$LOG 2>&1 || stopped "Making .venv with uv and Python $python"
  else
    "$python" -m venv .venv >$LOG 2>&1 || stopped "Making .venv with $python"
  fi
else
  say "Bringing .venv up to date ..."
  : >$UNFINISHED
  : >$LOG
fi
rm -f $STAMP

# First the tools that install the rest, so that every machine installs with the same ones.
grep -E '^(pip|setuptools|wheel|packaging)==' requirements.lock >.venv/tools.txt
grep -v '^pyfarmhash==' requirements.lock >.venv/packages.txt
install -r .venv/tools.txt || stopped "Installing pip and setuptools"
install ${uv:+--compile-bytecode} -r .venv/packages.txt || stopped "Installing the packages"

# pyfarmhash exists as C++ source only.
install "$(grep '^pyfarmhash==' requirements.lock)" ||
  say "Note: pyfarmhash could not be built for want of a C++ compiler or Python's headers (apt install g++ python3.11-dev);" \
    "a slower stand-in serves."

install -e . || stopped "Installing hubel"
printf '%s\n' "$wanted" >$STAMP
rm -f $UNFINISHED
