use gatepass_core::{ConfigError, ConfigProblem, printable};
use serde_json::Value;
use std::collections::BTreeMap;
use std::env::VarError;
use std::fmt;
use std::sync::Arc;

/// Where `os.environ/NAME` looks.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Result<String, VarError> + Send + Sync;

/// What stands before the name of a variable.
const PREFIX: &str = "os.environ/";

impl Environment {
    /// This process's environment, read each time.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the configuration names the variable: the user asked for it"
    )]
    pub fn process() -> Self {
        Self(Arc::new(|name| std::env::var(name)))
    }

    /// These variables and no others.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables: BTreeMap<String, String> = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self(Arc::new(move |name| {
            variables.get(name).cloned().ok_or(VarError::NotPresent)
        }))
    }

    /// The value of a variable, without the line break that a file may have left at its end; `None` if it is
    /// not set or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.read(name).ok()
    }

    /// A text of the configuration: as it stands, or the variable that it names.
    pub(crate) fn resolve(&self, field: &str, text: &str) -> Result<String, ConfigError> {
        let Some(name) = text.strip_prefix(PREFIX) else {
            return Ok(text.to_owned());
        };
        self.read(name).map_err(|state| {
            // Somebody may have written the secret in the place of a name.
            if !is_name(name) {
                return ConfigError::invalid(field, "names no environment variable", "write os.environ/NAME");
            }
            ConfigError::Variable {
                variable: printable(name),
                place: Box::new(ConfigProblem::new("", "").with_field(field)),
                state,
            }
        })
    }

    /// Every variable that the configuration refers to.
    pub(crate) fn named_in(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => text.strip_prefix(PREFIX).into_iter().collect(),
            Value::Array(values) => values.iter().flat_map(Self::named_in).collect(),
            Value::Object(fields) => fields.values().flat_map(Self::named_in).collect(),
            _ => Vec::new(),
        }
    }

    fn read(&self, name: &str) -> Result<String, &'static str> {
        match (self.0)(name) {
            Ok(value) if value.trim_end_matches(['\r', '\n']).is_empty() => Err("empty"),
            Ok(value) => Ok(value.trim_end_matches(['\r', '\n']).to_owned()),
            Err(VarError::NotPresent) => Err("not set"),
            Err(VarError::NotUnicode(_)) => Err("not Unicode"),
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::process()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(crate) fn is_reference(text: &str) -> bool {
    text.starts_with(PREFIX)
}
