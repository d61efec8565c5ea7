/// What the command line asks for.
#[derive(Debug)]
pub struct Run {
    benchmark: &'static str,
    effort: Effort,
    filter: String,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effort {
    /// Enough samples for figures to be quoted.
    Full,
    /// `--quick`: enough to see whether a change helps.
    Quick,
    /// `--test`: everything once, to see that it runs.
    Test,
}

impl Run {
    /// Reads `[--test | --quick] [FILTER]`, and the `--bench` that cargo adds, for the benchmark of this name.
    ///
    /// # Errors
    /// A sentence about an option that isn't there.
    pub fn from_arguments(benchmark: &'static str) -> Result<Self, String> {
        let mut run = Self {
            benchmark,
            effort: Effort::Full,
            filter: String::new(),
        };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--bench" => {}
                "--quick" => run.effort = Effort::Quick,
                "--test" => run.effort = Effort::Test,
                option if option.starts_with('-') => {
                    return Err(format!("there is no {option}; write [--test | --quick] [FILTER]"));
                }
                _ => run.filter = argument,
            }
        }
        Ok(run)
    }

    /// How much to do.
    #[must_use]
    pub const fn effort(&self) -> Effort {
        self.effort
    }

    /// Whether the row `name` is asked for, or the whole benchmark.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter) || self.benchmark.contains(&self.filter)
    }
}
