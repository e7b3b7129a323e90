//! Rows in columns.

use console::measure_text_width;

/// Sets rows in columns that are as wide as they must be. A column in which no row has anything is
/// left out.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let is_used = |column: usize| rows.iter().any(|row| !row[column].is_empty());
    let columns: Vec<usize> = (0..heads.len()).filter(|column| is_used(*column)).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| measure_text_width(&row[column]))
            .chain([heads[column].len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(|column| width(*column)).collect();
    let line = |cell: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for (column, width) in columns.iter().zip(&widths) {
            let text = cell(*column);
            line.push_str(&text);
            line.extend(std::iter::repeat_n(
                ' ',
                width - measure_text_width(&text) + 2,
            ));
        }
        line.trim_end().to_owned()
    };
    std::iter::once(line(&|column| heads[column].to_owned()))
        .chain(rows.iter().map(|row| line(&|column| row[column].clone())))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
