use super::super::Settings;

fn faults(text: &str) -> Vec<String> {
    let error = Settings::from_toml(text).unwrap_err().to_string();
    error
        .lines()
        .skip(1)
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn faults_of_a_mode_are_told_by_their_place() {
    let text = r#"[[mode]]
key = "Shop"
timeout = 0
status = 200
retry_after = "2y"
redirect = "status"
template = "../503.html"
message = " "
access = "read"
[mode.applies_to]
hosts = ["https://shop.example", "*.example", "shop.example"]
prefixes = ["/"]
patterns = ["("]
methods = ["post", "PATCH"]
[mode.exempt]
addresses = ["office"]
prefixes = ["/"]
superuser = true
[mode.read_only]
allow = { paths = ["search"] }
[[mode]]
[[mode]]
"#;
    let found = faults(text);
    let expected = [
        "mode[0].key` is `Shop`: give lower-case letters",
        "mode[0].timeout` is `0`: the mode would be over at once",
        "mode[0].status` is `200`: give a number from 400 to 599",
        "mode[0].retry_after` is ",
        "mode[0].redirect` is `status`: give an address",
        "mode[0].template` is `../503.html`",
        "mode[0].message` is ` `",
        "mode[0].access` is `read`: give one of \"none\", \"read-only\"",
        "mode[0].applies_to.hosts` has `https://shop.example`: only the host is compared",
        "mode[0].applies_to.hosts` has `*.example`: stars are not understood",
        "mode[0].applies_to.prefixes` has `/`: is the whole site",
        "mode[0].applies_to.patterns` has `(`: not a regular expression",
        "mode[0].applies_to.methods` has `post`: give a method in capitals",
        "mode[0].exempt.addresses` has `office`: names are not looked up",
        "mode[0].exempt.prefixes` has `/`: would exempt the whole site",
        "unknown key `mode[0].exempt.superuser`, did you mean `mode.exempt.superusers`?",
        "mode[0].read_only.allow`: counts for read-only modes only",
        "mode[0].read_only.allow.paths` has `search`: give a path",
        "mode[2].key` is `site`: another mode has this key",
    ];
    for part in expected {
        assert!(
            found.iter().any(|fault| fault.contains(part)),
            "{part}\nis not in\n{found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn whatever_a_mode_says_is_read() {
    let settings = Settings::from_toml(
        r#"
        [[mode]]
        key = "shop"
        access = "read-only"
        template = "shop.html"
        message = "The shop is closed."
        status = 500
        retry_after = "1h"
        redirect = "/sorry"
        applies_to = { hosts = ["shop.example:8080"], prefixes = ["/shop"], patterns = ["/s.*p"], methods = ["POST"] }
        read_only = { allow = { paths = ["/search"] }, deny = { prefixes = ["/out"], patterns = ["/x+"] } }
        [mode.exempt]
        anonymous = true
        authenticated = true
        staff = true
        superusers = true
        addresses = ["::1"]
        address_patterns = ["10.*"]
        paths = ["/a"]
        prefixes = ["/b"]
        patterns = ["/c"]
        routes = ["d"]
        "#,
    )
    .unwrap();
    let mode = &settings.modes[0];
    let shown = format!("{mode:?}");
    for value in [
        "ReadOnly",
        "shop.html",
        "The shop is closed.",
        "Some(500)",
        "Some(3600s)",
        "/sorry",
        "shop.example:8080",
        "\"/shop\"",
        "/s.*p",
        "POST",
        "/search",
        "/out",
        "/x+",
        "anonymous: true",
        "authenticated: true",
        "staff: true",
        "superusers: true",
        "::1",
        "10.*",
        "\"/a\"",
        "\"/b\"",
        "\"/c\"",
        "\"d\"",
    ] {
        assert!(shown.contains(value), "{value} is not in {shown}");
    }
}
