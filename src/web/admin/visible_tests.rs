use std::{fs, path::Path};

use super::*;

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn documents_leave_the_crate_at_one_place() {
    let mut sources = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut sources,
    );
    let mut senders = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        // Actix's two ways to serialise into a response.
        if text.contains(concat!(".js", "on(")) || text.contains(concat!("web::Js", "on(")) {
            senders.push(path.file_name().unwrap().to_owned());
        }
    }
    assert_eq!(
        senders,
        ["answer.rs"],
        "it takes what is `Told`, and nothing else does"
    );
}

fn past(mode: &str) -> PastPeriod {
    let period = serde_json::json!({ "mode": mode, "started_at": "2026-01-01T00:00:00Z" });
    serde_json::from_value(period).unwrap()
}

/// As what is stored of such a mode: nobody has said who may see it.
#[test]
fn the_history_of_a_mode_that_is_gone_is_for_those_who_see_all() {
    let told = |modes: &[&str], known| {
        let modes = modes.iter().map(|mode| (*mode).to_owned()).collect();
        let history = vec![past("site"), past("shop"), past("gone")];
        let told = Visibility::of(modes, known).history(history);
        told.iter().map(|it| it.mode.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&["site", "shop"], 2), ["site", "shop", "gone"]);
    assert_eq!(told(&["site"], 2), ["site"]);
}
