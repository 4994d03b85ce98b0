#!/bin/sh
# Puts MariaDB on a CI machine, where the database tests find it. PostgreSQL is there already or comes the same way. Needs root and apt.
set -eu
want=""
command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || want="$want mariadb-server-core mariadb-client-core"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || want="$want postgresql"
[ -n "$want" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends $want || { apt-get update && apt-get install -y --no-install-recommends $want; }
