#!/usr/bin/env bash
# Takes the pictures in this folder: the refusal page in light, dark and 320 pixels wide, and the
# demo's home page with its banner, and the dashboard. Needs chromium, cargo and curl.
#
# `docs/screenshots.sh states [FOLDER]` takes the dashboard in all of its states instead, to be looked
# at: with 1, 3 and 12 modes, 0 and 60 windows, 320, 768 and 1440 pixels wide, light and dark, its
# dialogs, and what it says when something is wrong. Needs chromedriver, too. The folder is
# target/states unless it is given.
set -euo pipefail
states=
if [ "${1-}" = states ]; then
    states=$(readlink -m "${2-$(dirname "$(readlink -f "$0")")/../target/states}")
    mkdir -p "$states"
fi
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

# The dashboard in all of its states, by chromedriver, which can click and make windows narrow.
later() { date -u -d "$1" +%Y-%m-%dT%H:%M; }
take_states() {
    local driver session port
    chromedriver --port=0 --log-level=SEVERE >"$folder/driver.out" &
    pids+=($!)
    for _ in $(seq 100); do
        port=$(sed -n 's/.*successfully on port \([0-9]*\).*/\1/p' "$folder/driver.out")
        [ -n "$port" ] && break
        sleep 0.1
    done
    driver="http://127.0.0.1:${port:?chromedriver does not start}/session"
    session=$(curl -fsS "$driver" -d '{"capabilities":{"alwaysMatch":{"browserName":"chrome",
        "goog:chromeOptions":{"args":["--headless","--no-sandbox","--disable-gpu","--lang=en",
        "--hide-scrollbars","--disable-dev-shm-usage","--user-data-dir='"$folder"'/driven"]}}}}' |
        sed 's/.*"sessionId":"\([^"]*\)".*/\1/')
    tell() { curl -fsS "$driver/$session/$1" -d "$2"; }
    devtools() { tell goog/cdp/execute '{"cmd":"'"$1"'","params":'"$2"'}' >/dev/null; }
    visit() { tell url '{"url":"'"$1"'"}' >/dev/null; }
    run() { tell execute/sync '{"script":"'"$1"'","args":[]}' >/dev/null; }
    # Waits until a script says so.
    until_true() {
        for _ in $(seq 300); do
            tell execute/sync '{"script":"return Boolean('"$1"')","args":[]}' | grep -q true && return
            sleep 0.1
        done
        echo "it does not come true: $1" >&2
        return 1
    }
    prefer() {
        devtools Emulation.setEmulatedMedia \
            '{"features":[{"name":"prefers-color-scheme","value":"'"$1"'"}]}'
    }
    wide() {
        devtools Emulation.setDeviceMetricsOverride \
            '{"width":'"$1"',"height":'"${2-900}"',"deviceScaleFactor":1,"mobile":false}'
    }
    # All of the page, however long it is; of a dialog what is seen.
    take() {
        local clip=${2-true}
        tell goog/cdp/execute '{"cmd":"Page.captureScreenshot","params":{"captureBeyondViewport":'"$clip"'}}' |
            sed 's/.*"data":"\([^"]*\)".*/\1/' | base64 -d >"$states/$1.png"
        echo "$states/$1.png"
    }
    # modes COUNT: a settings file with so many modes, the first of the whole site.
    modes() {
        echo '[exempt]'
        echo 'prefixes = ["/login"]'
        local labels=("Whole site" Shop Checkout "Search and suggestions" Newsletter "Customer accounts"
            Reviews "Image server" "API for partners" Forum "Download area" "Back office")
        for number in $(seq 0 $(($1 - 1))); do
            printf '[[mode]]\nkey = "mode-%s"\nlabel = "%s"\n' "$number" "${labels[$number]}"
            [ "$number" = 0 ] || printf 'applies_to = { prefixes = ["/part-%s"] }\n' "$number"
            if [ $((number % 3)) = 1 ]; then
                echo 'help = "Orders that are in the basket are kept."'
            fi
        done
    }
    # shop NAME MODES WINDOWS VARIABLES…: a demo with so much in it.
    shop() {
        local name=$1 count=$2 windows=$3
        shift 3
        mkdir -p "$folder/$name"
        modes "$count" >"$folder/$name.toml"
        start "$name" MAINTENANCE_SETTINGS="$folder/$name.toml" \
            MAINTENANCE_STORE="file:$folder/$name/maintenance.state" "$@"
        curl -fsS -c "$folder/$name.cookies" -o "$folder/answer" "${!name}/login/superuser"
        local titles=("New database" "Weekly backup" "Move to the other data centre" "Certificates")
        for number in $(seq 1 "$windows"); do
            post "$name" plan -d "mode=mode-$((number % count))" -d zone=UTC \
                --data-urlencode "title=${titles[$((number % 4))]}" \
                --data-urlencode "reason=Ticket $((4700 + number))" \
                -d "start=$(later "+$((number * 7)) hours")" -d "end=$(later "+$((number * 7 + 2)) hours")"
        done
    }
    post() {
        local name=$1 path=$2
        shift 2
        curl -fsS -b "$folder/$name.cookies" -o "$folder/answer" "${!name}/maintenance-mode/$path" -X POST "$@"
    }
    look() { visit "${!1}/login/superuser?next=/maintenance-mode/${2-}"; }

    shop one 1 0
    shop three 3 60
    shop twelve 12 60
    for turn in $(seq 1 23); do
        post three on -d "mode=mode-$((turn % 3))" --data-urlencode "reason=Release 4.$turn"
        post three off -d "mode=mode-$((turn % 3))"
    done
    post three on -d mode=mode-1 -d for=2h --data-urlencode "reason=Release 5" \
        --data-urlencode "message=We are moving the shop to a new server. What is in your basket stays there."
    post twelve on -d mode=mode-2 -d for=30m --data-urlencode "reason=The bank asks for it" \
        --data-urlencode "message=$(printf 'Paying is not possible right now.\n\n%s' \
            "Our bank changes its certificates tonight. Your basket is kept until tomorrow evening, and \
what you have ordered already is sent as promised. We are sorry for the trouble, and thank you for your \
patience; whoever is in a hurry may call us.")"
    post twelve on -d mode=mode-7 --data-urlencode "reason=New disks"
    for scheme in light dark; do
        prefer "$scheme"
        for width in 320 768 1440; do
            wide "$width"
            for name in one three twelve; do
                look "$name"
                until_true "document.getElementById('headline')"
                take "$name-$scheme-$width"
            done
        done
        wide 768 1000
        look three
        run "document.getElementById('close-mode-0').click()"
        until_true "document.querySelector('dialog')"
        run "document.querySelector('#message').value = 'Back at noon.'; document.querySelector('#preview').open = true; document.querySelector('#show-preview').click()"
        sleep 1
        run "document.querySelector('dialog iframe').scrollIntoView()"
        take "dialog-close-$scheme" false
        look three
        run "document.getElementById('change-mode-1').click()"
        until_true "document.querySelector('dialog')"
        take "dialog-late-$scheme" false
        post three on -d mode=mode-1 --data-urlencode "reason=Faster than you ($scheme)"
        run "document.querySelector('#do').click()"
        until_true "document.querySelector('#fault')"
        take "dialog-outdated-$scheme" false
        look three
        run "document.getElementById('plan').click()"
        until_true "document.querySelector('dialog')"
        take "dialog-plan-$scheme" false
        wide 320 1200
        take "dialog-plan-$scheme-320" false
    done

    wide 768
    for scheme in light dark; do
        prefer "$scheme"
        shop "failing_$scheme" 1 2
        look "failing_$scheme"
        rm "$folder/failing_$scheme/maintenance.state"
        mkdir "$folder/failing_$scheme/maintenance.state"
        until_true "document.getElementById('store-down')"
        take "store-fails-$scheme"
        shop "gone_$scheme" 3 2
        look "gone_$scheme"
        until_true "!document.getElementById('live').hidden"
        # The last one to be started.
        kill "${pids[-1]}"
        until_true "!document.getElementById('unreached').hidden"
        take "not-connected-$scheme"
    done
    curl -fsS -X DELETE "$driver/$session" >/dev/null
}
if [ -n "$states" ]; then
    take_states
    exit
fi

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
