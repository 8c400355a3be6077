# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`
# venv/: the virtualenv of engine `native`, and of the verbs that need no engine.

# find_python: a Python that the lock files are made for.
find_python() {
  local name seen="there is none here"
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1 || {
      [ "$name" != python3 ] || seen=$("$name" --version 2>&1) || seen="there is none here"
      continue
    }
    if "$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return
    fi
    seen="$("$name" --version) lacks its venv module (Debian, Ubuntu: apt install python3-venv)"
  done
  fail "needs Python 3.11 to 3.14 with its venv module; $seen"
}

# any_python: one that runs what is short, soonest: that of venv/, else what find_python finds.
any_python() { if has_venv; then echo venv/bin/python; else find_python; fi; }

has_venv() { [ -x venv/bin/python ] && [ "$(cat venv/path 2>/dev/null)" = "$(cd -P venv && pwd)" ]; }

# venv LOCK [FOLDER]: makes venv/ with the packages that LOCK.txt in FOLDER, or web, locks; brings it up to date where that has changed. LOCK is
# requirements-native or requirements-dev, which holds all of the former. It is made anew where it was moved (which its
# scripts do not stand), or where making it was interrupted: venv/path, its last file, tells.
venv() {
  local lock=$1 folder=${2:-web} python
  if has_venv; then
    ! cmp -s "$folder/$lock.txt" "venv/$lock.txt" || return 0
  else
    python=$(find_python) || exit
    say "Making the virtualenv venv/ ($("$python" --version))"
    rm -f venv/path
    quietly "$python" -m venv --clear venv || fail "the virtualenv venv/ cannot be made"
  fi
  say "Installing the packages of $folder/$lock.txt"
  rm -f venv/path venv/requirements-*.txt
  install_packages "$folder/$lock.txt"
  cp "$folder/requirements-native.txt" venv/
  cp "$folder/$lock.txt" venv/
  (cd -P venv && pwd >path)
}

# install_packages FILE: what goes wrong is told in one line.
install_packages() {
  local log bundle index
  log=$(mktemp)
  bundle=$(env_get CA_BUNDLE)
  index=$(env_get PIP_INDEX_URL)
  [ -z "$bundle" ] || export PIP_CERT=$bundle
  [ -z "$index" ] || export PIP_INDEX_URL=$index
  venv/bin/python -m pip install --disable-pip-version-check --no-input --retries 1 --require-hashes --only-binary=:all: \
    --requirement "$1" 2>&1 | tee "$log" | show_last_line || explain_pip "$log"
  rm -f "$log"
}

# show_last_line: shows on a terminal, in one line, what goes by.
show_last_line() {
  local line
  while IFS= read -r line; do
    [ ! -t 2 ] || printf '\r\033[K    %.70s' "$line" >&2
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}

explain_pip() {
  local text missing
  text=$(cat "$1")
  rm -f "$1"
  missing=$(printf '%s\n' "$text" | sed -n 's/^ERROR: No matching distribution found for \([A-Za-z0-9_.-]*\).*/\1/p')
  case "$text" in
    *"No space left"*) fail "no space is left for the packages in $PWD/venv" ;;
    *CERTIFICATE_VERIFY_FAILED*) fail "the package index shows a certificate that is not trusted; name your proxy's in .env: CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt" ;;
    *"Max retries exceeded"* | *"connection broken by"*) fail "the package index cannot be reached; go online once, or name yours in .env: PIP_INDEX_URL=" ;;
    *"No matching distribution"*) fail "there is no wheel of $missing for $(uname -s) $(uname -m) with $(venv/bin/python --version); try another Python of 3.11 to 3.14, or ENGINE=docker" ;;
  esac
  printf '%s\n' "$text" | tail -n 20 >&2
  fail "the packages cannot be installed"
}
