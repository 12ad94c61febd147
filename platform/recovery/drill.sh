#!/usr/bin/env bash
# Rehearses a recovery on a PostgreSQL of its own and measures it: drill.sh pitr|failover [MEGABYTES]. Payments are written all
# the while and each commit that was answered is noted, so what a recovery loses is counted, not guessed.
# Prints one line of JSON a measurement; 1 when a goal is missed (RPO 60 s, RTO 120 s) or the books are wrong.
set -euo pipefail

kind=${1:?pitr or failover}
megabytes=${2:-200}
rpo_goal=60
rto_goal=120
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -1)
work=$(mktemp -d /tmp/localplus-drill-XXXXXX)
port=${DRILL_PORT:-5990}
account=$([ "$(id -u)" = 0 ] && echo postgres || id -un)
writer=

as() { if [ "$account" = "$(id -un)" ]; then "$@"; else runuser -u "$account" -- "$@"; fi; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
sql() { as "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work" -p "${PORT:-$port}" -d postgres "$@"; }
say() { echo "$*" >&2; }

finish() {
  [ -z "$writer" ] || kill "$writer" 2>/dev/null || true
  for data in "$work"/primary "$work"/standby "$work"/restored; do
    [ ! -f "$data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
  done
  [ -n "${DRILL_KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT

start() {
  as "$bin/pg_ctl" -D "$work/$1" -w -t 600 -l "$work/$1.log" \
    -o "-p $2 -c listen_addresses= -c unix_socket_directories=$work $3" start >/dev/null
}

until_writable() {
  until PORT=$1 sql -c "SELECT pay(0)" >/dev/null 2>&1; do :; done
}

# Two accounts to a payment, so the sum of all entries is 0 whatever is lost.
books() {
  sql <<'SQL'
CREATE TABLE entries (tx bigint NOT NULL, account int NOT NULL, amount bigint NOT NULL, note text NOT NULL);
CREATE INDEX ix_entries_tx ON entries (tx);
CREATE FUNCTION pay(n bigint) RETURNS text LANGUAGE sql AS $$
  WITH made AS (
    INSERT INTO entries VALUES (n, n % 1000, -1, 'payment'), (n, (n + 1) % 1000, 1, 'payment') RETURNING tx)
  SELECT min(tx) || ' ' || extract(epoch FROM clock_timestamp()) FROM made $$;
SQL
  # About 1 kB a row with its index.
  sql -c "INSERT INTO entries SELECT -(i / 2), i % 1000, CASE i % 2 WHEN 0 THEN 1 ELSE -1 END, repeat(md5(i::text), 28)
            FROM generate_series(0, $megabytes * 1000 - 1) i"
}

write() {
  { for ((n = 1; ; n++)); do echo "SELECT pay($n);"; sleep 0.02; done; } 2>/dev/null \
    | sql >"$work/answered" 2>/dev/null &
  writer=$!
}

answered() { tail -n 1 "$work/answered" | cut -d' ' -f"$1"; }

judge() {
  local kind=$1 rto=$2 died=$3 kept_at=$4 lost=$5 sum=$6
  awk -v kind="$kind" -v mb="$megabytes" -v rto="$rto" -v died="$died" -v kept="$kept_at" -v lost="$lost" -v sum="$sum" \
    -v rpo_goal=$rpo_goal -v rto_goal=$rto_goal 'BEGIN {
      rpo = lost > 0 ? died - kept : 0
      good = rpo <= rpo_goal && rto <= rto_goal && sum == 0
      printf "{\"drill\": \"%s\", \"megabytes\": %d, \"rto_s\": %.1f, \"rpo_s\": %.1f, \"payments_lost\": %d, \"sum_of_entries\": %d, \"goals_met\": %s}\n",
        kind, mb, rto, rpo, lost, sum, good ? "true" : "false"
      exit !good }'
}

conclude() {
  local kind=$1 at_port=$2 died=$3 rto=$4
  local last kept_at sum lost holes
  last=$(PORT=$at_port sql -c "SELECT coalesce(max(tx), 0) FROM entries WHERE tx > 0")
  kept_at=$(awk -v last="$last" '$1 == last { print $2 }' "$work/answered")
  lost=$(($(answered 1) > last ? $(answered 1) - last : 0))
  sum=$(PORT=$at_port sql -c "SELECT sum(amount) FROM entries")
  holes=$(PORT=$at_port sql -c "SELECT $last - count(DISTINCT tx) FROM entries WHERE tx > 0")
  [ "$holes" = 0 ] || { say "$holes payments are missing before the last one that is there"; exit 1; }
  judge "$kind" "$rto" "$died" "${kept_at:-$died}" "$lost" "$sum"
}

make_primary() {
  [ "$account" = "$(id -un)" ] || chown "$account" "$work"
  as "$bin/initdb" -D "$work/primary" --data-checksums -A trust >/dev/null
  # In the data, so that a restored or copied server has them too.
  as tee -a "$work/primary/postgresql.conf" >/dev/null
  start primary "$port" ""
  books
}

backrest() { as pgbackrest --config="$work/pgbackrest.conf" --stanza=localplus "$@"; }

pitr() {
  mkdir -p "$work/repository" "$work/logs"
  sed -e "s|@repository@|$work/repository|; s|@logs@|$work/logs|; s|@data@|$work/primary|; s|@socket@|$work|; s|@port@|$port|" \
    "$here/pgbackrest.conf" >"$work/pgbackrest.conf"
  chown -R "$account" "$work"
  make_primary <<CONF
wal_level = replica
shared_buffers = 256MB
max_wal_size = 2GB
archive_mode = on
archive_timeout = 60
archive_command = 'pgbackrest --config=$work/pgbackrest.conf --stanza=localplus archive-push %p'
CONF
  backrest stanza-create
  local began; began=$(now)
  backrest --type=full backup
  say "full backup of $megabytes MB in $(since "$began") s, $(du -sm "$work/repository" | cut -f1) MB kept"
  write
  sleep "${DRILL_WRITES:-75}"

  # The machine is gone, with its log: only what was archived comes back.
  local died; died=$(now)
  as kill -9 "$(head -1 "$work/primary/postmaster.pid")"
  kill "$writer" 2>/dev/null || true
  writer=
  rm -rf "$work/primary"
  mkdir -m 700 "$work/primary"; chown "$account" "$work/primary"
  backrest --log-level-console=error restore
  start primary "$port" ""
  until_writable "$port"
  conclude pitr-lost-machine "$port" "$died" "$(since "$died")"

  # Somebody deletes the books; the archive brings back the second before.
  backrest --type=incr backup
  sql -c "SELECT pay(g) FROM generate_series(1000001, 1000100) g" >/dev/null
  sleep 1
  local before kept; before=$(sql -c "SELECT now()"); kept=$(sql -c "SELECT count(*) FROM entries WHERE tx <> 0")
  sleep 1
  sql -c "DELETE FROM entries" -c "SELECT pg_switch_wal()" >/dev/null
  died=$(now)
  as "$bin/pg_ctl" -D "$work/primary" -m fast -w stop >/dev/null
  backrest --log-level-console=error --delta --type=time --target="$before" --target-action=promote restore
  start primary "$port" ""
  local rto count; until_writable "$port"; rto=$(since "$died")
  count=$(sql -c "SELECT count(*) FROM entries WHERE tx <> 0")
  [ "$count" = "$kept" ] || { say "$kept entries were there, $count came back"; exit 1; }
  judge pitr-deleted-books "$rto" "$died" "$died" 0 "$(sql -c "SELECT sum(amount) FROM entries")"
}

failover() {
  make_primary <<CONF
wal_level = replica
max_wal_senders = 5
shared_buffers = 256MB
max_wal_size = 2GB
CONF
  as "$bin/pg_basebackup" -h "$work" -p "$port" -D "$work/standby" -R -X stream -c fast
  start standby "$((port + 1))" "-c hot_standby=on"
  write
  sleep "${DRILL_WRITES:-10}"
  # Fenced by its end: it can not come back as a second primary.
  local died; died=$(now)
  as kill -9 "$(head -1 "$work/primary/postmaster.pid")"
  kill "$writer" 2>/dev/null || true
  writer=
  until ! PORT=$port sql -c "SELECT 1" >/dev/null 2>&1; do :; done
  as "$bin/pg_ctl" -D "$work/standby" -w promote >/dev/null
  until_writable "$((port + 1))"
  conclude failover "$((port + 1))" "$died" "$(since "$died")"
}

case $kind in
  pitr | failover) "$kind" ;;
  *) say "there are drills for pitr and failover"; exit 2 ;;
esac
