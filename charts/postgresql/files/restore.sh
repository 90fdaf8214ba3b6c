# Puts the database back to what a backup holds, once for each new value of $RESTORE. Part of primary.sh, while nobody can
# be connected. The backup is read whole, into a database beside the one there is, before that one goes.
DONE=/data/restored

latest() {
  find /backups -name "$POSTGRES_DATABASE-*.dump" -printf '%f\n' | sort | tail -n 1
}

restore() {
  name=$RESTORE
  [ "$name" != latest ] || name=$(latest)
  if [ ! -f "/backups/$name" ]; then
    echo "there is no backup ${name:-of $POSTGRES_DATABASE}; there are:"
    find /backups -name '*.dump' -printf '  %f\n' | sort
    return 1
  fi >&2
  dropdb --if-exists "$POSTGRES_DATABASE.restored"
  createdb --owner="$POSTGRES_USER" "$POSTGRES_DATABASE.restored"
  pg_restore --exit-on-error --single-transaction --dbname="$POSTGRES_DATABASE.restored" "/backups/$name"
  dropdb "$POSTGRES_DATABASE"
  psql --dbname=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=name="$POSTGRES_DATABASE" <<'END'
select format('alter database %I rename to %I', :'name' || '.restored', :'name') \gexec
END
  echo "restored: $name"
}

if [ "$RESTORE" != "$(cat "$DONE" 2>/dev/null)" ]; then
  [ -z "$RESTORE" ] || restore
  printf %s "$RESTORE" >"$DONE.new"
  sync "$DONE.new"
  mv "$DONE.new" "$DONE"
fi
