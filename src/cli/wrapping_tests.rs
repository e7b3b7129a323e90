use super::*;

#[test]
fn a_line_breaks_between_words() {
    let text = "note: what is planned for later stays; look with --no-nodes at it";
    assert_eq!(
        broken(text, 30),
        "note: what is planned for\nlater stays; look with\n--no-nodes at it"
    );
}

#[test]
fn what_fits_stays_as_it_is() {
    let text = "ID   MODE\n12   site\n";
    assert_eq!(broken(text, 9), text);
}

#[test]
fn a_value_goes_on_under_itself_and_other_lines_where_they_begin() {
    assert_eq!(
        broken("site: offline\n  reason   the disks are full", 22),
        "site: offline\n  reason   the disks\n           are full"
    );
    assert_eq!(
        broken("  tip: a similar argument exists", 24),
        "  tip: a similar\n  argument exists"
    );
}

#[test]
fn colours_take_no_room_and_a_long_word_stays_whole() {
    let red = "\u{1b}[31merror:\u{1b}[0m";
    let path = "/var/lib/a/very/long/path/maintenance.state";
    assert_eq!(
        broken(&format!("{red} cannot read {path} now"), 20),
        format!("{red} cannot read\n{path}\nnow")
    );
}
