use std::fmt;

/// A Markdown table that can be read as it is.
#[derive(Debug)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        let rule = columns.iter().map(|_| "---".to_owned());
        let names = columns.iter().map(|&name| name.to_owned());
        Self(vec![names.collect(), rule.collect()])
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.0.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.0 {
            for (column, cell) in row.iter().enumerate() {
                let fill = if cell == "---" { '-' } else { ' ' };
                let missing = self.width(column).saturating_sub(cell.chars().count());
                write!(f, "| {cell}{} ", String::from(fill).repeat(missing))?;
            }
            writeln!(f, "|")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut table = Table::new(&["what", "ns"]);
        table.push(["clock – fine".to_owned(), "24.1".to_owned()]);
        let text = "| what         | ns   |\n| ------------ | ---- |\n| clock – fine | 24.1 |\n";
        assert_eq!(table.to_string(), text);
    }
}
