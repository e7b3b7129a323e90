use super::*;

#[test]
fn columns_are_aligned_and_empty_ones_left_out() {
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let rows = [row(["ä", "", "x"]), row(["long one", "", "y"])];
    assert_eq!(
        table(&["A", "B", "C"], &rows),
        "A         C\nä         x\nlong one  y"
    );
}
