# Starts a mounting program where it sees nothing of the machine but programs, its own directory and a place on disk:
# it reads what strangers' servers send. Arguments: directory for the root, its own directory, the disk's, the user it
# runs as, a directory with Python ("" for none), "drop" or "mount" (that program mounts itself, and drops its rights
# by itself), the command. Environment: JOIN, files of cgroups to enter.
# Its mount namespace is a copy: what would keep other volumes' mounts alive is let go with the old root.
set -e
umask 022
root=$1 own=$2 disk=$3 user=$4 python=$5 kind=$6
shift 6
for procs in $JOIN; do echo $$ >"$procs"; done
while read -r _ _ _ _ at _ rest; do
  case "$rest" in shared:*) [ "$at" = "$own" ] || mount --make-private "$at" ;; esac
done </proc/self/mountinfo
mount -t tmpfs -o mode=0755,size=4m,nosuid none "$root"
cd "$root"
mkdir -p dev disk etc/davfs2 mnt old own proc root run/mount.davfs tmp usr var
ln -s ../run var/run
for one in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$one" ]; then cp -P "/$one" $one; elif [ -d "/$one" ]; then mkdir $one && mount --bind "/$one" $one; fi
done
mount --bind /usr usr
for one in resolv.conf hosts nsswitch.conf ld.so.cache ssl ca-certificates; do
  if [ -d "/etc/$one" ]; then mkdir "etc/$one"; elif [ -e "/etc/$one" ]; then : >"etc/$one"; else continue; fi
  mount --bind "/etc/$one" "etc/$one"
done
printf 'root:x:0:0::/root:/bin/false\nskerry:x:%s:%s::/own:/bin/false\n' "$user" "$user" >etc/passwd
printf 'root:x:0:\nskerry:x:%s:\n' "$user" >etc/group
: >etc/mime.types
: >etc/fstab
ln -s /proc/mounts etc/mtab
for one in null urandom; do : >dev/$one && mount --bind /dev/$one dev/$one; done
mount --rbind "$own" own
mount --bind "$disk" disk
if [ -n "$python" ]; then mkdir -p ".$python" && mount --bind "$python" ".$python"; fi
if [ $kind = mount ]; then
  cp own/davfs2.conf own/secrets etc/davfs2/
  chmod 0600 etc/davfs2/*
  chgrp "$user" run/mount.davfs && chmod 1775 run/mount.davfs
  mknod -m 0600 dev/fuse c 10 229
else
  chown "$user" mnt
  mknod -m 0666 dev/fuse c 10 229
  if [ -e own/fusermount ]; then mount --bind own/fusermount usr/bin/fusermount; fi
fi
mount -t proc proc proc
pivot_root . old
cd /own
umask 077
umount -l /old
if [ $kind = mount ]; then
  exec setpriv --no-new-privs --inh-caps=-all \
    --bounding-set=-all,+sys_admin,+setuid,+setgid,+chown,+dac_override,+fowner -- "$@"
fi
mount -o remount,bind,ro /
umount -l /proc
exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
