# shellcheck shell=bash disable=SC2154,SC2034 # native.sh sets `python`, deploy.sh `release`, `old` and `beside`
# What make deploy does on the engine `native`: a release is a copy of web/ in .native/releases; a second gunicorn starts
# beside the first, at a socket of its own, run/web.sock comes to point to that, and the first one goes when nginx's workers
# from before, which have connections to it, are gone. Packages are in venv/, which all releases share.

READY=120 # seconds that the new web may take

name_sources() { :; }

# sources_of web: prints a checksum of its files.
sources_of() { find "$1" -type f ! -path '*/__pycache__/*' -exec cksum {} + | sort | cksum | cut -d ' ' -f 1; }

read_releases() { cat .native/releases/list 2>/dev/null || true; }

write_releases() {
  mkdir -p .native/releases
  cat >.native/releases/list.new && mv .native/releases/list.new .native/releases/list
}

has_release() { [ -n "$1" ] && [ -d ".native/releases/$1" ]; }

fetch_release() { false; }

delete_release() { rm -rf ".native/releases/$1"; }

build_release() {
  local new=.native/releases/new
  # It may serve.
  ! has_release "$release" || return 0
  rm -rf "$new"
  mkdir -p "$new"
  cp -R web "$new/web"
  find "$new" -name __pycache__ -prune -exec rm -rf {} +
  mv "$new" ".native/releases/$release"
}

check_packages() {
  cmp -s ".native/releases/$1/web/requirements-native.txt" venv/requirements-native.txt ||
    fail "the release $1 has other packages than venv/, which all releases share; check its commit out, and type make deploy"
}

in_release() {
  local project_folder=.native/releases/$1/web
  in_new "${@:2}"
}

other_place() { if [ "$(web_place)" = a ]; then echo b; else echo a; fi; }

is_ready() { "$python" engines/servers.py ready ".native/run/web-$1.sock"; }

# serving: prints the place of the web that nginx passes requests to, where that is ready.
serving() {
  local place
  place=$(web_place)
  [ -z "$place" ] || ! is_ready "$place" || echo "$place"
}

start_beside() {
  local log=.native/log/web.log until=$((SECONDS + READY))
  new=$(other_place)
  { wc -c <"$log" || echo 0; } >.native/run/web.began 2>/dev/null
  (
    project_folder=.native/releases/$release/web
    prepared=yes
    start_web_in "$new"
  ) </dev/null >>"$log" 2>&1 9>&- || fail "web of $release does not start"
  until is_ready "$new"; do
    case "$(state "web-$new")" in died | stopped) sleep 0.3 && case "$(state "web-$new")" in died | stopped) fail "web of $release does not run" ;; esac ;; esac
    [ "$SECONDS" -lt "$until" ] || fail "web of $release is not ready after $READY s"
    sleep 0.2
  done
  nginx/hash-static ".native/releases/$release/web/app/static" .native/hashed/static
}

switch_to_new() { lead_to "$new"; }

switch_back() {
  lead_to "$old"
  drain
  settle
}

# lead_to PLACE: has nginx pass requests to the web there; what development has started is of no release.
lead_to() {
  : >.native/run/pending # until nginx has done with the one before
  point_web "$1"
  ! has_release "$(release_in "$1")" || "$python" engines/servers.py point .native/current "releases/$(release_in "$1")"
  renew_nginx
}

nginx_runs() { [ "$(state nginx)" = running ]; }

# renew_nginx: starts nginx, or has it read its configuration anew, and notes in `leaving` the workers that end with their last request.
renew_nginx() {
  local made_of before _
  made_of=$(made_of_nginx | sha256)
  # A port that is open on one address cannot be opened on all beside it.
  if ! nginx_runs || [ "$(listening_on)" != "$(cat .native/run/listens 2>/dev/null)" ]; then
    start nginx
    return
  fi
  before=$("$python" engines/servers.py workers nginx)
  take_configuration
  reload_nginx
  served_ports >.native/run/port
  printf '%s\n' "$made_of" >.native/run/nginx.made_of
  leaving="${leaving:-} $before"
  for _ in $(seq 100); do
    [ -z "$(without "$("$python" engines/servers.py workers nginx)" "$before")" ] || return 0
    sleep 0.1
  done
  fail "nginx does not take up its configuration; type make logs S=nginx"
}

drain() {
  local pid
  for pid in ${leaving:-}; do
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
}

settle() {
  leaving=""
  rm -f .native/run/pending
}

new_is_well() { is_ready "$new"; }

mark_now() { wc -c <.native/log/nginx.log 2>/dev/null || echo 0; }

# mark_before: two megabytes of the log, some thousand answers.
mark_before() { echo "$(($(mark_now) > 2000000 ? $(mark_now) - 2000000 : 0))"; }

answers_since() { if [ -f .native/log/nginx.log ]; then tail -c "+$(($1 + 1))" .native/log/nginx.log | count_answers; else echo "0 0"; fi; }

remove_old() {
  stop "web-$(other_place)"
  note_made_of "$release"
}

# note_made_of TAG: notes what the web that serves was made of.
note_made_of() { made_of_web_in ".native/releases/$1" | sha256 >.native/run/web.made_of; }

discard_new() {
  [ -n "${new:-}" ] || return 0
  (explain web) || true
  stop "web-$new"
}

mend() {
  local place other
  place=$(web_place)
  other=$(other_place)
  [ "$(state "web-$other")" != stopped ] || [ -e .native/run/pending ] || return 0
  say "Mending what an earlier make has left by half"
  if [ -n "$place" ] && ! is_ready "$place" && is_ready "$other"; then
    place=$other
    other=$(web_place)
  fi
  if nginx_runs && is_ready "$place"; then
    lead_to "$place"
    drain
  fi
  settle
  correct_releases
  ! is_listed "$(serving_release)" || note_made_of "$(serving_release)"
  stop "web-$other"
}

# release_in PLACE: prints the release that runs there.
release_in() { cat ".native/run/web-$1.release" 2>/dev/null || true; }

serving_release() { release_in "$(web_place)"; }

# keep_serving: leaves web as it is, and has nginx serve by the present configuration.
keep_serving() {
  test_nginx
  if ! nginx_runs || [ "$(made_of_nginx | sha256)" != "$(cat .native/run/nginx.made_of)" ] || tls; then renew_nginx; fi
  tell_due
  probe
}

tell_due() {
  [ "$(made_of_web | sha256)" = "$(cat .native/run/web.made_of 2>/dev/null)" ] ||
    note "web serves the release $(current), and this checkout has other sources or settings; a deploy is due: make deploy"
  ! own_database || [ "$(made_of_db | sha256)" = "$(cat .native/run/db.made_of 2>/dev/null)" ] ||
    note "the configuration of db has changed; it is taken up by a restart: make restart S=db"
}
