use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_process_lives_until_it_ends_and_another_of_its_number_is_another() {
    assert_eq!(Process::own().unwrap().is_alive(), Some(true));
    let (dead, elsewhere) = Process::dead_and_elsewhere().unwrap();
    assert_eq!(dead.is_alive(), Some(false));
    assert_eq!(elsewhere.is_alive(), None);

    let mut child = Command::new("sleep")
        .arg("600")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let Began::At(its) = began(child.id()) else {
        panic!("it runs")
    };
    let known = Process {
        pid: child.id(),
        began: its,
        ..Process::own().unwrap()
    };
    assert_eq!(known.is_alive(), Some(true));
    child.kill().unwrap();
    // Nobody has asked how it ended: it is still in the list.
    while began(child.id()) != Began::Ended {
        std::thread::yield_now();
    }
    assert_eq!(known.is_alive(), Some(false));
    child.wait().unwrap();
    assert_eq!(known.is_alive(), Some(false));
}

#[test]
fn a_name_may_look_like_anything() {
    let fields = "S 1 2 3 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 4711 1 1";
    let stat = format!("7 (a) Z (b)) {fields}");
    assert_eq!(parse(&stat), Some(Began::At(4711)));
    assert_eq!(parse("7 (a) Z 1"), Some(Began::Ended));
    assert_eq!(parse("7 (a) S 1"), None);
}
