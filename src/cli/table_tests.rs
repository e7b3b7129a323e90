use super::*;

#[test]
fn columns_are_aligned_and_empty_ones_left_out() {
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let rows = [row(["ä", "", "x"]), row(["long one", "", "y"])];
    assert_eq!(
        set(&["A", "B", "C"], &rows, None),
        "A         C\nä         x\nlong one  y"
    );
    assert_eq!(
        set(&["A", "B", "C"], &rows, Some(11)),
        "A         C\nä         x\nlong one  y"
    );
}

#[test]
fn where_the_columns_do_not_fit_each_row_is_a_block() {
    let rows = [
        vec!["qkzvbnrt".to_owned(), String::new()],
        vec!["x".to_owned(), "disks".to_owned()],
    ];
    assert_eq!(
        set(&["ID", "TITLE"], &rows, Some(14)),
        "ID     qkzvbnrt\n\nID     x\nTITLE  disks"
    );
}
