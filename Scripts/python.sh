# Sourced by the tests that need Python: packages from PyPI, each set in a folder of its own under .build/sdk.
# Needs `name`, what messages begin with.

# SDKs whose wire format differs: the first with each API version, and the newest.
anthropic='0.75.0 1.17.0 2.11.0 2.14.0'
openai='1.109.1 3.52.0 3.57.0'
# What the SDKs' own suites need to run.
suite='pytest==9.0.3 pytest-asyncio==1.4.0 rich==15.0.0 httpx2'
# Its parser reads what `/metrics` says.
prometheus='prometheus-client==0.26.0'
# What makes requests of the OpenAPI document and judges the answers, with all that a seed depends on; and what judges the document.
generator='schemathesis==4.32.5 hypothesis==6.170.15 jsonschema-rs==0.60.3 openapi-spec-validator==0.9.0'
# What judges the files of deployments.
deploy='kubernetes-validate==1.37.0 cfn-lint==1.58.0'

say() { printf '%s: %s\n' "$name" "$*" >&2; }
fail() { say "$@"; exit 1; }

folder=.build/sdk
python=$folder/bin/python

python_with_venv() {
    python3 -c 'import venv, ensurepip' 2>/dev/null && return
    as_root=
    [ "$(id -u)" = 0 ] || as_root='sudo -n'
    say "installing python3-venv"
    # shellcheck disable=SC2086  # empty, or two words
    $as_root apt-get -qq update && $as_root apt-get -qq install -y --no-install-recommends python3-venv >/dev/null ||
        fail "missing: python3 with venv (Debian's python3-venv)"
}

python_with_venv
[ -x $python ] || python3 -m venv $folder

# install FOLDER PACKAGE==VERSION…: put there once.
install() {
    target=$folder/$1
    shift
    [ "$(cat "$target/.whole" 2>/dev/null)" != "$*" ] || return 0
    say "fetching $*"
    rm -rf "$target"
    $folder/bin/pip -q --disable-pip-version-check install --target "$target" "$@"
    printf '%s' "$*" >"$target/.whole"
}

# source_of NAME VERSION: a package as its authors publish it, with its tests; unpacked once.
source_of() {
    target=$folder/$1-$2-source
    [ ! -f "$target/.whole" ] || return 0
    say "fetching the source of $1 $2"
    rm -rf "$target"
    mkdir -p "$target"
    $folder/bin/pip -q --disable-pip-version-check download --no-deps --no-binary :all: -d "$target" "$1==$2"
    tar -xzf "$target/$1-$2.tar.gz" -C "$target" --strip-components 1
    touch "$target/.whole"
}

binary=${RENGA_BINARY:-.build/debug/renga}
[ -x "$binary" ] || swift build --product renga
