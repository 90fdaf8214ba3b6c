#!/bin/sh
# Makes the database when there is none, sets its roles as the Secret has them, and becomes PostgreSQL.
. /scripts/common.sh

if [ ! -e "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.new"
  # initdb wants to know the name of whoever it runs as, which numbers of one's own do not have
  echo "postgres:x:$(id -u):$(id -g)::/tmp:/bin/sh" >/tmp/passwd
  LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=/tmp/passwd NSS_WRAPPER_GROUP=/dev/null \
    initdb --pgdata="$PGDATA.new" --username=postgres --auth-local=trust --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  put_in_place
fi
chmod 700 "$PGDATA" # fsGroup let the group in, which PostgreSQL refuses

# Nobody gets in before all is right: no address, and a socket where no probe looks.
export PGHOST=/tmp PGUSER=postgres
pg_ctl start --silent --wait --timeout=86400 --options="$OPTIONS -c listen_addresses= -c unix_socket_directories=/tmp"
trap 'pg_ctl stop --silent --wait --mode=fast' EXIT
psql --dbname=postgres --no-psqlrc --quiet --file=/scripts/roles.sql
. /scripts/restore.sh
pg_ctl stop --silent --wait --mode=fast
trap - EXIT

# shellcheck disable=SC2086  # a list of words
exec postgres $OPTIONS
