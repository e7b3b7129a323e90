use std::{fs, path::PathBuf};

use super::*;

#[test]
fn words_names_and_what_is_nearly_one_are_found() {
    for word in [
        "test",
        "test2",
        "Test",
        "SECRET",
        "password1",
        "hunter2",
        "",
        "\n",
        "test\n",
        "deploy",
        "ci-job",
        "Ci-job!",
        "123456",
        "changeme",
    ] {
        assert!(
            is_hash_of_a_word(&Sha256::digest(word).into(), "ci-job"),
            "{word:?}"
        );
    }
    for token in ["mmt_5f1c", "ci-jobs", "a-long-secret-of-nobody"] {
        assert!(
            !is_hash_of_a_word(&Sha256::digest(token).into(), "ci-job"),
            "{token}"
        );
    }
}

/// What stands in an example is copied.
#[test]
fn no_example_has_the_hash_of_a_word() {
    let hash = regex::Regex::new("[0-9a-fA-F]{64}").unwrap();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR"))];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                let is_ours = !matches!(&*name, "target" | "src" | "tests" | "fuzz" | "benches")
                    && !name.starts_with('.');
                folders.extend(is_ours.then(|| entry.path()));
                continue;
            }
            let Ok(text) = fs::read_to_string(entry.path()) else {
                continue;
            };
            read += 1;
            if name == "Cargo.lock" {
                continue;
            }
            for found in hash.find_iter(&text) {
                let bytes: Vec<u8> = (0..32)
                    .map(|place| u8::from_str_radix(&found.as_str()[place * 2..][..2], 16).unwrap())
                    .collect();
                assert!(
                    !is_hash_of_a_word(&bytes.try_into().unwrap(), "deploy"),
                    "{} in {}",
                    found.as_str(),
                    entry.path().display()
                );
            }
        }
    }
    assert!(read > 30, "{read} files");
}
