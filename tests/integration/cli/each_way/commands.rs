//! What the commands do and say, with no app running.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Operator, until};

#[test]
fn on_stores_what_it_was_given() {
    let operator = Operator::new();
    let given = ["--message", "Back at noon.", "--reason", "release 3"];
    let ran = operator.done(&[&["on", "--for", "2h 30m"], &given[..]].concat());
    assert!(ran.out.starts_with("site is offline, until 20"), "{ran:?}");
    assert!(ran.out.contains("(in 2 h 30 min)"), "{ran:?}");
    let mode = &operator.status()["modes"][0];
    assert_eq!(mode["message"], "Back at noon.");
    assert_eq!(mode["reason"], "release 3");
    assert!(mode["by"].as_str().unwrap().starts_with(operator.by()));
    let time = |key: &str| mode[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let lasts = time("until").duration_since(time("since"));
    assert_eq!(lasts, SignedDuration::from_secs(9000));
}

#[test]
fn on_ends_at_its_end_by_itself() {
    let operator = Operator::new();
    let end = Timestamp::now() + SignedDuration::from_secs(2);
    operator.done(&["on", "--end", &end.to_string()]);
    assert_eq!(operator.phase(), "offline");
    until("it ended", || operator.phase() == "online");
    assert!(Timestamp::now() >= end);
    let history = operator.done(&["--json", "history"]).json();
    assert_eq!(history["history"][0]["ended"], "time-out");
}

#[test]
fn on_with_a_start_plans_a_window() {
    let operator = Operator::with_settings("time_zone = \"Europe/Rome\"");
    let ran = operator.done(&["on", "--start", "2099-03-01T22:00", "--for", "2h"]);
    assert!(
        ran.out.contains("starts 2099-03-01 22:00:00 +01:00"),
        "{ran:?}"
    );
    assert!(ran.out.contains("lasts 2 h"), "{ran:?}");
    let mode = &operator.status()["modes"][0];
    assert_eq!(mode["phase"], "online");
    let window = &mode["windows"][0];
    assert_eq!(window["start"], "2099-03-01T21:00:00Z");
    assert_eq!(window["end"], "2099-03-01T23:00:00Z");
    assert_eq!(window["zone"], "Europe/Rome");
}

#[test]
fn what_may_not_have_been_meant_is_told_on_stderr() {
    let operator = Operator::with_settings("time_zone = \"Europe/Rome\"");
    // The clocks show it twice.
    let ran = operator.done(&["window", "add", "--start", "2098-10-26T02:30"]);
    assert!(ran.err.contains("warning: "), "{ran:?}");
    assert!(ran.err.contains("happens twice"), "{ran:?}");
    assert!(ran.err.contains("it has no end"), "{ran:?}");
    // The clocks never show it.
    let ran = operator.fails(2, &["window", "add", "--start", "2098-03-30T02:30"]);
    assert!(ran.err.contains("does not exist"), "{ran:?}");
}

#[test]
fn windows_are_listed_and_removed_by_their_ids() {
    let operator = Operator::new();
    assert_eq!(
        operator.done(&["window", "list"]).out,
        "No window is planned.\n"
    );
    let add = |start: &str, title: &str| {
        let arguments = [
            "--json", "window", "add", "--start", start, "--for", "1h", "--title", title,
        ];
        operator.done(&arguments).json()["window"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (late, early) = (
        add("2099-02-01T00:00Z", "late"),
        add("2099-01-01T00:00Z", "early"),
    );
    let out = operator.done(&["window", "list"]).out;
    let rows: Vec<Vec<&str>> = out
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|it| !it.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(rows[0], ["ID", "MODE", "START", "END", "TITLE", "BY"]);
    assert_eq!(rows[1][0], early);
    assert_eq!(rows[1][2], "2099-01-01 01:00:00 +01:00");
    assert_eq!(rows[2][..2], [late.as_str(), "site"]);
    let listed = operator.done(&["--json", "window", "list"]).json();
    assert_eq!(listed["windows"][0]["title"], "early");
    assert_eq!(listed["windows"][0]["mode"], "site");

    // What is planned outlives `off`, and `off` says so.
    let ran = operator.done(&["off"]);
    assert!(
        ran.err.contains(&format!("a window is planned: {early}")),
        "{ran:?}"
    );

    operator.done(&["window", "remove", &early, &late]);
    assert_eq!(
        operator.done(&["--json", "window", "list"]).json(),
        json!({"windows": []})
    );
}

#[test]
fn windows_repeat_until_they_are_removed() {
    let operator = Operator::new();
    let add = [
        "window",
        "add",
        "--repeats",
        "0 3 * * SUN",
        "--for",
        "2h",
        "--zone",
    ];
    let added = operator
        .done(&[&["--json"], &add[..], &["Europe/Rome"]].concat())
        .json();
    let id = added["window"].as_str().unwrap();
    let out = operator.done(&["window", "list"]).out;
    assert!(
        out.contains("every Sunday at 03:00 in Europe/Rome (0 3 * * SUN)"),
        "{out}"
    );
    let start = |operator: &Operator| {
        let listed = operator.done(&["--json", "window", "list"]).json();
        listed["windows"][0]["start"].as_str().map(str::to_owned)
    };
    let first = start(&operator);
    operator.done(&["window", "remove", "--only-next", id]);
    assert!(start(&operator) > first);
    operator.done(&["window", "remove", id]);
    assert_eq!(start(&operator), None);
    operator.fails(2, &["window", "add", "--repeats", "0 3 * * SUN"]);
    operator.fails(
        2,
        &["window", "add", "--repeats", "nonsense", "--for", "1h"],
    );
}

#[test]
fn a_window_without_a_start_is_open_at_once_and_ends_when_it_is_removed() {
    let operator = Operator::new();
    let added = operator
        .done(&["--json", "window", "add", "--for", "1h"])
        .json();
    assert_eq!(operator.phase(), "offline");
    operator.done(&["window", "remove", added["window"].as_str().unwrap()]);
    assert_eq!(operator.phase(), "online");
}

#[test]
fn history_shows_periods_and_how_they_ended() {
    let operator = Operator::new();
    assert_eq!(
        operator.done(&["history"]).out,
        "There was no maintenance yet.\n"
    );
    operator.done(&["on", "--reason", "first"]);
    operator.done(&["off"]);
    operator.done(&["on", "--reason", "second"]);
    let out = operator.done(&["history"]).out;
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("STARTED"), "{out}");
    assert!(
        lines[1].contains(&format!("off, {}", operator.by())) && lines[1].ends_with("first"),
        "{out}"
    );
    assert!(
        lines[2].contains("goes on") && lines[2].ends_with("second"),
        "{out}"
    );
    let last = operator.done(&["--json", "history", "--last", "1"]).json();
    assert_eq!(last["history"].as_array().unwrap().len(), 1);
    assert_eq!(last["history"][0]["reason"], "second");
}

#[test]
fn the_mode_is_the_first_one_or_the_one_that_is_named() {
    let operator = Operator::with_settings("[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"\n");
    operator.done(&["--mode", "shop", "on"]);
    operator.done(&["on"]);
    let ran = operator.done(&["off"]);
    assert!(
        ran.err
            .contains("shop is offline; `maintenance --mode shop off`"),
        "{ran:?}"
    );
    let phases = |status: &serde_json::Value| {
        let modes = status["modes"].as_array().unwrap();
        modes
            .iter()
            .map(|mode| mode["phase"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(phases(&operator.status()), ["online", "offline"]);
    let shop = operator
        .done(&["--json", "status", "--mode", "shop"])
        .json();
    assert_eq!(phases(&shop), ["offline"]);
}

#[test]
fn a_drain_of_a_site_that_nobody_serves_is_over_at_once() {
    let operator = Operator::new();
    let ran = operator.done(&["on", "--drain", "--timeout", "5m"]);
    assert_eq!(ran.out, "site is offline\n");
    assert_eq!(operator.phase(), "offline");
    let again = operator.done(&["--json", "on", "--drain"]).json();
    assert_eq!(again["waited"], "done");
}

#[test]
fn watching_prints_a_line_per_change() {
    let operator = Operator::new();
    let watching = operator.start(&["status", "--watch"]);
    std::thread::sleep(Duration::from_millis(500));
    operator.done(&["on", "--reason", "release 3"]);
    std::thread::sleep(Duration::from_millis(500));
    operator.done(&["off"]);
    std::thread::sleep(Duration::from_millis(500));
    watching.signal("INT");
    let ran = watching.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{ran:?}");
    assert!(lines[0].ends_with("  site: online"), "{ran:?}");
    let closed = format!("site: offline, by {}", operator.by());
    assert!(lines[1].contains(&closed), "{ran:?}");
    assert!(lines[1].ends_with(", release 3"), "{ran:?}");
    assert!(lines[2].ends_with("  site: online"), "{ran:?}");
}

#[test]
fn a_page_that_cannot_be_written_is_told() {
    // Nobody, not even root, writes a file there.
    let operator = Operator::with_settings("[web_server]\npage = \"/proc/page.html\"\n");
    let ran = operator.done(&["on"]);
    assert!(
        ran.err.contains("warning: cannot write /proc/page.html"),
        "{ran:?}"
    );
    let out = operator.done(&["status"]).out;
    assert!(out.contains("\n  files    cannot write"), "{out}");
}

#[test]
fn a_mode_that_lets_people_read_says_so_and_unknown_ones_are_shown() {
    let operator = Operator::with_settings(
        "[[mode]]\nkey = \"site\"\naccess = \"read-only\"\n[[mode]]\nkey = \"old\"\n",
    );
    operator.done(&["on"]);
    operator.done(&["--mode", "old", "on"]);
    operator.write(
        "maintenance.toml",
        "[[mode]]\nkey = \"site\"\naccess = \"read-only\"\n",
    );
    let out = operator.done(&["status"]).out;
    assert!(out.contains("site: offline, reading works"), "{out}");
    assert!(
        out.contains("\n  mode     old: stored, but not in the settings\n"),
        "{out}"
    );
}

#[test]
fn a_mode_that_the_settings_do_not_have_any_more_is_forgotten() {
    let operator = Operator::with_settings("[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"");
    operator.done(&["--mode", "shop", "on"]);
    operator.write("maintenance.toml", "");
    let status = operator.status();
    assert_eq!(status["unknown_modes"][0]["key"], "shop", "{status}");
    let ran = operator.done(&["forget", "shop"]);
    assert_eq!(ran.out.trim(), "nothing is stored of shop any more");
    assert_eq!(operator.status()["unknown_modes"], json!([]));
    let history = operator.done(&["--json", "history"]).json();
    assert_eq!(history["history"][0]["mode"], "shop");
    let ran = operator.fails(2, &["forget", "shop"]);
    assert!(ran.err.contains("shop"), "{ran:?}");
    // One that there is is as it was at first.
    operator.done(&["on"]);
    operator.done(&["forget", "site"]);
    assert_eq!(operator.phase(), "online");
}

#[test]
fn what_other_programs_call_the_commands_is_understood() {
    let operator = Operator::new();
    operator.done(&["down"]);
    assert_eq!(operator.phase(), "offline");
    operator.done(&["up"]);
    assert_eq!(operator.phase(), "online");
    let added = operator.done(&["--json", "window", "add", "--start", "2098-01-01T00:00Z"]);
    let id = added.json()["window"].as_str().unwrap().to_owned();
    assert!(operator.done(&["window", "ls"]).out.contains(&id));
    operator.done(&["window", "rm", &id]);
    assert!(
        operator.status()["modes"][0]["windows"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    // They are not told of: one word for one thing.
    let help = operator.done(&["--help"]).out;
    assert!(!help.contains("down") && !help.contains("\n  up"), "{help}");
}

#[test]
fn off_over_a_time_opens_share_by_share_and_is_paused() {
    let operator = Operator::new();
    operator.done(&["on"]);
    let ran = operator.done(&["off", "--over", "1h"]);
    assert!(ran.out.starts_with("site is opening, 0.0 % of the visitors are in, all at 20"), "{ran:?}");
    operator.fails(14, &["status", "--exit-code"]);
    let status = operator.done(&["status"]);
    assert!(status.out.contains("0.0 % of the visitors are in"), "{status:?}");
    let ran = operator.done(&["off", "--pause"]);
    assert!(ran.out.contains("of the visitors are in, paused"), "{ran:?}");
    let ran = operator.done(&["off"]);
    assert!(ran.out.starts_with("site is online"), "{ran:?}");
    let ran = operator.fails(1, &["off", "--pause"]);
    assert!(ran.err.contains("is not opening"), "{ran:?}");
    let ran = operator.fails(2, &["off", "--over", "soon"]);
    assert!(ran.err.contains("--over"), "{ran:?}");
}

#[test]
fn grants_are_made_listed_and_revoked() {
    let operator = Operator::with_settings("[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"");
    assert_eq!(operator.done(&["grant", "list"]).out, "Nobody has a grant.\n");
    let ran = operator.done(&["grant", "add", "auditor", "--for", "2h"]);
    assert!(ran.out.contains("/maintenance-mode/enter/mmg_"), "{ran:?}");
    assert!(ran.out.contains("lets auditor look in until 20"), "{ran:?}");
    let ran = operator.done(&[
        "--json", "grant", "add", "probe", "--token", "--mode", "shop", "--mode", "site", "--prefix",
        "/api", "--prefix", "/shop", "--until", "2099-01-01T00:00:00Z",
    ]);
    let made = ran.json();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("mmg_") && made["link"].is_null(), "{made}");
    operator.done(&["grant", "add", "office", "--address", "192.0.2.7/24"]);
    let listed = operator.done(&["--json", "grant", "list"]).json();
    let grants = listed["grants"].as_array().unwrap();
    let names: Vec<_> = grants.iter().map(|grant| grant["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["auditor", "office", "probe"]);
    assert_eq!(grants[2]["modes"], json!(["shop", "site"]));
    assert_eq!(grants[2]["prefixes"], json!(["/api", "/shop"]));
    assert_eq!(grants[2]["until"], "2099-01-01T00:00:00Z");
    assert!(grants[0]["by"].as_str().unwrap().starts_with(operator.by()));
    assert!(!listed.to_string().contains(&secret[4..]));
    let table = operator.done(&["grant", "list"]).out;
    assert!(table.contains("address 192.0.2.0/24"), "{table}");
    let ran = operator.fails(1, &["grant", "add", "probe"]);
    assert!(ran.err.contains("there is a grant `probe` already"), "{ran:?}");
    let ran = operator.done(&["grant", "revoke", "probe"]);
    assert_eq!(ran.out, "probe may not look in any more\n");
    let ran = operator.fails(1, &["grant", "revoke", "probe"]);
    assert!(ran.err.contains("there is no grant `probe`"), "{ran:?}");
    for wrong in [
        &["grant", "add", "a b"][..],
        &["grant", "add", "x", "--address", "everywhere"],
        &["grant", "add", "x", "--prefix", "shop"],
        &["grant", "add", "x", "--mode", "nowhere"],
        &["grant", "add", "x", "--link", "--token"],
        &["grant", "add", "x", "--for", "1h", "--until", "+2h"],
    ] {
        operator.fails(2, wrong);
    }
}

#[test]
fn networks_that_on_allows_end_with_the_switch() {
    let operator = Operator::new();
    operator.done(&["on", "--allow", "192.0.2.0/24", "--allow", "2001:db8::/32"]);
    let list = || operator.done(&["--json", "grant", "list"]).json()["grants"].clone();
    assert_eq!(list()[0]["name"], "site-192.0.2.0_24");
    assert_eq!(list()[1]["with_switch"], true);
    operator.done(&["grant", "revoke", "site-192.0.2.0_24"]);
    assert_eq!(list().as_array().unwrap().len(), 1);
    operator.done(&["off"]);
    assert_eq!(list(), json!([]));
    operator.fails(2, &["on", "--allow", "everywhere"]);
    operator.fails(2, &["on", "--allow", "10.0.0.1", "--start", "+1h"]);
}
