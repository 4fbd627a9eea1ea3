#!/usr/bin/env bash
# Installs Quanwei as a service, or brings an installed one up to this version. Safe to run again at any time:
# configuration and data are never overwritten.
#
#   sudo systemd/install.sh [--site-id ID] [--site-name NAME] [--street ID] [--no-start] [--dry-run]
#   sudo systemd/install.sh --uninstall [--dry-run]        keeps configuration, data and backups
#
# --root DIR stages everything below DIR for an image: no user is made and systemd is left alone.
set -eu

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
UNITS="quanwei-gateway.service quanwei-vision.service quanwei-backup.service quanwei-backup.timer"
# They take the processor that nobody else wants.
IDLY="quanwei-vision.service quanwei-backup.service"
SITE_ID=compound SITE_NAME=小区 STREET=street
ROOT='' DRY=no START=yes ACTION=install FRESH=no

wrong_use() {
  echo "$1" >&2
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --site-id | --site-name | --street | --root)
      [ $# -ge 2 ] || wrong_use "$1 needs a value"
      case $1 in
        --site-id) SITE_ID=$2 ;;
        --site-name) SITE_NAME=$2 ;;
        --street) STREET=$2 ;;
        --root) ROOT=$2 ;;
      esac
      shift
      ;;
    --no-start) START=no ;;
    --dry-run) DRY=yes ;;
    --uninstall) ACTION=uninstall ;;
    -h | --help)
      sed -n '2,9s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) wrong_use "unknown option: $1" ;;
  esac
  shift
done
case $SITE_ID$STREET in *[!A-Za-z0-9._-]*) wrong_use '--site-id and --street: letters, digits, dot, dash and underscore only' ;; esac
case $SITE_NAME in *[\"\\]*) wrong_use '--site-name: no quotes or backslashes' ;; esac

PROGRAM=$ROOT/opt/quanwei
CONFIG=$ROOT/etc/quanwei
DATA=$ROOT/var/lib/quanwei
VISION=$ROOT/var/lib/quanwei-vision
BACKUPS=$ROOT/var/backups/quanwei
UNIT_DIR=$ROOT/etc/systemd/system
LAUNCHER=$ROOT/usr/local/bin/quanwei

say() { printf '%s\n' "$*"; }
# Everything that changes the machine goes through here.
run() {
  if [ "$DRY" = yes ]; then
    printf 'would run:'
    printf ' %q' "$@"
    printf '\n'
  else "$@"; fi
}
# Writes standard input to a file, when that changes it. $1 file, $2 mode
put() {
  if [ "$DRY" = yes ]; then
    cat >/dev/null
    say "would write: $1 ($2)"
    return
  fi
  local new
  new=$(mktemp "$1.XXXXXX")
  cat >"$new"
  chmod "$2" "$new"
  if [ -f "$1" ] && cmp -s "$new" "$1"; then rm -f "$new"; else mv -f "$new" "$1"; fi
}
# Only where a real system is being installed, not an image.
live() { if [ -z "$ROOT" ]; then run "$@"; fi; }

if [ "$DRY" = no ] && [ -z "$ROOT" ] && [ "$(id -u)" != 0 ]; then
  echo '请用 root 运行 / run this as root: sudo systemd/install.sh' >&2
  exit 1
fi
if [ -z "$ROOT" ] && ! command -v systemctl >/dev/null; then
  echo '没有 systemd / this machine has no systemd: start `quanwei gateway` by other means' >&2
  exit 1
fi

uninstall() {
  for unit in quanwei-backup.timer quanwei-vision.service quanwei-gateway.service; do
    if [ -f "$UNIT_DIR/$unit" ]; then live systemctl disable --now "$unit"; fi
  done
  for unit in $UNITS; do
    run rm -f "$UNIT_DIR/$unit" "$UNIT_DIR/$unit.d/idle.conf"
    if [ -d "$UNIT_DIR/$unit.d" ]; then run rmdir --ignore-fail-on-non-empty "$UNIT_DIR/$unit.d"; fi
  done
  live systemctl daemon-reload
  run rm -rf "$PROGRAM" "$PROGRAM.previous"
  run rm -f "$LAUNCHER"
  say "已卸载，数据保留 / removed; kept: $CONFIG $DATA $VISION $BACKUPS (and the users)"
}

# The program, whole, beside the one that runs; then two renames.
install_program() {
  local node new
  node=$(command -v node) || {
    echo 'Node ≥ 20.19 is needed: https://github.com/nodesource/distributions' >&2
    exit 1
  }
  # Models are kept with the data: they outlive the program's versions, and the service can add a size a camera asks for.
  run install -d -m 750 "$VISION"
  run install -d -m 755 "$VISION/models"
  for kept in "${QUANWEI_MODELS_DIR-}" "$SOURCE/models/cache" "$DATA/models"; do
    if [ -n "$kept" ] && [ -d "$kept" ] && ! [ "$kept" -ef "$VISION/models" ]; then run cp -an "$kept/." "$VISION/models/"; fi
  done
  run env QUANWEI_MODELS_DIR="$VISION/models" "$node" "$SOURCE/src/setup/setup.mjs" --for run
  new=$PROGRAM.new
  run rm -rf "$new"
  run mkdir -p "$new" "$(dirname "$LAUNCHER")"
  for part in package.json package-lock.json .npmrc dist device-profiles models systemd docs node_modules \
    README.md README.zh.md LICENSE NOTICE; do
    if [ -e "$SOURCE/$part" ]; then run cp -a "$SOURCE/$part" "$new/"; fi
  done
  run rm -rf "$new/models/cache"
  # The page is served as it is written.
  run mkdir -p "$new/src"
  run cp -a "$SOURCE/src/page" "$new/src/"
  run npm --prefix "$new" --loglevel=error prune --omit=dev --ignore-scripts
  run chown -R root:root "$new"
  run chmod -R a+rX,go-w "$new"
  run rm -rf "$PROGRAM.previous"
  if [ -e "$PROGRAM" ]; then run mv "$PROGRAM" "$PROGRAM.previous"; fi
  run mv "$new" "$PROGRAM"
  put "$LAUNCHER" 755 <<SH
#!/bin/sh
# Written by systemd/install.sh.
# For root the work is done as the gateway's own user: what it writes has to be the gateway's.
if [ "\$(id -u)" = 0 ] && id quanwei >/dev/null 2>&1; then
  # The service's log can be read by root only, and belongs to what helpers need.
  if [ "\${1-}" = support-bundle ]; then
    journalctl -u quanwei-gateway -n 5000 -o cat --no-pager | runuser -u quanwei -- "\$0" "\$@" --log -
    exit
  fi
  # What is seen belongs to the vision process, which may not read the gateway's data, nor the other way round.
  case "\${1-}" in
    vision | models | enrol | faces | replay | detect) exec runuser -u quanwei-vision -g quanwei -- "\$0" "\$@" ;;
  esac
  exec runuser -u quanwei -- "\$0" "\$@"
fi
export QUANWEI_MODELS_DIR="\${QUANWEI_MODELS_DIR:-/var/lib/quanwei-vision/models}"
exec "$node" /opt/quanwei/dist/main/cli.js "\$@"
SH
}

install_user() {
  [ -z "$ROOT" ] || return 0
  if ! id quanwei >/dev/null 2>&1; then
    run useradd --system --user-group --home-dir /var/lib/quanwei --no-create-home --shell /usr/sbin/nologin quanwei
  fi
  if ! id quanwei-vision >/dev/null 2>&1; then
    run useradd --system --gid quanwei --home-dir /var/lib/quanwei-vision --no-create-home --shell /usr/sbin/nologin quanwei-vision
  fi
}

install_directories() {
  local group=root
  if [ -z "$ROOT" ]; then group=quanwei; fi
  run install -d -m 750 "$CONFIG"
  run install -d -m 700 "$DATA" "$BACKUPS"
  run install -d -m 750 "$VISION"
  live chown root:quanwei "$CONFIG"
  live chown quanwei:quanwei "$DATA" "$BACKUPS"
  live chown quanwei-vision:quanwei "$VISION"
  live chown -R quanwei-vision:quanwei "$VISION/models"
  if [ ! -e "$CONFIG/gateway.yaml" ]; then
    FRESH=yes
    sed -e "s|@SITE_ID@|$SITE_ID|" -e "s|@SITE_NAME@|${SITE_NAME//|/}|" -e "s|@STREET@|$STREET|" \
      "$SOURCE/systemd/gateway.example.yaml" | put "$CONFIG/gateway.yaml" 640
  fi
  if [ ! -e "$CONFIG/secrets.env" ]; then
    put "$CONFIG/secrets.env" 640 <<'ENV'
# NAME=value lines for the ${NAME} references in gateway.yaml. Read by the gateway and by the quanwei command.
ENV
  fi
  run chgrp "$group" "$CONFIG/gateway.yaml" "$CONFIG/secrets.env"
}

# Whether a group can be given the processor that nobody else wants. Where it cannot, systemd would let go of the weight too.
knows_idle_groups() {
  local systemd linux
  [ -z "$ROOT" ] && [ -e /sys/fs/cgroup/cgroup.controllers ] || return 1
  systemd=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  linux=$(uname -r)
  [ "${systemd:-0}" -ge 252 ] && [ "$(printf '5.15\n%s\n' "$linux" | sort -V | head -n 1)" = 5.15 ]
}

install_units() {
  run mkdir -p "$UNIT_DIR"
  for unit in $UNITS; do put "$UNIT_DIR/$unit" 644 <"$SOURCE/systemd/$unit"; done
  for unit in $IDLY; do
    if knows_idle_groups; then
      run mkdir -p "$UNIT_DIR/$unit.d"
      put "$UNIT_DIR/$unit.d/idle.conf" 644 <<'UNIT'
# Written by systemd/install.sh: this systemd and this Linux know it (docs/decisions/171).
[Service]
CPUWeight=idle
UNIT
    else run rm -f "$UNIT_DIR/$unit.d/idle.conf"; fi
  done
  live systemctl daemon-reload
  live systemctl enable quanwei-gateway.service quanwei-vision.service quanwei-backup.timer
}

if [ "$ACTION" = uninstall ]; then
  uninstall
  exit 0
fi
install_program
install_user
install_directories
install_units
if [ "$START" = yes ]; then
  live systemctl restart quanwei-gateway.service
  # Without cameras it ends at once.
  live systemctl restart quanwei-vision.service
  live systemctl start quanwei-backup.timer
fi
say
say "已安装 / installed. 配置 configuration: $CONFIG/gateway.yaml   数据 data: $DATA"
say "体检 check:    sudo quanwei check"
say "日志 log:      journalctl -u quanwei-gateway -f"
if [ "$FRESH" = yes ]; then say "首次登录 first login: sudo cat $DATA/first-login.txt"; fi
