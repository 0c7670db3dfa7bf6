# Sourced by the doors beside it: sets `root` and `venv`, and makes .venv on first use or when pyproject.toml,
# constraints.txt, what is compiled or the place of the checkout changed. When nothing did, no Python is started.
# `extras` is what the door needs installed: `parquet` for the tool alone, `dev` (the default) for all there is.

set -euo pipefail

extras=${extras:-dev}
root=$(cd -P "${BASH_SOURCE[0]%/*}/.." && pwd)
venv=$root/.venv
stamp=$venv/marketsim.stamp # what .venv was made from, or "unfinished" while it is being made

read_into() { # VARIABLE FILE
  IFS= read -r -d '' "$1" <"$2" || true
}

up_to_date() {
  local project constraints compiled
  made=
  read_into project "$root/pyproject.toml"
  read_into constraints "$root/constraints.txt"
  wanted=$root$'\n'$project$constraints
  [[ -f $stamp ]] && read_into made "$stamp"
  for compiled in "$root"/setup.py "$root"/marketsim/{optimizers/exact,execution}/c/*; do
    [[ ! $compiled -nt $stamp ]] || return 1
  done
  [[ $made == "$wanted$extras" || $made == "${wanted}dev" ]]
}

set_up() {
  local python
  for python in python3 python3.14 python3.13 python3.12 python3.11 ''; do
    [[ -n $python ]] || { echo "marketsim needs Python 3.11 or newer on the PATH" && return 1; }
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
  done
  # The lock belongs to descriptor 9, which this shell shares with the Python that takes it, until it is closed.
  exec 9>"$root/.venv.lock"
  "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  if ! up_to_date; then
    echo "setting up $venv (once; this takes a minute, or a few for the tests)"
    [[ -z $made || $made == "$root"$'\n'* ]] || rm -rf "$venv" # half made, or made in another place
    mkdir -p "$venv"
    printf unfinished >"$stamp"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check -c "$root/constraints.txt" -e "$root[$extras]"
    "$venv/bin/python" -m compileall -q "$root/marketsim" # a third of the start, where Python may not cache by itself
    printf '%s' "$wanted$extras" >"$stamp.new"
    mv "$stamp.new" "$stamp"
  fi
  exec 9>&-
}

run=exec
if ! up_to_date; then
  set_up >&2
  run= # this process is old by now; a new one tells its own age right
fi
