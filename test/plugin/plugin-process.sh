# Starts the plugin in namespaces of its own, as a managed plugin sees its host. Needs no root: it runs below
# "unshare --map-root-user --mount --net".
# $1 an empty directory; $2 Node; $3 the program
set -e
mount -t tmpfs tmpfs "$1"
for entry in /*; do
  case $entry in /run | /host) continue ;; esac
  if [ -L "$entry" ]; then
    cp -P "$entry" "$1$entry"
  elif [ -d "$entry" ]; then
    mkdir "$1$entry"
    mount --rbind "$entry" "$1$entry"
  fi
done
mkdir -p "$1/run" "$1/host/run" "$1/host/var/lib/romana" "$1/host/plugins" "$1/host/etc" "$1/host/proc"
echo 0123456789abcdef0123456789abcdef >"$1/host/etc/machine-id"
mount --rbind /proc "$1/host/proc"
# The machine's nameserver may lie in the middle of the plan.
mount --bind /dev/null "$1/etc/resolv.conf"
ip link set dev lo up
exec chroot "$1" "$2" "$3"
