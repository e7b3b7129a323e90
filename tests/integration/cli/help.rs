//! `--help` of each command: as it was looked at, and on one screen.

use std::{env, fs, path::PathBuf};

use super::Operator;

/// A terminal of the smallest common size, with a line left for what is typed next.
const LINES: usize = 23;
/// All that `on` has, and how the mode is held.
const LINES_OF_DURING: usize = 29;
const COLUMNS: usize = 80;
/// The help of the program has a line for each command, of which there are too many for that.
const LINES_OF_ALL: usize = 34;
/// Half of a wide terminal, or a small one.
const NARROW: usize = 60;

const COMMANDS: [&str; 25] = [
    "",
    "on",
    "off",
    "status",
    "window",
    "window add",
    "window change",
    "window list",
    "window remove",
    "grant",
    "grant add",
    "grant list",
    "grant revoke",
    "history",
    "audit",
    "during",
    "task",
    "doctor",
    "explain",
    "export",
    "render",
    "completions",
    "forget",
    "man",
    "token",
];

fn help(command: &str) -> String {
    let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
    let ran = Operator::new().done(&arguments);
    assert_eq!(ran.err, "");
    ran.out
}

/// With `BLESS=1` the files are written anew, to be looked at.
#[test]
fn the_help_of_each_command_is_as_it_was_looked_at() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/integration/cli/help");
    for command in COMMANDS {
        let name = ["maintenance", command].join(" ");
        let file = folder.join(format!("{}.txt", name.trim().replace(' ', "-")));
        let help = help(command);
        if env::var_os("BLESS").is_some() {
            fs::write(&file, &help).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(help, expected, "{}: see the test for how", file.display());
    }
}

#[test]
fn the_help_of_each_command_fits_a_screen() {
    for command in COMMANDS {
        let help = help(command);
        let lines = help.lines().count();
        let most = match command {
            "" => LINES_OF_ALL,
            "during" => LINES_OF_DURING,
            _ => LINES,
        };
        assert!(lines <= most, "{command}: {lines} lines\n{help}");
        for line in help.lines() {
            let columns = line.chars().count();
            assert!(columns <= COLUMNS, "{command}: {columns} columns\n{line}");
        }
    }
}

/// What is wrapped by hand is wrapped so that no other place is.
#[test]
fn the_help_of_each_command_wraps_well_in_60_columns() {
    for command in COMMANDS {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let operator = Operator::new();
        let mut narrow = operator.command(&arguments);
        narrow.env("COLUMNS", NARROW.to_string());
        let narrow = super::Ran::of(narrow).out;
        assert!(!narrow.is_empty());
        for line in narrow.lines() {
            assert!(line.chars().count() <= NARROW, "{command}: {line}");
        }
        // The text below the options is as it is in a wide one.
        let wide = help(command);
        let below = wide.split("Print help\n").nth(1).unwrap_or_default();
        assert!(
            narrow.contains(below),
            "{command}: {below:?} is not in {narrow}"
        );
    }
}

#[test]
fn the_help_names_every_command_and_every_common_option() {
    let help = help("");
    for command in COMMANDS
        .iter()
        .filter(|it| !it.is_empty() && !it.contains(' '))
    {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
    }
    for option in [
        "--settings FILE",
        "--store URL",
        "--mode KEY",
        "--json",
        "-v,",
    ] {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn every_command_has_examples_that_can_be_parsed() {
    for command in COMMANDS
        .iter()
        .filter(|it| !["", "window", "grant"].contains(it))
    {
        let help = help(command);
        let (_, examples) = help
            .split_once("Examples:\n")
            .or_else(|| help.split_once("Example: "))
            .unwrap_or_else(|| panic!("{help}"));
        for example in examples.lines() {
            assert!(example.contains(command), "{command}: {example}");
            // The first command of the line, as far as it is one of ours.
            let ours = example.split(['|', '>', ';', '&']).next().unwrap();
            let operator = Operator::with_settings(
                "time_zone = \"Europe/Rome\"\n[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"checkout\"\n",
            );
            // `true` takes the place of a command that is not here.
            let ours = ours.replace("./migrate", "true");
            let ours = ours
                .replace("old-shop", "site")
                .replace("./import --all", "true")
                .replace("./report", "true");
            let line = ours.replacen("maintenance", super::program(), 1);
            let ran = super::Ran::of({
                let mut shell = std::process::Command::new("timeout");
                shell
                    .args(["1", "sh", "-c", &line])
                    .current_dir(operator.path());
                shell
            });
            assert_ne!(ran.code, Some(2), "{example}: {ran:?}");
        }
    }
}

#[test]
fn completions_know_commands_and_options_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = Operator::new().done(&["completions", shell]).out;
        for word in [
            "during",
            "task",
            "window",
            "keep-on-failure",
            "on-timeout",
            "settings",
        ] {
            assert!(out.contains(word), "{shell} does not know {word}");
        }
    }
    let json = Operator::new()
        .done(&["--json", "completions", "fish"])
        .json();
    assert_eq!(json["shell"], "fish");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let operator = Operator::new();
    let folder = operator.path().join("share/man1");
    let ran = operator.done(&["man", folder.to_str().unwrap()]);
    assert!(ran.out.contains("the manual pages are in"), "{ran:?}");
    for command in COMMANDS {
        let name = ["maintenance", command].join(" ");
        let page = folder.join(format!("{}.1", name.trim().replace(' ', "-")));
        let text = fs::read_to_string(&page).unwrap();
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS"] {
            assert!(text.contains(section), "{}: no {section}", page.display());
        }
    }
    operator.write("file", "");
    let file = operator.path().join("file/man1");
    let ran = operator.fails(1, &["man", file.to_str().unwrap()]);
    assert!(
        ran.err.contains("a folder that you may write in"),
        "{ran:?}"
    );
}

#[test]
fn the_version_is_the_crates() {
    let out = Operator::new().done(&["--version"]).out;
    assert_eq!(
        out.trim(),
        concat!("maintenance ", env!("CARGO_PKG_VERSION"))
    );
}
