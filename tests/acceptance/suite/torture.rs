//! The program `torture`, in its short form. `benches/README.md` has the long one.

use std::process::Command;

fn figure(table: &str, name: &str) -> u64 {
    let row = table
        .lines()
        .find_map(|line| line.strip_prefix(&format!("| {name} | ")));
    let row = row.unwrap_or_else(|| panic!("no row {name:?} in {table}"));
    row.trim_end_matches(" |").parse().unwrap()
}

/// Plays so many rounds, and returns the table of them, and whether nothing was found.
fn table_of(arguments: &[&str], rounds: u64) -> (String, bool) {
    let played = Command::new(env!("CARGO_BIN_EXE_torture"))
        .args(arguments)
        .args(["--rounds", &rounds.to_string()])
        .output()
        .unwrap();
    let told = String::from_utf8(played.stdout).unwrap();
    println!("{told}{}", String::from_utf8_lossy(&played.stderr));
    assert_eq!(figure(&told, "rounds"), rounds, "{arguments:?}");
    (told, played.status.success())
}

/// Plays so many rounds: nobody was inside when it was said to be safe.
fn play(store: &str, policy: &str, rounds: u64) {
    let (told, is_clean) = table_of(
        &["--store", store, "--policy", policy, "--lanes", "6"],
        rounds,
    );
    assert!(is_clean, "{store}, {policy}: {told}");
    assert_eq!(figure(&told, "false"), 0);
    // Most rounds end with the word: one that is never said is worth nothing.
    let said = figure(&told, "said to be safe, and it was");
    assert!(said * 3 > rounds, "{told}");
}

#[test]
#[ignore = "needs redis-server, and minutes: 300 rounds"]
fn whatever_goes_wrong_it_is_not_called_safe_while_somebody_is_served() {
    for (store, policy, rounds) in [
        ("redis", "close", 100),
        ("redis", "keep-last", 100),
        ("file", "close", 50),
        ("file", "keep-last", 50),
    ] {
        play(store, policy, rounds);
    }
}

#[test]
#[ignore = "needs redis-server, and minutes: 200 rounds"]
fn whatever_goes_wrong_a_job_holds_the_site_and_its_death_is_told() {
    for store in ["file", "redis"] {
        for transport in ["store", "http"] {
            for if_lost in ["stay", "reopen"] {
                let given = ["--subject", "during", "--lanes", "6", "--store", store];
                let how = ["--transport", transport, "--if-lost", if_lost];
                // On a busy machine a job may fail for want of time alone, which the program counts as a
                // finding; it is printed, and the promises are asserted.
                let (told, _) = table_of(&[&given[..], &how].concat(), 25);
                assert_eq!(figure(&told, "openings while the holder lives"), 0);
                assert_eq!(figure(&told, "closed without a word"), 0);
                // Else nothing would have been tried.
                assert!(
                    figure(&told, "the command ran, and the site is open") > 0,
                    "{told}"
                );
                let lost = figure(&told, "lost: opened, and told")
                    + figure(&told, "lost: closed, and told");
                assert!(lost > 0, "{told}");
            }
        }
    }
}
