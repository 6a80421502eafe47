# Shared by the scripts beside it; source it from bash.
# shellcheck shell=bash

set -euo pipefail

say() { printf '\n== %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 69
}

# Cargo picks the toolchain that Cargo.toml's rust-version asks for; an older one says so itself.
need_cargo() {
    if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then
        # shellcheck source=/dev/null
        . "$HOME/.cargo/env"
    fi
    command -v cargo >/dev/null || die "found no cargo; install Rust as https://rustup.rs says, then start again"
}

# Prints the Debian packages that are missing, judged by what they bring: another installation will do as well.
missing_packages() {
    command -v cc >/dev/null || echo build-essential
    case ${1:-} in
        to-build) return ;;
        to-count) command -v valgrind >/dev/null || echo valgrind; return ;;
    esac
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || echo postgresql
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || command -v rabbitmq-server >/dev/null || echo rabbitmq-server
    command -v pdftotext >/dev/null || echo poppler-utils
    [ -d /usr/share/poppler/cMap ] || echo poppler-data
    if [ "${1:-}" = for-faults ]; then
        command -v ip >/dev/null || echo iproute2
        compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo libfaketime
        python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
    fi
    if [ "${1:-}" = for-peers ]; then
        command -v node >/dev/null || echo nodejs
        command -v npm >/dev/null || echo npm
        command -v redis-server >/dev/null || echo redis-server
        command -v sidekiq >/dev/null || echo ruby-sidekiq
        python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
    fi
    if [[ "${1:-}" = for-tests || "${1:-}" = for-faults ]]; then
        command -v promtool >/dev/null || echo prometheus
        command -v amtool >/dev/null || echo prometheus-alertmanager
        command -v curl >/dev/null || echo curl
        command -v tesseract >/dev/null || echo tesseract-ocr
        /usr/bin/python3 -c 'import psycopg2' 2>/dev/null || echo python3-psycopg2
    fi
}

# install_missing YES [to-build|to-count|for-tests|for-faults|for-peers]: installs what is missing, after a question unless
# YES is "yes".
install_missing() {
    local yes=$1 packages answer root=()
    mapfile -t packages < <(missing_packages "${2:-}")
    [ ${#packages[@]} -gt 0 ] || return 0

    say "Missing Debian packages: ${packages[*]}"
    echo "Debian may start system services when it installs them. Docket leaves those alone and does not use them:"
    echo "it starts private instances on free ports, and ends them."
    command -v apt-get >/dev/null || die "found no apt-get; install the equivalents of: ${packages[*]}"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "run as root: apt-get install ${packages[*]}"
        root=(sudo)
    fi
    # Nobody can answer in CI or without a terminal.
    if [ "$yes" != yes ] && [ -z "${CI:-}" ] && [ -t 0 ]; then
        read -r -p "Install them with apt-get now? [y/N] " answer
        case $answer in [yY]*) ;; *) die "install them first: apt-get install ${packages[*]}" ;; esac
    fi
    "${root[@]}" apt-get update -qq || die "apt-get update failed; see above"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
        || die "apt-get install failed; see above"
}
