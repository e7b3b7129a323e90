use super::*;

#[test]
fn only_the_programs_own_colours_reach_the_terminal() {
    let colours = Colours { on: true, mark: 7 };
    let painted = colours.paint(&Style::new().red(), "\u{1b}[32mgreen");
    let shown = colours.escaped(&format!("{painted} and \u{1b}[32mgreen"));
    assert_eq!(
        shown,
        "\u{1b}[31m\\u{1b}[32mgreen\u{1b}[0m and \\u{1b}[32mgreen"
    );
}
