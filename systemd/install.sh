#!/usr/bin/env bash
# Installs this tree as a service: a station (default), or the city's receiver.
#
#   sudo systemd/install.sh [station|receiver] [--readers] [--dry-run] [--root DIR]
#
# It may be run again at any time: it changes (and restarts) only what differs, never touches settings,
# keys or a ledger that are there, and starts nothing while the settings do not hold. Afterwards caretakers
# type `kiosk` (/usr/local/bin/kiosk), a city's people `kiosk-receiver`.
#   --readers   also what Sony's RC-S380 and PC/SC readers need (packages, rights of the service)
#   --dry-run   says what it would do and does nothing
#   --root DIR  writes the files below DIR and leaves users, packages and services alone (for images)
set -euo pipefail
tree=$(cd "$(dirname "$0")/.." && pwd)

role=station dry=no root= readers=no
while [ $# -gt 0 ]; do
  case $1 in
    station | receiver) role=$1 ;;
    --dry-run) dry=yes ;;
    --readers) readers=yes ;;
    --root)
      root=${2:-}
      [ -d "$root" ] || { echo "install.sh: --root wants a folder that exists" >&2; exit 2; }
      shift
      ;;
    *)
      echo "install.sh: what is '$1'? Usage: systemd/install.sh [station|receiver] [--readers] [--dry-run] [--root DIR]" >&2
      exit 2
      ;;
  esac
  shift
done
if [ "$dry" = no ] && [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
  echo "install.sh: only root may do this. Run: sudo systemd/install.sh $role" >&2
  exit 2
fi

changed=no
# What was laid and is not run yet, for the settings did not hold or the run broke off: the next run's to restart.
due=/opt/kiosk/restart-due-$role
if [ -z "$root" ] && [ -e "$due" ]; then changed=yes; fi
trap 'if [ "$changed$dry$root" = yesno ] && [ -d "${due%/*}" ]; then touch "$due"; fi' EXIT
run() {
  echo "+ $*"
  [ "$dry" = yes ] || "$@"
}
on_this_machine() { [ -n "$root" ] || run "$@"; }
place() { # MODE SOURCE TARGET: copied when it differs
  local mode=$1 source=$tree/$2 target=$root$3
  if cmp -s "$source" "$target" && [ "$(stat -c %a "$target")" = "${mode#0}" ]; then return; fi
  changed=yes
  run install -D -m "$mode" "$source" "$target"
}
place_once() { # the same, but what is there stays: it is someone's settings
  if [ -e "$root$3" ]; then echo "= $root$3 stays as it is"; else place "$@"; fi
}
command_for_people() { # NAME: a link where every shell looks; what somebody else has there stays
  local program=/opt/kiosk/bin/$1 link=$root/usr/local/bin/$1
  if [ "$(readlink "$link")" = "$program" ]; then return; fi
  if [ -e "$link" ] || [ -L "$link" ]; then
    echo "install.sh: $link is somebody else's and stays as it is. Type $program, or move it away and run this again." >&2
  else
    run install -d "$root/usr/local/bin"
    run ln -s "$program" "$link"
  fi
}
debian() { # packages that are missing
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] ||
    on_this_machine env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# --- the program: /opt/kiosk, from the same hashed locks -------------------------------------------
program() {
  local pip=(/opt/kiosk/bin/python -m pip --disable-pip-version-check --quiet --no-input install) lock
  debian python3-venv
  [ -n "$root" ] || [ -x /opt/kiosk/bin/python ] || run python3 -m venv /opt/kiosk
  on_this_machine "${pip[@]}" --require-hashes -r "$tree/requirements/build.lock"
  for lock in "$@"; do
    on_this_machine "${pip[@]}" --no-build-isolation --require-hashes -r "$tree/requirements/$lock.lock"
  done
  if [ -n "$root" ] || program_is_current; then return; fi
  changed=yes
  run "${pip[@]}" --no-deps --no-build-isolation --no-index --force-reinstall "$tree"
}
program_is_current() {
  local site package
  site=$(/opt/kiosk/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null) || return 1
  for package in kiosk drivers sync; do
    diff -rq --exclude=__pycache__ "$tree/$package" "$site/$package" >/dev/null 2>&1 || return 1
  done
}

documents() { # what the units name, without the pictures; no reason for a restart
  local there=$root/opt/kiosk/share/docs
  if diff -rq --exclude=screens "$tree/docs" "$there" >/dev/null 2>&1; then return; fi
  run rm -rf "$there"
  run install -d "$there/decisions"
  run install -m 0644 "$tree"/docs/*.md "$there"
  run install -m 0644 "$tree"/docs/decisions/*.md "$there/decisions"
}

services() { # UNIT...: enabled and running, restarted when something changed
  on_this_machine systemctl daemon-reload
  on_this_machine systemctl enable --quiet "$@"
  if [ "$changed" = no ]; then
    on_this_machine systemctl start "$@"
  else
    on_this_machine systemctl restart "$@"
    on_this_machine rm -f "$due"
    changed=no
  fi
}

DROP_IN=/etc/systemd/system/kiosk-station.service.d/readers.conf
station() {
  local locks=(station)
  debian libzbar0 libgl1 libglib2.0-0 cage chromium fonts-noto-cjk
  case $(uname -m) in
    aarch64)
      locks=(station pi)
      # spidev has no wheel, lgpio none for Python 3.12 and later: built here, from the locked sources.
      debian gcc python3-dev
      python3 -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || debian swig liblgpio-dev
      ;;
  esac
  # Once there they are kept current, also by a run without the word.
  if [ -e "$root$DROP_IN" ]; then readers=yes; fi
  if [ "$readers" = yes ]; then
    locks+=(readers)
    # pyscard has no wheel for Linux: built here, from its locked source.
    debian gcc python3-dev swig libpcsclite-dev libusb-1.0-0 pcscd
    place 0644 systemd/kiosk-readers.conf "$DROP_IN"
    place 0644 systemd/kiosk-readers.modprobe.conf /etc/modprobe.d/kiosk-readers.conf
    place 0644 systemd/kiosk-pcsc.rules /etc/polkit-1/rules.d/49-kiosk-pcsc.rules
  fi
  place 0644 systemd/kiosk.sysusers.conf /usr/lib/sysusers.d/kiosk.conf
  place 0644 systemd/kiosk.tmpfiles.conf /usr/lib/tmpfiles.d/kiosk.conf
  on_this_machine systemd-sysusers /usr/lib/sysusers.d/kiosk.conf
  on_this_machine systemd-tmpfiles --create /usr/lib/tmpfiles.d/kiosk.conf
  program "${locks[@]}"
  command_for_people kiosk
  documents
  place 0755 systemd/wait-for-page /opt/kiosk/libexec/wait-for-page
  place 0755 systemd/start-screen /opt/kiosk/libexec/start-screen
  place 0644 systemd/70-kiosk.rules /etc/udev/rules.d/70-kiosk.rules
  place 0644 systemd/kiosk-watchdog.conf /etc/systemd/system.conf.d/kiosk.conf
  place 0644 systemd/kiosk-journald.conf /etc/systemd/journald.conf.d/kiosk.conf
  place 0644 systemd/chromium-policy.json /etc/chromium/policies/managed/kiosk.json
  place_once 0644 config/station.toml /etc/kiosk/station.toml
  place_once 0644 config/catalogue.toml /etc/kiosk/catalogue.toml
  for unit in station uplink screen; do
    place 0644 "systemd/kiosk-$unit.service" "/etc/systemd/system/kiosk-$unit.service"
  done
  on_this_machine udevadm control --reload
  # Settings that do not hold would only restart for ever: say so here, where someone is looking.
  if [ "$dry" = no ] && [ -z "$root" ] &&
    ! /opt/kiosk/bin/kiosk config check --config /etc/kiosk/station.toml; then
    echo "install.sh: the settings do not hold yet. Mend /etc/kiosk/station.toml and run this again." >&2
    exit 1
  fi
  services kiosk-station.service kiosk-uplink.service kiosk-screen.service
}

receiver() {
  place 0644 systemd/kiosk-receiver.sysusers.conf /usr/lib/sysusers.d/kiosk-receiver.conf
  on_this_machine systemd-sysusers /usr/lib/sysusers.d/kiosk-receiver.conf
  program station
  command_for_people kiosk-receiver
  documents
  place_once 0640 systemd/receiver.env /etc/kiosk-receiver/receiver.env
  place_once 0640 systemd/fiware.env /etc/kiosk-receiver/fiware.env
  place_once 0640 config/fiware.toml /etc/kiosk-receiver/fiware.toml
  place 0644 systemd/kiosk-receiver.service /etc/systemd/system/kiosk-receiver.service
  place 0644 systemd/kiosk-sink-fiware.service /etc/systemd/system/kiosk-sink-fiware.service
  # Enabled by whoever has a platform: here it is only kept current where it runs.
  if [ "$changed" = yes ]; then on_this_machine systemctl try-restart kiosk-sink-fiware.service; fi
  services kiosk-receiver.service
}

"$role"
if [ "$dry" = yes ]; then echo "nothing was changed (--dry-run)"; fi
