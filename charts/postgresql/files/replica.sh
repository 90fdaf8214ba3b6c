#!/bin/sh
# Copies the primary when there is no copy that can follow it, and becomes a PostgreSQL that follows it.
. /scripts/common.sh

printf '%s:5432:*:replicator:%s\n' "$PRIMARY" "$POSTGRES_REPLICATION_PASSWORD" >/run/postgresql/pgpass
NAME=$(printf %s "$HOSTNAME" | tr -c a-z0-9 _)
CONNECTION="host=$PRIMARY port=5432 user=replicator passfile=/run/postgresql/pgpass application_name=$NAME"

ask() {
  psql "$CONNECTION dbname=postgres connect_timeout=5" --no-psqlrc --quiet --tuples-only --no-align --command="$1"
}

# What a replication slot holds back for this replica: reserved, extended, unreserved; lost; nothing when there is no slot.
held_back() {
  ask "select coalesce(wal_status, 'reserved') from pg_replication_slots where slot_name = '$NAME'"
}

identity_here() {
  pg_controldata | sed -n 's/^Database system identifier: *//p'
}

# The copy is of another database, or the primary no longer has what comes after it.
is_useless() {
  held=$(held_back) && there=$(ask 'select system_identifier from pg_control_system()') || return 1 # it does not answer
  [ -z "$held" ] || [ "$held" = lost ] || [ "$there" != "$(identity_here)" ]
}

copy() {
  until pg_isready --quiet --host="$PRIMARY" --username=replicator; do sleep 1; done
  ask "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$NAME' and not active"
  ask "select pg_create_physical_replication_slot('$NAME', true)"
  rm -rf "$PGDATA.new"
  pg_basebackup --dbname="$CONNECTION" --pgdata="$PGDATA.new" --slot="$NAME" --wal-method=stream --checkpoint=fast
  touch "$PGDATA.new/standby.signal"
  put_in_place
}

# A replica that has less of these than its primary had does not start, and so never learns that the primary has less now.
at_least_as_primary() {
  pg_controldata | sed -n 's/_xacts setting:/_transactions setting:/; s/_xact setting:/_transaction setting:/;
    s/^\(max_[a-z_]*\) setting: */\1 /p' | while read -r name number; do
    own=$(postgres -C "$name" -c config_file=/config/postgresql.conf)
    [ "$own" -ge "$number" ] || printf ' -c %s=%s' "$name" "$number"
  done
}

if [ -e "$PGDATA/PG_VERSION" ] && is_useless; then
  echo "the copy cannot follow $PRIMARY any longer: it is made anew"
  rm -rf "$PGDATA"
fi
[ -e "$PGDATA/PG_VERSION" ] || copy
chmod 700 "$PGDATA" # fsGroup let the group in, which PostgreSQL refuses

# shellcheck disable=SC2046,SC2086  # lists of words
exec postgres $OPTIONS $(at_least_as_primary) -c "primary_conninfo=$CONNECTION" -c "primary_slot_name=$NAME"
