//! What the README and the guide show is true. Their examples in Rust are doc tests of the crate.

// A test that cannot go on fails, also in what it calls.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeSet, fs, path::Path};

use actix_maintenance_mode::Settings;
use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The pages of the guide, as `docs/guide/….md`.
fn guide() -> Vec<String> {
    let mut pages: Vec<String> = fs::read_dir(root().join("docs/guide"))
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            format!("docs/guide/{name}")
        })
        .collect();
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// The blocks of code in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    file(page)
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// What is written, without blocks of code.
fn prose(page: &str) -> String {
    file(page).split("```").step_by(2).collect()
}

/// The names by which the headings of a page can be linked to, as forges and rustdoc make them.
fn anchors(page: &str) -> BTreeSet<String> {
    prose(page)
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

/// What is wrong with a link to a file of the repository, written in this page.
fn fault(page: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(page).parent().unwrap();
    let linked = if path.is_empty() {
        root().join(page)
    } else {
        root().join(folder).join(path)
    };
    let Ok(linked) = linked.canonicalize() else {
        return Some(format!("{page}: no such file: {target}"));
    };
    if !anchor.is_empty() && !anchors(linked.to_str().unwrap()).contains(anchor) {
        return Some(format!("{page}: no such heading: {target}"));
    }
    None
}

#[test]
fn the_app_is_the_minimal_example() {
    let example = file("examples/minimal.rs");
    assert!(example.lines().count() < 30);
    let (_, app) = example.split_once("\n\n").unwrap();
    let shown = blocks("README.md", "rust,no_run");
    assert_eq!(shown.first().map(String::as_str), Some(app));
}

#[test]
fn the_readme_is_a_front_door_to_every_page() {
    let readme = file("README.md");
    let lines = readme.lines().count();
    assert!(lines <= 250, "{lines} lines: recipes go into docs/guide/");
    for page in guide() {
        assert!(readme.contains(&format!("]({page})")), "{page}");
    }
}

/// The README's table has all features, with the words of the manifest.
#[test]
fn the_features_are_those_of_the_manifest() {
    let manifest = file("Cargo.toml");
    let (_, features) = manifest.split_once("[features]\n").unwrap();
    let (features, _) = features.split_once("\n[").unwrap();
    let mut comment = String::new();
    let mut rows = 0;
    let readme = file("README.md");
    for line in features.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment += text.trim_start_matches('#').trim();
        } else if let Some((name, _)) = line.split_once(" = ") {
            assert!(name == "default" || !comment.is_empty(), "{name}");
            if name != "default" {
                let row = readme
                    .lines()
                    .find(|row| row.starts_with(&format!("| `{name}` |")));
                assert!(row.is_some(), "the README's table lacks {name}");
                rows += 1;
            }
            comment.clear();
        }
    }
    assert!(rows > 5);
    let table = readme.split_once("| feature |").unwrap().1;
    let table = table.split_once("\n\n").unwrap().0;
    assert_eq!(table.matches("\n| `").count(), rows);
}

/// A page is shown by forges and by rustdoc, where its relative links would lead nowhere. So links
/// between pages are given by reference, and `src/guide.rs` gives the references another target.
#[test]
fn every_link_leads_somewhere() {
    let inline = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let definition = Regex::new(r"(?m)^\[([^\]]+)\]: (\S+)$").unwrap();
    let used = Regex::new(r"\[([^\]\[]*\.(?:md|toml|rs)(?:#[^\]]*)?)\]").unwrap();
    let guide_module = file("src/guide.rs");
    let mut faults = Vec::new();
    for page in guide().iter().map(String::as_str).chain(["README.md"]) {
        let text = prose(page);
        let shown_by_rustdoc = page != "README.md";
        for link in inline.captures_iter(&text) {
            let target = &link[1];
            faults.extend(fault(page, target));
            if shown_by_rustdoc && !target.contains("://") && !target.starts_with('#') {
                faults.push(format!(
                    "{page}: rustdoc cannot follow ({target}): write [text][{target}], and \
                     [{target}]: {target} at the end of the page"
                ));
            }
        }
        let mut defined = BTreeSet::new();
        for link in definition.captures_iter(&text) {
            let (label, target) = (&link[1], &link[2]);
            defined.insert(label.to_owned());
            faults.extend(fault(page, target));
            if shown_by_rustdoc
                && !target.contains("://")
                && !guide_module.contains(&format!("\"[{label}]: "))
            {
                faults.push(format!(
                    "{page}: src/guide.rs gives no target for [{label}]"
                ));
            }
        }
        for link in used.captures_iter(&text) {
            let label = &link[1];
            if !defined.contains(label) && !text.contains(&format!("[{label}](")) {
                faults.push(format!("{page}: [{label}] is not defined at the end of it"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A reader copies the recipe, and knows what to add.
#[test]
fn a_recipe_says_which_crates_it_needs() {
    const EVERY_APP_HAS: [&str; 5] = [
        "std",
        "actix_maintenance_mode",
        "actix_web",
        "actix_session",
        "crate",
    ];
    let import = Regex::new(r"(?m)^\s*use ([a-z_0-9]+)").unwrap();
    let path = Regex::new(r"\b(tera|tracing_subscriber|jiff|serde_json|tokio)::").unwrap();
    let mut needed = 0;
    for page in guide() {
        let text = file(&page);
        for block in blocks(&page, "rust") {
            for name in import
                .captures_iter(&block)
                .chain(path.captures_iter(&block))
            {
                let name = name.get(1).unwrap().as_str();
                if EVERY_APP_HAS.contains(&name) {
                    continue;
                }
                needed += 1;
                let package = name.replace('_', "-");
                let is_told = Regex::new(&format!(r"cargo add [^\n]*\b{package}\b")).unwrap();
                assert!(
                    is_told.is_match(&text),
                    "{page}: `cargo add {package}` is missing"
                );
            }
        }
    }
    assert!(needed > 3, "{needed}");
}

#[test]
fn every_page_is_shown_in_the_docs() {
    let guide_module = file("src/guide.rs");
    for page in guide() {
        let name = page.strip_prefix("docs/guide/").unwrap();
        assert!(guide_module.contains(&format!("\"{name}\"")), "{page}");
        let module = name.strip_suffix(".md").unwrap().replace('-', "_");
        assert!(guide_module.contains(&format!("({module})")), "{page}");
    }
}

/// An example with the folders that it names in this one: settings look for what is in them.
fn on_this_machine(example: &str, folder: &Path) -> String {
    fs::write(
        folder.join("slack.url"),
        "https://hooks.slack.com/services/x",
    )
    .unwrap();
    fs::write(
        folder.join("webhook.secret"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    .unwrap();
    let folder = folder.to_str().unwrap();
    example
        .replace("/var/lib/shop", folder)
        .replace("/etc/shop", folder)
}

#[test]
fn every_settings_example_is_valid() {
    let mut examples = blocks("README.md", "toml");
    for page in guide() {
        examples.extend(blocks(&page, "toml"));
    }
    assert!(examples.len() > 15);
    let folder = tempfile::tempdir().unwrap();
    for example in examples {
        let example = on_this_machine(&example, folder.path());
        let error = Settings::from_toml(&example).map_err(|error| error.to_string());
        let of_lines = format!("\n{example}");
        let left_out = [
            (
                "store = \"redis://",
                "feature `redis`",
                cfg!(feature = "redis"),
            ),
            (
                "store = \"s3://",
                "feature `object-store`",
                cfg!(feature = "object-store"),
            ),
            (
                "store = \"postgres://",
                "feature `postgres`",
                cfg!(feature = "postgres"),
            ),
            (
                "\n[[notice]]",
                "feature `notices`",
                cfg!(feature = "notices"),
            ),
        ]
        .into_iter()
        .find(|(store, _, is_built)| of_lines.contains(store) && !is_built);
        match (error, left_out) {
            (Ok(_), None) => {}
            // A build without the store says what it needs, and finds nothing else.
            (Err(error), Some((_, needs, _))) => {
                assert!(error.starts_with("1 fault"), "{error}\n{example}");
                assert!(error.contains(needs), "{error}\n{example}");
            }
            (Ok(_), Some(_)) => panic!("this build has no such store: {example}"),
            (Err(error), None) => panic!("{error}\n{example}"),
        }
    }
}

#[test]
fn the_list_of_settings_shows_the_defaults() {
    let list = blocks("docs/guide/settings.md", "toml").pop().unwrap();
    assert_eq!(Settings::from_toml(&list).unwrap(), Settings::default());

    // What is commented out is valid, too. Of what may stand instead of another, one is.
    let folder = tempfile::tempdir().unwrap();
    let list = on_this_machine(&list, folder.path());
    let mut all: Vec<&str> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for line in list.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        let key = line.split_whitespace().next().unwrap_or_default();
        if key.ends_with("_file") && line.contains("# instead") {
            others.push(all.pop().unwrap());
        }
        all.push(line);
    }
    let mut text = all.join("\n");
    if !cfg!(feature = "notices") {
        text = text.split("[[notice]]").next().unwrap().to_owned();
    }
    let all = Settings::from_toml(&text).unwrap();
    let instead = others.iter().fold(text, |text, other| {
        let key = other.split_whitespace().next().unwrap();
        let lines = text.lines().map(|line| {
            let is_other = line.split_whitespace().next() == Some(&format!("{key}_file"));
            if is_other { *other } else { line }
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    let instead = Settings::from_toml(&instead).unwrap();
    assert!(!cfg!(feature = "notices") || instead != all);
    assert!(all.forced.is_some() && all.exempt.api_key.is_some() && all.logout.staff.is_some());
}

/// The keys of a section, or of the top level, as the fault of an unknown key lists them.
fn known(section: &str) -> Vec<String> {
    let unlike_any = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";
    let (parent, name) = section.rsplit_once('.').unwrap_or(("", section));
    let (first, rest) = parent.split_once('.').unwrap_or((parent, ""));
    let texts = match (section, first) {
        ("", _) => vec![format!("{unlike_any} = 1")],
        // A section, or an array of tables.
        (_, "") => vec![
            format!("[{name}]\n{unlike_any} = 1"),
            format!("[[{name}]]\n{unlike_any} = 1"),
        ],
        _ => {
            let path = if rest.is_empty() {
                name.to_owned()
            } else {
                format!("{rest}.{name}")
            };
            let array = format!("{path} = [{{ {unlike_any} = 1 }}]");
            let table = format!("{path} = {{ {unlike_any} = 1 }}");
            vec![
                format!("[{first}]\n{table}"),
                format!("[{first}]\n{array}"),
                format!("[[{first}]]\n{table}"),
            ]
        }
    };
    texts
        .iter()
        .find_map(|text| {
            let error = Settings::from_toml(text).unwrap_err().to_string();
            let (_, list) = error.split_once("; known here: ")?;
            let list = list.lines().next().unwrap();
            Some(list.split(", ").map(str::to_owned).collect())
        })
        .unwrap_or_default()
}

/// Every key that the code knows, with its sections: `exempt.api_key.header`.
fn keys_of_the_code() -> BTreeSet<String> {
    fn collect(section: &str, top: &[String], keys: &mut BTreeSet<String>) {
        for name in known(section) {
            let key = if section.is_empty() {
                name
            } else {
                format!("{section}.{name}")
            };
            // A key that is no section has no keys of its own: the top level is listed for it.
            let inner = known(&key);
            if inner.is_empty() || inner == top {
                keys.insert(key);
            } else {
                collect(&key, top, keys);
            }
        }
    }
    let mut keys = BTreeSet::new();
    collect("", &known(""), &mut keys);
    assert!(keys.len() > 60, "{keys:?}");
    keys
}

/// The keys that a text in TOML gives.
fn keys_given(text: &str) -> BTreeSet<String> {
    fn collect(path: &str, value: &toml::Value, keys: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => table.iter().for_each(|(name, value)| {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(&path, value, keys);
            }),
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                items.iter().for_each(|item| collect(path, item, keys));
            }
            _ => {
                keys.insert(path.to_owned());
            }
        }
    }
    let mut keys = BTreeSet::new();
    collect("", &toml::Value::Table(text.parse().unwrap()), &mut keys);
    keys
}

/// What is given in the list stands there with its default, as
/// `the_list_of_settings_shows_the_defaults` checks; what is commented out has none.
#[test]
fn the_list_of_settings_has_every_key_of_the_code() {
    let list = blocks("docs/guide/settings.md", "toml").pop().unwrap();
    let all: String = list
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line)))
        .collect();
    let listed = keys_given(&all);
    let known = keys_of_the_code();
    // What a mode exempts, allows and denies has the keys of `[exempt]` and `applies_to`.
    let is_as_elsewhere = |key: &&String| {
        [
            "mode.exempt.",
            "mode.read_only.allow.",
            "mode.read_only.deny.",
        ]
        .iter()
        .any(|section| key.starts_with(section))
    };
    let missing: Vec<_> = known
        .difference(&listed)
        .filter(|key| !is_as_elsewhere(key))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/guide/settings.md lacks {missing:?}"
    );
    for key in known.iter().filter(|key| key.starts_with("mode.exempt.")) {
        let same = key.strip_prefix("mode.").unwrap();
        assert!(known.contains(same), "{key} is not as in [exempt]");
    }
    let gone: Vec<_> = listed.difference(&known).collect();
    assert!(gone.is_empty(), "no such keys: {gone:?}");
}

/// What the four predecessors could be told, in their own names.
const THERE: [(&str, &str); 4] = [
    (
        "django-maintenance-mode",
        "MAINTENANCE_MODE CACHE_BACKEND GET_AUTHENTICATED_USER GET_CLIENT_IP_ADDRESS GET_CONTEXT \
         IGNORE_ADMIN_SITE IGNORE_ANONYMOUS_USER IGNORE_AUTHENTICATED_USER IGNORE_IP_ADDRESSES \
         IGNORE_STAFF IGNORE_SUPERUSER IGNORE_TESTS IGNORE_URLS LOGOUT_AUTHENTICATED_USER \
         LOGOUT_STAFF_USER LOGOUT_SUPERUSER REDIRECT_URL RESPONSE_TYPE RETRY_AFTER STATE_BACKEND \
         STATE_BACKEND_FALLBACK_VALUE STATE_FILE_NAME STATE_FILE_PATH STATUS_CODE TEMPLATE \
         RequireNotMaintenanceMode503 force_maintenance_mode_off force_maintenance_mode_on \
         get_maintenance_mode set_maintenance_mode maintenance_mode_on maintenance_mode_off",
    ),
    (
        "wagtail-maintenance",
        "IS_ASGI MAINTENANCE_MODE_BAD_STATUS MAINTENANCE_MODE_TEMPLATE \
         MAINTENANCE_MENU_ITEM_HOOK_NAME MAINTENANCE_URL_FUNC REFRESH_DELAY \
         MAINTENANCE_MODE_TEMPLATE_IGNORE_PATHS label help_text timeout order get_status_class \
         get_template get_context render json is_in_maintenance maintenance_mode \
         unset_maintenance maintain blocking call_hooks lock_cache toggle_maintenance_mode \
         see_menu_item see_info maintenance.register_key maintenance.entering_maintenance \
         maintenance.exiting_maintenance form_fields is_preview is_dummy STATIC_URL MEDIA_URL",
    ),
    (
        "django-downtime",
        "EXEMPT_EXACT_URLS EXEMPT_PATHS URL_REDIRECT MIXIN NODATABASE_MODE ADDITIONAL_API_KEY \
         downtime_start downtime_end Period enabled",
    ),
    (
        "django-site-maintenance",
        "ONLINE PENDING OFFLINE MAINTENANCE_FILE MAINTENANCE_URL SESSION_COOKIE_AGE activate \
         deactivate check list --force --timeout CommandTask check_maintenance MaintenanceWindow \
         name start_date end_date MODE_FULL MODE_SOFT notification_period notify_users",
    ),
];

#[test]
fn movers_find_everything_that_they_had() {
    for (there, names) in THERE {
        let page = format!("docs/guide/from-{there}.md");
        let text = file(&page);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        for name in names.split_whitespace() {
            let word =
                Regex::new(&format!(r"(?:^|[^\w-]){}(?:\W|$)", regex::escape(name))).unwrap();
            let is_there = rows.iter().any(|row| {
                // Cells of code may have a bar, but no bar between spaces.
                word.is_match(row.split(" | ").next().unwrap())
            });
            assert!(is_there, "{page} has no row for {name}");
        }
    }
}

/// Settings and methods are named as the code has them.
#[test]
fn movers_are_sent_to_what_there_is() {
    let keys = keys_of_the_code();
    let key = Regex::new(
        r"`((?:exempt|forced_on|response|client|logout|session|drain|web_server|mode|admin)\.[a-z_.]+)`",
    )
    .unwrap();
    let method = Regex::new(r"`(Builder|Maintenance|ModeBuilder)::([a-z_]+)").unwrap();
    let mut seen = 0;
    for (there, _) in THERE {
        let page = format!("docs/guide/from-{there}.md");
        let text = file(&page);
        for found in key.captures_iter(&text) {
            seen += 1;
            let is_there = keys
                .iter()
                .any(|key| *key == found[1] || key.starts_with(&format!("{}.", &found[1])));
            assert!(is_there, "{page}: no setting {}", &found[1]);
        }
        for found in method.captures_iter(&text) {
            seen += 1;
            let (of, name) = (&found[1], &found[2]);
            assert!(has_method(of, name), "{page}: no method {of}::{name}");
        }
    }
    assert!(seen > 60, "{seen}");
}

/// Whether the docs of the crate are to have this method: it is public, in an `impl` of its type.
fn has_method(of: &str, name: &str) -> bool {
    fn any(folder: &Path, holds: &dyn Fn(&str) -> bool) -> bool {
        fs::read_dir(folder).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                any(&path, holds)
            } else {
                holds(&fs::read_to_string(&path).unwrap_or_default())
            }
        })
    }
    let definition = Regex::new(&format!(r"(?m)^    pub (?:async )?fn {name}\b")).unwrap();
    let block = format!("\nimpl {of} {{");
    any(&root().join("src"), &|text| {
        text.contains(&block) && definition.is_match(text)
    })
}

#[test]
fn the_settings_of_the_demo_are_valid() {
    let settings = Settings::from_toml(&file("examples/demo/maintenance.toml")).unwrap();
    assert_eq!(settings.exempt.routes, ["health", "metrics"]);
}
