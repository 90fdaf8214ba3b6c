#!/bin/bash
# Makes .venv with skerry, kubectl and helm in it, and installs the Debian packages that are missing. Quick when done.
# With --dev also what tests and checks need.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
locks=(requirements.lock)

PACKAGES="containerd crun runc nftables containernetworking-plugins busybox-static catatonit buildah iproute2 conntrack
  util-linux mount procps e2fsprogs xfsprogs mmdebstrap ca-certificates make git"
# The portal's JavaScript comes by npm. Whose npm it is does not matter: Debian's is a package of its own, others bring
# it with nodejs.
command -v npm >/dev/null || PACKAGES+=" nodejs npm"
if [ "${1:-}" = --dev ]; then
  locks+=(requirements-dev.lock)
  PACKAGES+=" sshfs davfs2 s3fs openssh-server apache2-bin"
  PACKAGES+=" bind9 pdns-server pdns-backend-sqlite3 sqlite3 haproxy keepalived curl pebble libfaketime btrfs-progs fio wrk"
  PACKAGES+=" slapd ldap-utils chromium docker-registry"
fi
POLICY=/usr/sbin/policy-rc.d

missing_packages() {
  local package
  for package in $PACKAGES; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
  usable_python >/dev/null || echo python3 python3-venv
}

# A Python of 3.11 or later that can make environments.
usable_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y --no-install-recommends "$@" || {
    apt-get update
    apt-get install -y --no-install-recommends "$@"
  }
}

# What is started at boot: units, and scripts of old kind (slapd has one).
boot_links() {
  { ls -d /etc/systemd/system/multi-user.target.wants/* /etc/rc[2-5].d/S* 2>/dev/null || true; } | sort
}

# Installing containerd, Caddy or BIND would start the distribution's own service, and again at every boot. Skerry and its
# tests run their own; a service that was here before is left alone.
without_services() {
  local before made_policy=0 code=0
  before=$(boot_links)
  if [ ! -e $POLICY ]; then
    printf '#!/bin/sh\nexit 101\n' >$POLICY
    chmod 755 $POLICY
    made_policy=1
  fi
  "$@" || code=$?
  if [ $made_policy = 1 ]; then rm -f $POLICY; fi
  for link in $(comm -13 <(echo "$before") <(boot_links)); do rm -f "$link"; done
  return $code
}

# Byte code is made for what the engine imports only: half of the installation's time would be spent on all of it.
packages_of() { # packages_of LOCK_FILE
  local pip=".venv/bin/python -m pip --quiet --disable-pip-version-check"
  { .venv/bin/python -c 'import pip' 2>/dev/null || "$(usable_python)" -m venv --clear .venv; } &&
    $pip install --no-compile --require-hashes -r "$1" &&
    $pip install --no-compile --no-deps --no-build-isolation --editable .
}

# Engine and test clusters start in a third of the time with it; written even where the environment forbids it by default.
# A cluster is run, since much is imported when it is used.
byte_code() {
  env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c '
import skerry.engine.program.engine, skerry.cli.up, skerry.testing
from skerry.engine.certificates.helper import checks, issuing, orders  # imported by a process beside the engine
with skerry.testing.cluster():
    pass'
}

wanted=$(missing_packages)
if [ -n "$wanted" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these packages are missing: run as root: apt-get install" $wanted >&2
    exit 3
  fi
  # shellcheck disable=SC2086  # a list of words
  step "Debian packages: $(echo $wanted | cut -c1-26)" without_services install_packages $wanted
fi

for lock in "${locks[@]}"; do
  stamp=.venv/.done-$lock
  fingerprint=$(cat "$lock" pyproject.toml scripts/clients.lock scripts/setup.sh | sha256sum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint" ]; then
    rm -f "$stamp"
    step "Python packages of $lock" packages_of "$lock"
    if [ "$lock" = requirements.lock ]; then
      step "kubectl and helm" .venv/bin/python scripts/install_clients.py
      step "byte code of the engine" byte_code
    fi
    echo "$fingerprint" >"$stamp"
  fi
done

scripts/portal_assets.sh --missing || step "JavaScript of the portal" scripts/portal_assets.sh
