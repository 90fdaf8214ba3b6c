# What primary and replicas share: where their files are, and what they are started with.
set -eu
umask 077
export PGDATA=/data/pg
OPTIONS="-c config_file=/config/postgresql.conf -c hba_file=/config/pg_hba.conf"

# A quarter of the container's memory for its own pages; the rest is the kernel's cache, sorts and connections.
cat >/run/postgresql/memory.conf <<END
shared_buffers = $((MEMORY_MIB / 4))MB
effective_cache_size = $((MEMORY_MIB / 2))MB
END

# What was made is there whole or not at all, whatever ends this script.
put_in_place() {
  sync "$PGDATA.new"
  mv "$PGDATA.new" "$PGDATA"
  sync /data
}
