# shellcheck shell=bash disable=SC2154 # engines/run sets `verb`; TAG, WATCH and accept are variables of the command line
# make deploy and make rollback: another release of web in place of the one that serves, without a failed request. What was
# measured of ways to do that, and why this one, is in docs/deploy.md. An engine offers, beside the list in verbs.sh:
#   take_turn                  takes the stack for this make; fails where another has it
#   mend                       ends what a rollout that was interrupted has left by half
#   serving                    prints what web nginx passes requests to, where that is ready
#   serving_release            prints the release that this is of
#   build_release              makes the release `release` of this checkout
#   has_release TAG            tells whether it is there
#   fetch_release TAG          gets it from elsewhere, if it can
#   check_packages TAG         fails where the release wants other packages than there are
#   in_release TAG COMMAND...  runs a command as that release's web would
#   read_releases, write_releases   print the list of releases; take it from standard input
#   delete_release TAG         deletes one that is no longer kept
#   nginx_runs                 tells whether nginx does
#   test_nginx                 fails where nginx would not start with its present configuration
#   start_beside               starts web of `release` beside `old`, and waits until it is ready
#   discard_new                removes it again, and shows its last log lines
#   switch_to_new              has nginx pass requests to it
#   switch_back                has nginx pass them to `old` again, and waits until it has done with the new
#   new_is_well                tells whether it still runs and is ready
#   mark_now, mark_before      print since when answers are to be counted: from here on, or a while ago
#   answers_since MARK         prints how many requests nginx has answered since then, and how many of them by a 5xx
#   keep_serving               what make up does where web serves: it leaves that as it is
#   tell_due                   says what of this checkout is not served yet, and by which verb it is
#   drain                      waits until nginx has done with `old`
#   settle                     does what nginx wants done then
#   remove_old                 ends `old`

KEEP=5   # releases
ENOUGH=5 # answers by a 5xx, below which no conclusion is drawn

# step TEXT: tells what begins, and when, in minutes and seconds.
step() { printf '==> %d:%02d %s\n' "$((SECONDS / 60))" "$((SECONDS % 60))" "$*"; }

verb_deploy() {
  local release=${TAG:-}
  case "${accept:-}" in "") beside=--beside ;; incompatible) beside="" ;; *) fail "accept=$accept: say accept=incompatible, or leave it out" ;; esac
  prepare_rollout
  check_tag "$release"
  if [ -n "$release" ]; then
    has_release "$release" || fetch_release "$release" || fail "TAG=$release: there is no such release; kept are: $(kept_releases | xargs)"
  else
    release=$(name_release)
    step "Building the release $release"
    build_release
  fi
  check_packages "$release"
  test_nginx
  start_database
  step "Migrating"
  note_tried
  migrate_release
  roll_out
  tell_due
}

verb_rollback() {
  local release=${TAG:-} before
  prepare_rollout
  before=$(current)
  check_tag "$release"
  [ -n "$release" ] || release=$(previous)
  [ -n "$release" ] || fail "there is no release before ${before:-the first}"
  [ "$release" != "$before" ] || fail "TAG=$release is what serves"
  is_listed "$release" || fail "TAG=$release did not serve before $before; to take it, type make deploy TAG=$release"
  has_release "$release" || fail "the release $release is no longer there; kept are: $(kept_releases | xargs)"
  check_packages "$release"
  nginx_runs || test_nginx
  start_database
  check_suits
  step "Going back from $before to $release; the schema stays as it is"
  roll_out
}

# --- The releases: a list of tags, oldest first, each a line; one that was gone back from has "back" behind it.

# current: prints the release that serves, or is to; nothing where there is none.
current() { read_releases | awk 'NF == 1 { tag = $1 } END { print tag }'; }

# previous: prints the one that served before it.
previous() { read_releases | awk 'NF == 1 { before = tag; tag = $1 } END { print before }'; }

# is_listed TAG: tells whether it is a release that serves, or did.
is_listed() { read_releases | grep -qxF -- "$1"; }

# noted_releases: prints all of them, newest first.
noted_releases() { read_releases | awk '{ print $1 }' | sed -n '1!G; h; $p'; }

# kept_releases: prints those that are there, newest first.
kept_releases() {
  local tag
  for tag in $(noted_releases); do
    if has_release "$tag"; then echo "$tag"; fi
  done
}

# note_tried: notes that `release` was there: the schema may have its migrations from then on.
note_tried() {
  local list
  list=$(read_releases)
  printf '%s\n' "$list" | awk '{ print $1 }' | grep -qxF -- "$release" || printf '%s\n' "$list" "$release back" | sed '/^$/d' | write_releases
}

# correct_releases: has the list say what serves, where a rollout was interrupted between the two.
correct_releases() {
  local serves
  serves=$(serving_release)
  [ "$serves" != "$(current)" ] || return 0
  if is_listed "$serves"; then
    remember_back "$serves"
  elif noted_releases | grep -qxF -- "$serves"; then
    remember "$serves"
  fi
}

# remember TAG: notes that it serves, after all others.
remember() {
  local list
  list=$(read_releases)
  printf '%s\n' "$list" | awk -v tag="$1" 'NF && $1 != tag; END { print tag }' | write_releases
}

# remember_back TAG: notes that it serves again, and that those after it were gone back from.
remember_back() {
  local list
  list=$(read_releases)
  printf '%s\n' "$list" | awk -v tag="$1" '{ print $1 (NF > 1 || after ? " back" : "") } $1 == tag { after = 1 }' | write_releases
}

# forget_old_releases: keeps the newest of those that can be gone back to, and of the others, which know the schema.
forget_old_releases() {
  local list tag
  list=$(read_releases)
  for tag in $(printf '%s\n' "$list" | sed -n '1!G; h; $p' | awk -v keep="$KEEP" 'count[NF]++ >= keep { print $1 }'); do
    list=$(printf '%s\n' "$list" | awk -v tag="$tag" '$1 != tag')
    printf '%s\n' "$list" | write_releases
    delete_release "$tag"
  done
}

# prepare_rollout: what each rollout wants.
prepare_rollout() {
  SECONDS=0
  [ "$verb" = rollback ] || begin
  check_all
  ! development || fail "this is for production, and here is APP_SETTINGS=$(env_get APP_SETTINGS); in development an edit is live, and make up does the rest"
  check_number WATCH 30 3600 0
  take_turn
  stop_login
  name_sources
  mend
}

# name_release: prints a tag for this checkout: of its commit, with a checksum where files of web were changed since; where
# there is no commit, the time.
name_release() {
  local commit
  commit=$(git rev-parse --verify --short=12 HEAD 2>/dev/null) || {
    case "$(LC_ALL=C git status 2>&1)" in *"dubious ownership"*) say "git refuses this checkout, as it is another user's; its release is named by the time" >&2 ;; esac
    date -u +%Y%m%dT%H%M%SZ
    return
  }
  [ -z "$(git status --porcelain -- web Dockerfile 2>/dev/null)" ] || commit=$commit-$(sources_of web)
  printf '%s\n' "$commit"
}

check_tag() {
  case "$1" in
    latest) fail "TAG=latest is whatever serves; name a release by a tag of its own, such as its commit" ;;
    [!A-Za-z0-9_]* | *[!A-Za-z0-9_.-]*) fail "TAG=$1 is no tag of an image, such as a commit" ;;
  esac
}

# migrate_release: by the new code, while the old serves, which must be able to go on with the schema; where none does, that
# is not asked. Where the schema is newer than this code, it must be able to run on that.
migrate_release() {
  local status=0
  web_runs || beside=""
  # shellcheck disable=SC2086 # an option, or none
  in_release "$release" python manage.py db prepare --ahead-fails $beside </dev/null || status=$?
  case "$status" in
    0) ;;
    3) [ -z "$(current)" ] || check_suits ;;
    *) fail "not deployed, for the reason above; what was serving still is" ;;
  esac
}

# check_suits: fails where `release` cannot run on the schema, as the newest of the releases says that knows all of it.
check_suits() {
  local needs newer answer="" status
  needs=$(in_release "$release" python manage.py db known </dev/null | xargs) || fail "the release $release does not tell its migrations, for the reason above; what was serving still is"
  for newer in $(kept_releases); do
    status=0
    # shellcheck disable=SC2086 # a list
    answer=$(in_release "$newer" python manage.py db suits $needs </dev/null 2>&1) || status=$?
    case "$status" in
      0) return ;;
      3)
        printf '%s\n' "$answer" >&2
        fail "$release cannot run on the schema, for the reason above; what was serving still is"
        ;;
    esac
  done
  printf '%s\n' "$answer" | tail -n 1 >&2
  fail "no kept release tells whether $release can run on the schema, for the reason above; what was serving still is"
}

# roll_out: from the release that serves, if one does, to `release`, whose migrations the database has had.
roll_out() {
  old=$(serving)
  stage=starting
  trap leave_rollout EXIT
  step "Starting web of $release"
  start_beside
  step "Switching nginx to it"
  before_switch=$(answers_since "$(mark_before)")
  releases_before=$(read_releases)
  stage=switched
  switch_to_new
  if [ "$verb" = rollback ]; then remember_back "$release"; else remember "$release"; fi
  watch_new
  [ -z "$old" ] || step "Waiting until the old web has answered its requests, then removing it"
  drain
  settle
  remove_old
  stage=over
  forget_old_releases
  probe
  step "$release serves"
}

# leave_rollout: what is to be done where a rollout does not come to its end.
leave_rollout() {
  local status=$?
  trap - EXIT
  case "$stage" in
    starting)
      discard_new
      say "$release does not serve; what was serving still is" >&2
      ;;
    switched)
      if [ "$(serving_release)" = "$release" ]; then
        say "$release serves; make up, or the next make deploy, does the rest" >&2
      else
        say "$release may not serve; make up, or the next make deploy, mends that" >&2
      fi
      ;;
  esac
  [ -z "${scratch:-}" ] || rm -rf "$scratch"
  exit "$status"
}

# watch_new: goes back where the new web is not well, or answers by a 5xx more often than the one before.
watch_new() {
  local began until why="" seconds
  seconds=$(env_get WATCH 30)
  [ -n "$old" ] && [ "$seconds" != 0 ] || return 0
  step "Watching it for $seconds s"
  began=$(mark_now)
  until=$((SECONDS + seconds))
  while [ "$SECONDS" -lt "$until" ]; do
    new_is_well || why="it is no longer ready"
    ! fails_more "$before_switch" "$(answers_since "$began")" || why="it answers by a 5xx: $share"
    [ -z "$why" ] || break
    sleep 1
  done
  [ -n "$why" ] || return 0
  step "Switching back, as $why"
  switch_back
  stage=back
  printf '%s\n' "$releases_before" | write_releases
  discard_new
  fail "$release is not well; $(current) serves on"
}

# count_answers: prints how many lines of nginx's log are answers of the upstream, and how many of those are a 5xx. What nginx
# answers by itself, as a 503 at max_conns, has no upstream address.
count_answers() { awk '/"upstream":"[^"]*:/ { all++; if (/"status":5/) failed++ } END { print all + 0, failed + 0 }'; }

# fails_more BEFORE AFTER: tells whether, of two pairs "ANSWERS FAILED", the second has clearly more that failed, and sets `share`.
fails_more() {
  # shellcheck disable=SC2086 # pairs
  set -- $1 $2
  share="$4 of $3 requests since the switch, $2 of $1 before"
  # More than twice as many as before, and one more in a hundred.
  [ "$4" -ge "$ENOUGH" ] && [ "$((100 * $4 * ($1 + 1)))" -gt "$((200 * $2 * $3 + $3 * ($1 + 1)))" ]
}

# verb_drill-deploy: on a copy of the checkout, which touches nothing of this one.
verb_drill-deploy() {
  check_number ROLLOUTS 20 1000
  check_number RATE 240 10000
  check_number WATCH 5 3600 0
  venv requirements-dev
  require_openssl
  exec venv/bin/python -m tests.drill "$engine" "$(env_get ROLLOUTS 20)" "$(env_get WATCH 5)" "$(env_get RATE 240)"
}

# --- make up in production

# up_production: what serves is left as it is; where nothing does, the present release is started, or a first one is made.
up_production() {
  local release
  stop_login
  mend
  # What development has started is no release.
  if [ -n "$(serving)" ] && is_listed "$(serving_release)"; then
    keep_serving
    return
  fi
  release=$(current)
  if [ -z "$release" ] || ! has_release "$release"; then
    release=$(name_release)
    say "Building the release $release"
    build_release
  fi
  check_packages "$release"
  test_nginx
  say "Migrating"
  note_tried
  in_release "$release" python manage.py db prepare </dev/null || fail "not started, for the reason above; what was running still is"
  roll_out
  tell_due
}

# --- Lists, a line each

# among LIST LIST: prints what is in both.
among() { printf '%s\n' "$1" | grep -xF -- "$2" || true; }

# without LIST LIST: prints what is in the first only.
without() { printf '%s\n' "$1" | grep -vxF -- "${2:-/}" | sed '/^$/d' || true; }
