#!/usr/bin/env bash
# Takes the pictures in this folder: the refusal page in light, dark and 320 pixels wide, and the
# demo's home page with its banner, and the dashboard. Needs chromium, cargo and curl.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

cargo build --quiet --example demo
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
echo on >"$folder/maintenance.state"

# start NAME VARIABLES…: starts the demo and sets the variable NAME to its address.
start() {
    local name=$1 address
    shift
    (cd "$folder" && exec env DEMO_ADDR=127.0.0.1:0 "$@" "$target/debug/examples/demo") \
        >"$folder/$name.out" 2>/dev/null &
    pids+=($!)
    for _ in $(seq 100); do
        address=$(sed -n 's|^The shop is open at \(.*\)/$|\1|p' "$folder/$name.out")
        [ -n "$address" ] && break
        sleep 0.1
    done
    printf -v "$name" %s "${address:?the demo does not start}"
}

# shot FILE WIDTH HEIGHT URL OPTIONS…
shot() {
    local file=$1 width=$2 height=$3 url=$4
    shift 4
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/browser" \
        --window-size="$width,$height" --screenshot="$PWD/$file" "$@" "$url" >/dev/null 2>&1
    echo "$file"
}

dark=--blink-settings=preferredColorScheme=0
light=--blink-settings=preferredColorScheme=1

start closed MAINTENANCE_RESPONSE__MESSAGE="We are moving the shop to a new server."
shot refusal-light.png 800 500 "$closed/" "$light"
shot refusal-dark.png 800 500 "$closed/" "$dark"
# Headless chromium has no narrow windows: the page is put into a frame of 320 pixels.
printf '<body style="margin:0"><iframe src="%s/" style="border:0;width:320px;height:560px"></iframe>' \
    "$closed" >"$folder/narrow.html"
shot refusal-narrow.png 320 560 "file://$folder/narrow.html" "$light"

start open MAINTENANCE_EXEMPT__ANONYMOUS=true MAINTENANCE_EXEMPT__SUPERUSERS=true
shot demo-light.png 800 700 "$open/" "$light"
shot demo-dark.png 800 700 "$open/login/superuser" "$dark"

# The dashboard of a site in maintenance, with windows ahead. What it shows is planned from now on.
later() { date -u -d "$1" +%Y-%m-%dT%H:00; }
change() {
    curl -fsS -b "$folder/cookies" -o "$folder/answer" "$open/maintenance-mode/$1" "${@:2}"
}
curl -fsS -c "$folder/cookies" -o "$folder/answer" "$open/login/superuser"
change off -X POST
change plan --data-urlencode "title=New database" --data-urlencode "reason=Ticket 4711" -d zone=UTC \
    -d "start=$(later '+20 hours')" -d "end=$(later '+23 hours')"
change plan --data-urlencode "title=Weekly backup" -d repeat=weekly -d zone=UTC \
    -d "start=$(later '+4 days')" -d "end=$(later '+4 days 2 hours')"
change on -d for=30m --data-urlencode "reason=Release 4.2" \
    --data-urlencode "message=We are moving the shop to a new server."
dashboard="$open/login/superuser?next=/maintenance-mode/"
shot dashboard-light.png 1000 1130 "$dashboard" "$light"
shot dashboard-dark.png 1000 1130 "$dashboard" "$dark"
