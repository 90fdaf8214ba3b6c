#!/bin/sh
# Writes the database into a file, reads that file again, and keeps the newest $KEEP.
set -eu
umask 027
rm -f /backups/*.partial # of a backup that was interrupted
file="/backups/$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
trap 'rm -f "$file.partial"' EXIT

pg_dump --format=custom --file="$file.partial"
pg_restore --file=/dev/null "$file.partial"
sync "$file.partial"
mv "$file.partial" "$file"
sync /backups
echo "backed up: ${file#/backups/} ($(stat --format=%s "$file") bytes)"

find /backups -name "$PGDATABASE-*.dump" | sort | head -n "-$KEEP" | while read -r old; do
  rm -f "$old"
  echo "removed: ${old#/backups/}"
done
