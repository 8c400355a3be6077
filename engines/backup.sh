# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`; FILE, back and drop are variables of the command line
# `make backup` and `make restore`: https://www.postgresql.org/docs/current/app-pgdump.html

RESTORING="filled by make restore" # the comment of a database that is not in place yet

sha256() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }

# with_database COMMAND...: runs it with the stack's own database started, which is stopped again if it was not.
with_database() {
  local status=0
  if ! own_database || database_runs; then
    ! own_database || part_roles
    "$@"
    return
  fi
  start_database
  ("$@") || status=$?
  web_runs || stop_database
  return "$status"
}

verb_backup() {
  check_all
  with_database back_up
}

back_up() {
  local file
  umask 077
  mkdir -p backups
  file=backups/$(env_get COMPOSE_PROJECT_NAME slipway)-$(date -u +%Y%m%dT%H%M%SZ).dump
  if ! as_cluster pg pg_dump --format=custom </dev/null >"$file.part"; then
    rm -f "$file.part"
    fail "the database could not be dumped; no file was kept"
  fi
  if ! printf '%s  %s\n' "$(sha256 <"$file.part")" "$(basename "$file")" >"$file.sha256" || ! mv "$file.part" "$file"; then
    rm -f "$file.part" "$file.sha256"
    fail "the backup could not be written; no file was kept"
  fi
  sync
  say "Wrote $file ($(($(wc -c <"$file") / 1024 + 1)) KiB), with its checksum in $file.sha256"
  say "It is restored by: make restore FILE=$file"
}

# FILE=backups/…, or back=NAME or drop=NAME of a database that an earlier restore has kept.
verb_restore() {
  local name=${back:-${drop:-}}
  check_all
  case "${FILE:+f}${back:+b}${drop:+d}" in ??*) fail "say one of FILE=, back= and drop=" ;; esac
  own_database || fail "restores into the stack's own database only; DATABASE_URL names another: use pg_restore"
  if [ -n "$name" ]; then
    with_database check_kept "$name"
    confirm "$([ -n "${back:-}" ] && echo "bring back" || echo "delete") the database $name"
  else
    check_backup
    confirm "replace the data of $(env_get COMPOSE_PROJECT_NAME) by $FILE"
  fi
  if [ -n "${drop:-}" ]; then
    with_database admin --set=name="$name" <<<'DROP DATABASE :"name"'
    say "Deleted the database $name"
    return
  fi
  with_database restore
  if web_runs; then
    reload_web
    probe
  else
    say "Type make up to see it"
  fi
}

# check_backup: fails unless FILE is a backup, whole and unaltered.
check_backup() {
  local expected
  [ -n "${FILE:-}" ] || fail "say which: make restore FILE=$(find backups -name '*.dump' 2>/dev/null | sort | tail -n 1 | grep . || echo 'backups/…, as make backup names it')"
  [ -f "$FILE" ] && [ -r "$FILE" ] || fail "FILE=$FILE: there is no such file, or it cannot be read"
  [ -r "$FILE.sha256" ] || fail "$FILE.sha256 is missing, which tells whether $FILE is whole; copy it from where the backup was made"
  expected=$(cut -d ' ' -f 1 "$FILE.sha256")
  [ "$(sha256 <"$FILE")" = "$expected" ] || fail "$FILE is cut off or was altered: it does not fit its checksum; nothing was changed"
  [ "$(head -c 5 "$FILE")" = PGDMP ] || fail "$FILE is no backup that make backup wrote; nothing was changed"
}

# restore: fills a new database, from FILE or with the one that `back` names, brings it to this code's migrations, and puts it
# in the place of the present one, which is kept.
restore() {
  local db new kept
  [ -z "${undivided:-}" ] ||
    fail "nothing was changed, as the database is in use; type make restore again when it is less busy"
  db=$(env_get POSTGRES_DB app)
  new=${back:-$(with_suffix "$db" _restoring)}
  kept=$(with_suffix "$db" "_before_$(date -u +%Y%m%d_%H%M%S)")
  if [ -z "${back:-}" ]; then
    say "Restoring into a new database"
    create_database "$new"
    as_cluster pg pg_restore --dbname="$new" --no-owner --no-privileges --exit-on-error --single-transaction <"$FILE" || give_up
  fi
  as_cluster give_database "$new" || give_up
  say "Migrating it"
  POSTGRES_DB=$new in_new python manage.py db prepare </dev/null || give_up
  say "Putting it in place"
  swap "$db" "$new" "$kept" || swap "$db" "$new" "$kept" || swap "$db" "$new" "$kept" || give_up
  say "The data from before is kept as database $kept:"
  say "make restore back=$kept brings it back, make restore drop=$kept deletes it"
}

# with_suffix NAME SUFFIX: prints both, and truncates NAME if they exceed 63 bytes, as Postgres would truncate the suffix:
# https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
with_suffix() {
  local LC_ALL=C name=$1 # for lengths in bytes
  if [ "${#1}" -gt "$((63 - ${#2}))" ]; then
    name=${1:0:63-${#2}}
    name=${name%%[$'\x80'-$'\xff']*} # without half a character
  fi
  printf '%s\n' "$name$2"
}

# create_database NAME: creates it, and notes in `created` that this run did. A leftover of an interrupted restore is replaced;
# its comment tells it from a database of the user's.
create_database() {
  local ours
  ours=$(admin --tuples-only --no-align --set=name="$1" --set=comment="$RESTORING" \
    <<<"SELECT coalesce(shobj_description(oid, 'pg_database') = :'comment', false) FROM pg_database WHERE datname = :'name'") || give_up
  case "$ours" in
    f) fail "there is a database $1 already, which no restore has made, and this one would; rename it. Nothing was changed" ;;
    t) admin --set=name="$1" <<<'DROP DATABASE :"name" WITH (FORCE)' || give_up ;;
  esac
  admin --set=name="$1" <<<'CREATE DATABASE :"name" TEMPLATE template0' || give_up
  created=$1
  admin --set=name="$1" --set=comment="$RESTORING" <<<"COMMENT ON DATABASE :\"name\" IS :'comment'" || give_up
}

# swap DB NEW KEPT: in one transaction, for which no session may be in either; whoever connects meanwhile waits for its end.
swap() {
  admin --set=db="$1" --set=new="$2" --set=kept="$3" --set=is_new="$([ -n "${created:-}" ] && echo 1 || echo 0)" <<'SQL'
BEGIN;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname IN (:'db', :'new') \g /dev/null
ALTER DATABASE :"db" RENAME TO :"kept";
ALTER DATABASE :"new" RENAME TO :"db";
\if :is_new
COMMENT ON DATABASE :"db" IS NULL;
\endif
COMMIT;
SQL
}

# give_up: undoes what this run has made.
give_up() {
  [ -z "${created:-}" ] || admin --set=name="$created" <<<'DROP DATABASE IF EXISTS :"name" WITH (FORCE)'
  fail "nothing was changed: the data from before is in place"
}

# check_kept NAME: fails unless an earlier restore has kept the database NAME.
check_kept() {
  local kept like
  like=$(with_suffix "$(env_get POSTGRES_DB app)" _before_00000000_000000)
  kept=$(admin --tuples-only --no-align --set=prefix="${like%00000000_000000}" \
    <<<"SELECT datname FROM pg_database WHERE starts_with(datname, :'prefix') ORDER BY 1")
  printf '%s\n' "$kept" | grep -qxF -- "$1" || fail "there is no kept database $1; kept are: $(printf '%s' "${kept:-none}" | xargs)"
}

# admin [OPTION...]: runs SQL from standard input, outside the app's database, which may be called postgres.
admin() { PGOPTIONS=-cclient_min_messages=warning as_cluster pg psql --dbname=template1 --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
