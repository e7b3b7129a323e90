//! `maintenance doctor`: whether all is in order, and what to do where it is not.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use actix_maintenance_mode::store::{FileStore, Lease, LeaseCondition, Store as _};
use serde_json::{Value, json};

use super::{Operator, Ran, block_on, pty::Terminal, until};
use crate::demo::Demo;

/// What was found of each thing: verdict, words and remedy.
#[track_caller]
fn found(ran: &Ran, check: &str) -> Vec<(String, String, Option<String>)> {
    let document = ran.json();
    let findings = document["findings"].as_array().unwrap().iter();
    let of_it = findings.filter(|found| found["check"] == check);
    let text = |found: &Value, key: &str| found[key].as_str().map(str::to_owned);
    of_it
        .map(|found| {
            let (verdict, says) = (text(found, "verdict"), text(found, "says"));
            (verdict.unwrap(), says.unwrap(), text(found, "remedy"))
        })
        .collect()
}

/// Of what was looked at in one way, that it is so.
#[track_caller]
fn is(ran: &Ran, check: &str, verdict: &str, says: &str) -> Option<String> {
    let all = found(ran, check);
    let mut with_words = all.iter().filter(|(_, words, _)| words.contains(says));
    let (is, _, remedy) = with_words
        .next()
        .unwrap_or_else(|| panic!("{check}: {says}: {all:?}"));
    assert_eq!(is, verdict, "{check}: {all:?}");
    remedy.clone()
}

fn doctor(operator: &Operator, code: i32) -> Ran {
    operator.fails(code, &["--json", "doctor"])
}

#[test]
fn where_nothing_is_yet_nothing_is_wrong_and_nothing_is_made() {
    let operator = Operator::new();
    let ran = doctor(&operator, 0);
    is(&ran, "settings", "right", "no file");
    is(&ran, "store", "right", "nothing is stored yet");
    is(&ran, "writing", "right", "can be written");
    let remedy = is(&ran, "nodes", "unknown", "no app reports to file:");
    assert!(remedy.unwrap().contains("start the app"), "{ran:?}");
    is(&ran, "middleware", "unknown", "no app reports");
    is(&ran, "modes", "right", "");
    is(&ran, "files", "right", "none");
    is(&ran, "tokens", "right", "none");
    let document = ran.json();
    assert_eq!(
        (&document["healthy"], &document["wrong"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(fs::read_dir(operator.path()).unwrap().count(), 0);
    // A line for each, and how many are not right.
    let said = operator.done(&["doctor"]).out;
    assert!(said.starts_with("right    settings: no file"), "{said}");
    assert!(
        said.contains("\nunknown  nodes: no app reports to "),
        "{said}"
    );
    assert!(
        said.contains("\n         remedy: start the app with this store"),
        "{said}"
    );
    assert!(said.contains("\n0 things are wrong, "), "{said}");
}

#[test]
fn all_faults_of_the_settings_are_told_each_on_its_line() {
    let settings = "stroe = \"memory:\"\ntime_zone = \"Rome\"\n[response]\nstatus = 200\n";
    let operator = Operator::with_settings(settings);
    let ran = doctor(&operator, 1);
    assert_eq!(found(&ran, "settings").len(), 3, "{ran:?}");
    for part in ["did you mean `store`?", "`Rome`", "response.status"] {
        is(&ran, "settings", "wrong", part);
    }
    is(&ran, "store", "unknown", "the settings say");
    let said = operator.fails(1, &["doctor"]);
    assert_eq!(said.err, "", "it is said where the rest is");
    assert_eq!(
        said.out.matches("wrong    settings: ").count(),
        3,
        "{said:?}"
    );
    // Whatever file it is, it is named.
    operator.write("other.toml", "time_zone = \"Europe/Rome\"\n");
    let ran = operator.done(&["--json", "--settings", "other.toml", "doctor"]);
    is(&ran, "settings", "right", "/other.toml");
}

#[test]
fn a_template_that_cannot_be_rendered_is_wrong() {
    let operator = Operator::with_settings("[response]\ntemplates_dir = \"pages\"\n");
    fs::create_dir(operator.path().join("pages")).unwrap();
    operator.write("pages/503.html", "{% if %}");
    let ran = doctor(&operator, 1);
    let remedy = is(&ran, "pages", "wrong", "503.html");
    assert!(remedy.unwrap().contains("mend the template"));
}

#[test]
fn a_store_that_cannot_be_read_is_wrong_and_what_follows_is_unknown() {
    let operator = Operator::new();
    operator.write("maintenance.state", "{\"format\": 99}");
    let ran = doctor(&operator, 1);
    is(&ran, "store", "wrong", "format");
    is(&ran, "writing", "unknown", "");
    is(&ran, "nodes", "unknown", "");
    assert_eq!(operator.read("maintenance.state"), "{\"format\": 99}");

    let away = ["--json", "--store", "redis://127.0.0.1:1/", "doctor"];
    let ran = operator.fails(1, &away);
    let remedy = is(&ran, "store", "wrong", "127.0.0.1:1");
    assert!(remedy.unwrap().contains("`store`"), "{ran:?}");
    let inside = ["--json", "--store", "memory:", "doctor"];
    is(
        &operator.fails(1, &inside),
        "store",
        "wrong",
        "inside of the app",
    );
    operator.fails(2, &["--store", "nonsense:x", "doctor"]);
}

#[test]
fn a_folder_in_which_nobody_may_write_is_wrong() {
    let operator = used();
    let ran = without_rights(&operator, "");
    let remedy = is(&ran, "writing", "wrong", "cannot write in ");
    assert!(remedy.unwrap().contains("let your group write"), "{ran:?}");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn an_app_that_runs_is_seen_with_its_sessions() {
    let operator = used();
    // Who somebody is matters.
    operator.write(
        "maintenance.toml",
        "[exempt]\nsuperusers = true\nprefixes = [\"/login\"]\n",
    );
    let demo = Demo::start(operator.path());
    let mut ran = doctor(&operator, 0);
    until("it reports", || {
        ran = operator.run(&["--json", "doctor"]);
        found(&ran, "nodes")[0].1.starts_with("1 node of version ")
    });
    is(&ran, "nodes", "right", env!("CARGO_PKG_VERSION"));
    is(&ran, "middleware", "right", "wraps it");
    is(&ran, "writing", "right", "ms");
    is(&ran, "sessions", "unknown", "once a mode is closed");
    operator.done(&["on"]);
    let mut visitor = demo.visitor();
    visitor.get("/login/user");
    assert_eq!(visitor.get("/").status, 503);
    until("it is known", || {
        let ran = operator.done(&["--json", "doctor"]);
        found(&ran, "sessions")[0].0 == "right"
    });
    // A trial leaves nothing.
    let leases = block_on(store(&operator).leases("trial/")).unwrap();
    assert_eq!(leases, []);
}

#[test]
fn what_is_wrong_with_nodes_is_told_with_its_remedy() {
    let operator = used();
    let _demo = Demo::start(operator.path());
    until("it reports", || {
        let ran = operator.run(&["--json", "doctor"]);
        found(&ran, "nodes")[0].0 == "right"
    });
    let store = store(&operator);
    let reports = block_on(store.leases("node/")).unwrap();
    // Others of its kind, of which each differs in one thing.
    let report: Value = serde_json::from_slice(reports[0].lease.content()).unwrap();
    let put = |id: &str, key: &str, value: Value| {
        let mut other = report.clone();
        other["id"] = json!(id);
        other[key] = value;
        let lease = Lease::new(format!("node/{id}"), id, other.to_string()).unwrap();
        let put = store.put_lease(&lease, Duration::from_secs(60), LeaseCondition::Always);
        block_on(put).unwrap();
    };
    put("web-1", "forced", Value::Null);
    put("web-2", "version", json!("0.0.7"));
    put("web-3", "settings", json!("others"));
    put("web-4", "clock", json!("2020-01-01T00:00:00Z"));
    put("web-5", "state", json!("of another"));
    put("web-6", "sessions_loaded", json!(false));
    let ran = doctor(&operator, 1);
    for (check, says, remedy) in [
        ("nodes", "web-2 runs another version (0.0.7)", "one version"),
        ("nodes", "web-3 has other settings", "the same settings"),
        ("nodes", "web-4 has another time", "NTP"),
        ("nodes", "web-5 does not go by what is stored", "log"),
        (
            "sessions",
            "web-6 decides before the session is loaded",
            "SessionMiddleware",
        ),
    ] {
        let told = is(&ran, check, "wrong", says).unwrap();
        assert!(told.contains(remedy), "{told}");
    }
    assert!(
        !ran.out.contains("web-1"),
        "nothing is wrong with it: {ran:?}"
    );
}

#[test]
fn what_the_settings_do_not_have_and_tokens_and_files_are_looked_at() {
    let operator = Operator::with_settings("[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"old\"\n");
    operator.done(&["--mode", "old", "on"]);
    fs::create_dir(operator.path().join("gone")).unwrap();
    let made = operator.done(&["--json", "token", "deploy"]).json();
    let hash = &made["hash"];
    operator.write(
        "maintenance.toml",
        &format!(
            "[web_server]\nflag = \"gone/flag\"\n[admin]\n\
             tokens = [{{ name = \"deploy\", hash = {hash}, expires = \"2020-01-01T00:00:00Z\" }}]\n\
             [[mode]]\nkey = \"site\"\n"
        ),
    );
    let ran = doctor(&operator, 1);
    let remedy = is(&ran, "modes", "wrong", "not in the settings: old");
    assert!(remedy.unwrap().contains("`maintenance forget old`"));
    let remedy = is(
        &ran,
        "tokens",
        "wrong",
        "deploy has expired: 2020-01-01 01:00:00 +01:00",
    );
    assert!(remedy.unwrap().contains("`maintenance token deploy`"));
    assert_eq!(ran.json()["healthy"], false);
    operator.done(&["forget", "old"]);
    is(&doctor(&operator, 1), "modes", "right", "");
}

#[test]
fn a_flag_that_is_out_of_step_is_wrong() {
    let operator = Operator::with_settings("[web_server]\nflag = \"web/flag\"\n");
    let flag = operator.path().join("web/flag");
    fs::create_dir(operator.path().join("web")).unwrap();
    operator.done(&["on"]);
    assert!(flag.exists());
    is(&doctor(&operator, 0), "files", "right", "in step");
    fs::remove_file(&flag).unwrap();
    let ran = without_rights(&operator, "web");
    is(&ran, "files", "wrong", "web/flag");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_site_that_is_asked_by_its_api_tells_what_it_knows() {
    let operator = used();
    let made = operator.done(&["--json", "token", "ops"]).json();
    let line = made["settings"].as_str().unwrap();
    operator.write("maintenance.toml", &format!("[admin]\n{line}\n"));
    let demo = Demo::start(operator.path());
    let ask = |url: &str| {
        let mut command = operator.command(&["--json", "--url", url, "doctor"]);
        command.env("MAINTENANCE_TOKEN", made["token"].as_str().unwrap());
        Ran::of(command)
    };
    let ran = ask(&format!("http://{}/maintenance-mode", demo.address));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    is(&ran, "store", "right", "is read by the site");
    is(&ran, "nodes", "right", "1 node of version");
    is(&ran, "middleware", "right", "");
    for check in ["settings", "writing", "files", "tokens"] {
        is(&ran, check, "unknown", "");
    }
    drop(demo);
    let ran = ask("http://127.0.0.1:1/maintenance-mode");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let remedy = is(&ran, "site", "wrong", "127.0.0.1:1");
    assert!(remedy.unwrap().contains("admin scope"), "{ran:?}");
}

#[test]
fn on_a_terminal_it_is_a_list_in_colours_that_fits() {
    let operator = Operator::with_settings("stroe = \"memory:\"\n");
    let mut terminal = Terminal::run(&operator, &["doctor"]);
    assert_eq!(terminal.code(), Some(1));
    terminal.shows("\u{1b}[31m\u{1b}[1mwrong");
    operator.write("maintenance.toml", "");
    let terminal = Terminal::run(&operator, &["doctor"]);
    terminal.shows("\u{1b}[32mright");
    let lines = Terminal::run_narrow(&operator, &["doctor"], 60).lines();
    let fits = |line: &String| line.chars().count() <= 60 || line.split_whitespace().count() <= 1;
    assert!(lines.iter().all(fits), "{lines:#?}");
}

/// Somebody whose site has been closed before, so that something is stored.
fn used() -> Operator {
    let operator = Operator::new();
    operator.done(&["on"]);
    operator.done(&["off"]);
    operator
}

/// What somebody finds who may read all and write nothing in a folder.
fn without_rights(operator: &Operator, folder: &str) -> Ran {
    let mode = |mode| fs::Permissions::from_mode(mode);
    let mut command = operator.command(&["--json", "doctor"]);
    let folder = operator.path().join(folder);
    if nix::unistd::geteuid().is_root() {
        // Root may write everywhere.
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
        fs::set_permissions(operator.path(), mode(0o755)).unwrap();
    } else {
        fs::set_permissions(&folder, mode(0o555)).unwrap();
    }
    let ran = Ran::of(command);
    fs::set_permissions(&folder, mode(0o755)).unwrap();
    ran
}

fn store(operator: &Operator) -> FileStore {
    FileStore::new(operator.path().join("maintenance.state")).unwrap()
}
