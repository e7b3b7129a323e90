//! Rows in columns.

use console::{Term, measure_text_width};

/// Sets rows in columns that are as wide as they must be. A column in which no row has anything is
/// left out. On a terminal that is too narrow for it each row is a block of lines.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let terminal = Term::stdout();
    let is_terminal = terminal.features().is_attended();
    let columns = terminal.size_checked().filter(|_| is_terminal);
    set(
        heads,
        rows,
        columns.map(|(_, columns)| usize::from(columns)),
    )
}

/// `available`: how many columns there are; `None`: as many as it takes.
fn set(heads: &[&str], rows: &[Vec<String>], available: Option<usize>) -> String {
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
    let needed = widths.iter().map(|width| width + 2).sum::<usize>();
    if available.is_some_and(|available| needed > available + 2) {
        return blocks(heads, &columns, rows);
    }
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

/// Each row as lines of a head and what the row has of it.
fn blocks(heads: &[&str], columns: &[usize], rows: &[Vec<String>]) -> String {
    let widest = columns.iter().map(|column| heads[*column].len()).max();
    let widest = widest.unwrap_or(0);
    let block = |row: &Vec<String>| {
        let lines = columns.iter().filter(|column| !row[**column].is_empty());
        let lines = lines.map(|column| format!("{:widest$}  {}", heads[*column], row[*column]));
        lines.collect::<Vec<_>>().join("\n")
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
