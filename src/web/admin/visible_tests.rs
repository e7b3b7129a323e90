use std::{fs, path::Path};

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
