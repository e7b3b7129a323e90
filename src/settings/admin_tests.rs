use super::*;

fn faults(text: &str) -> Vec<String> {
    match Settings::from_toml(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn tokens_are_read() {
    let hash = format!("sha256:{}", "0a".repeat(32));
    let text = format!(
        "[admin]\ntokens = [{{ name = \"deploy\", hash = \"{hash}\", see = false, \
         modes = [\"site\"] }}, {{ name = \"watch\", hash = \"{hash}\", toggle = false }}]"
    );
    let tokens = Settings::from_toml(&text).unwrap().admin.tokens;
    let deploy = TokenSettings {
        see: false,
        modes: vec!["site".to_owned()],
        ..TokenSettings::new("deploy", &hash)
    };
    let watch = TokenSettings {
        toggle: false,
        ..TokenSettings::new("watch", &hash)
    };
    assert_eq!(tokens, [deploy, watch]);
}

#[test]
fn faults_are_told_and_never_what_may_be_a_secret() {
    let text = r#"
        [[admin.tokens]]
        name = "deploy"
        hash = "hush-hush"
        [[admin.tokens]]
        name = "deploy"
        hash = "sha256:hush"
        toggle = false
        see = false
        modes = ["shop"]
        token = "hush-hush"
        [[admin.tokens]]
    "#;
    let told = faults(text);
    assert_eq!(told.len(), 8, "{told:#?}");
    let told = told.join("\n");
    assert!(!told.contains("hush"), "{told}");
    for part in [
        "name",
        "SHA-256",
        "may do nothing",
        "no mode has",
        "another token",
        "`admin.tokens[1].token`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for text in [
        "[admin]\ntokens = \"hush-hush\"",
        "[admin]\ntokens = [\"hush-hush\"]",
        "[admin]\ntokens = [{ name = \"x\", hash = [\"hush-hush\"] }]",
        "[admin]\ntoken = \"hush-hush\"",
    ] {
        let told = faults(text).join("\n");
        assert!(!told.is_empty() && !told.contains("hush"), "{told}");
    }
}
