# Sourced by the proofs that need hosts of their own: runs one of Tests/Hosts in namespaces that end with it, as root.
# Needs `name`, what messages begin with, and `packages`, the Debian packages of the programs that it starts.

say() { printf '%s: %s\n' "$name" "$*" >&2; }
fail() { say "$@"; exit 1; }

[ "$(id -u)" = 0 ] || fail "hosts of its own take root: run it as root, for example with sudo"
command -v apt-get >/dev/null 2>&1 || fail "it takes Debian's packages $packages"

# Their services must not start: the proof starts its own.
install_packages() {
    missing=
    for package in $packages; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
        made=$policy
    fi
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    log=$(mktemp)
    # shellcheck disable=SC2086  # a list of words
    { apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing; } \
        >"$log" 2>&1 </dev/null || { cat "$log" >&2; fail "apt-get could not install:$missing"; }
    rm -f "$log"
    rm -f ${made:+"$made"}
    trap - EXIT
}

# prove FILE [ARGUMENTS…]: ends with everything that it started. What it wrote stays only if it fails.
prove() {
    install_packages
    binary=${RENGA_BINARY:-.build/release/renga}
    if [ -z "${RENGA_BINARY-}" ]; then
        say "building renga, optimised"
        swift build -c release --product renga >/dev/null || fail "renga does not build"
    fi
    folder=$(mktemp -d)
    chmod 0755 "$folder"
    # A shell is process 1 in there: it takes in orphans.
    # shellcheck disable=SC2016  # for that shell
    if PROOF_FOLDER=$folder RENGA_BINARY=$(realpath "$binary") unshare --net --mount --pid --fork --kill-child --mount-proc \
        sh -c '/usr/bin/python3 "$@"; exit $?' sh "$@"; then
        rm -rf "$folder"
    else
        fail "what the processes wrote is in $folder"
    fi
}
