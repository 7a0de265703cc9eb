#!/usr/bin/busybox sh
# Runs one step of a build pod when its turn comes, where all steps start at once (lib/builds/pod/at-once.ts; docs/builds.md "Steps are apart").
#
#     turn [-ready=FILE] [-after=STEP] [-hold=FILE] -- PROGRAM [ARGUMENT…]
#
#     -ready   a file of the kubelet: the step begins when it is there and not empty
#     -after   the step begins when that step is done
#     -hold    the container ends no sooner than that file is there
#     -signals=/buildWait, -signal-to=/buildSignal   where steps tell each other, and where this one does
#
# Steps tell each other `done` and `failed`, each a file in the folder of the step that says so. Folders belong to steps whose code is
# anybody's, so a signal is that a regular file is there and nothing else: no link is followed, no content read. Exit code: the program's,
# 143 when the pod is stopped, 45 when another step has failed (lib/api/step-exit.ts), 46 for a signal that is none.
#
# It runs under busybox's shell, which brings all other programs itself: nothing of the image that it runs in is used.
set -u

all=/buildWait own=/buildSignal
ready='' after='' hold='' child=''

while [ "$#" -gt 0 ]; do
  case $1 in
    -ready=*) ready=${1#*=} ;;
    -after=*) after=${1#*=} ;;
    -hold=*) hold=${1#*=} ;;
    -signals=*) all=${1#*=} ;;
    -signal-to=*) own=${1#*=} ;;
    --) shift; break ;;
    *) echo "flag provided but not defined: $1" >&2; exit 2 ;;
  esac
  shift
done
if [ "$#" -eq 0 ]; then echo 'need -- and a program' >&2; exit 2; fi

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# Never through a link, and never over what is there.
say() {
  ! is_there "$own/$1" && (set -C; : >"$own/$1") 2>/dev/null
}

# Nobody shall wait for a step that will never be done.
give_up() {
  echo "$2" >&2
  say failed
  exit "$1"
}

# Whether the step of that folder has given the signal.
is_given() {
  if [ -e "$1" ] && { [ ! -d "$1" ] || [ ! -x "$1" ]; }; then give_up 46 "$1 cannot be looked into"; fi
  is_there "$1/$2" || return 1
  if [ -L "$1/$2" ] || [ ! -f "$1/$2" ]; then
    give_up 46 "$1/$2 is not a file: the step that it belongs to did not write it"
  fi
}

look_for_failures() {
  for folder in "$all"/*; do
    if is_given "$folder" failed; then give_up 45 "another step has errored: ${folder##*/}"; fi
  done
}

# A pipe that nobody writes to: reading it with a time-out is a pause that starts no process, of which many steps wait for long.
clock="$own/clock"
{ mkfifo "$clock" && exec 3<>"$clock" && rm "$clock"; } 2>/dev/null || clock=''

# Often while steps follow each other within moments, seldom while one of them takes its time.
looks=0
pause() {
  looks=$((looks + 1))
  seconds=0.05
  if [ "$looks" -gt 600 ]; then seconds=0.25; fi
  if [ -n "$clock" ]; then read -t "$seconds" -r -u 3 _; else sleep "$seconds"; fi
}

stop() {
  if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; else say failed; exit 143; fi
}
trap stop TERM INT

if is_there "$own/done"; then give_up 46 'file specified for writing already exists'; fi
while [ -n "$ready" ] && [ ! -s "$ready" ]; do look_for_failures; pause; done
while [ -n "$after" ] && ! is_given "$all/$after" 'done'; do look_for_failures; pause; done
look_for_failures

if [ -n "$clock" ]; then "$@" 3>&- & else "$@" & fi
child=$!
wait "$child"
code=$?
# A signal ends the waiting, not the program.
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  code=$?
done
child=''

if [ "$code" -ne 0 ]; then
  say failed
  exit "$code"
fi
while [ -n "$hold" ] && [ ! -e "$hold" ]; do pause; done
say 'done' || give_up 46 'file specified for writing already exists'
