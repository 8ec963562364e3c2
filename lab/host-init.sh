#!/bin/sh
# Becomes process 1 of a host of the lab. Called in new mount, PID, UTS and IPC namespaces, inside the host's network
# namespace, as: host-init.sh ROOT DIRECTORY NAME. Nothing it mounts is seen outside; all of it goes with the process.
set -eu
root=$1
directory=$2
name=$3

# /proc is still the machine's, so this is the PID as the machine sees it.
read -r pid rest < /proc/self/stat
exec 3> "$directory/init.pid"

mount --make-rprivate /
mount -t overlay -o "lowerdir=$root,upperdir=$directory/upper,workdir=$directory/work" overlay "$directory/root"
cd "$directory/root"
mount -t proc proc proc
# A sysfs made in this network namespace shows its links; the control groups are the machine's.
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
# Docker's overlay2 cannot lie on an overlay.
mount --bind "$directory/docker" var/lib/docker
if [ -d /lib/modules ]; then
  mkdir -p usr/lib/modules
  mount --bind /lib/modules usr/lib/modules
fi

mkdir run/machine
pivot_root . run/machine
umount -l run/machine
rmdir run/machine
# As systemd does: what is mounted on a host is seen in the mount namespaces of its containers and plugins.
mount --make-rshared /
hostname "$name"
echo "$pid" >&3
exec tini -- sleep infinity 3>&-
