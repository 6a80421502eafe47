# Ends the services of a process that died, however it died. It reads what to end from a pipe that only that process
# holds open; the end of the input is the end of the process.
trap '' HUP INT QUIT TERM

# alive PID STARTED: this very process, no zombie, no later one of the same number.
alive() {
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086  # the fields after the name, one a word
    set -- "$2" ${stat##*) }
    [ "$2" != Z ] && [ "${21}" = "$1" ]
}

any_alive() {
    for process in $processes; do
        alive "$(field 1)" "$(field 2)" && return 0
    done
    return 1
}

field() { echo "$process" | cut -d: -f"$1"; }

signal_all() {
    for process in $processes; do
        pid=$(field 1)
        alive "$pid" "$(field 2)" && kill -s "${1:-$(field 3)}" "$pid" 2>/dev/null
    done
}

processes=''
directory=''
while read -r what rest; do
    case $what in
        process) processes="$processes $rest" ;; # PID:STARTED:SIGNAL
        remove) directory=$rest ;;
    esac
done

signal_all ''
tries=0
while any_alive && [ $tries -lt 100 ]; do
    sleep 0.2
    tries=$((tries + 1))
done
signal_all KILL

# A child of a service may still write for a moment: try again.
tries=0
while [ -n "$directory" ] && [ -e "$directory" ] && [ $tries -lt 25 ]; do
    rm -rf -- "$directory" 2>/dev/null
    [ -e "$directory" ] && sleep 0.2
    tries=$((tries + 1))
done
