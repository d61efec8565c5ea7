use gatepass_core::ConfigError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where a person's logins are: a directory with their `client_secrets.json`, and a store.
///
/// Nothing is read or made on disk before a login is looked for.
///
/// ```
/// use gatepass::Profile;
///
/// let profile = Profile::new("/var/lib/agent/gatepass");
/// # drop(profile);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    directory: PathBuf,
    store: StoreKind,
    key: FileKey,
    client_secrets: Option<PathBuf>,
}

/// Where the key of the file store comes from. It names the place of a secret and never holds one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKey {
    /// The file `.key` beside the logins, made at the first one.
    #[default]
    File,
    /// The keyring of the operating system; made at the first login.
    Keyring,
    /// The key itself, 44 characters of URL-safe base64, from an environment variable.
    Variable(String),
    /// The key itself, which this command prints. A shell runs it.
    Command(String),
    /// A passphrase from an environment variable.
    PassphraseVariable(String),
    /// A passphrase, which this command prints. A shell runs it.
    PassphraseCommand(String),
}

impl FileKey {
    /// Reads `file`, `keyring`, `env:NAME`, `command:COMMAND`, `passphrase-env:NAME` or `passphrase-command:COMMAND`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for any other text, which is not shown: it may be the key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest.trim()) {
            ("file", "") => Ok(Self::File),
            ("keyring", "") => Ok(Self::Keyring),
            ("env", name) if !name.is_empty() => Ok(Self::Variable(name.into())),
            ("command", command) if !command.is_empty() => Ok(Self::Command(command.into())),
            ("passphrase-env", name) if !name.is_empty() => Ok(Self::PassphraseVariable(name.into())),
            ("passphrase-command", command) if !command.is_empty() => {
                Ok(Self::PassphraseCommand(command.into()))
            }
            _ => Err(ConfigError::invalid(
                "GATEPASS_KEY",
                "says not where the key is",
                "set it to file, keyring, env:NAME, command:COMMAND, passphrase-env:NAME or passphrase-command:COMMAND",
            )),
        }
    }

    /// The environment variable that holds the secret: no child process should get it.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Variable(name) | Self::PassphraseVariable(name) => Some(name),
            _ => None,
        }
    }
}

/// Which store keeps the logins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// The encrypted file in the profile's directory.
    #[default]
    File,
    /// The keyring of the operating system.
    Keyring,
}

impl StoreKind {
    /// Reads `file` or `keyring`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match text {
            "file" => Ok(Self::File),
            "keyring" => Ok(Self::Keyring),
            _ => Err(ConfigError::invalid(
                "store",
                "is not known",
                "write file or keyring",
            )),
        }
    }

    /// Its name: `file` or `keyring`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }
}

impl Profile {
    /// The profile in this directory, with the file store.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            store: StoreKind::default(),
            key: FileKey::default(),
            client_secrets: None,
        }
    }

    /// The user's own: `$GATEPASS_CONFIG_DIR`, or the platform's place for configuration (`$XDG_CONFIG_HOME/gatepass`,
    /// which is `~/.config/gatepass` unless it is set; `%APPDATA%\gatepass` on Windows). `$GATEPASS_STORE` names the store, and `$GATEPASS_KEY`
    /// where the file's key is: see [`FileKey::parse`].
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if nothing says where it is, or `$GATEPASS_STORE` is neither `file` nor `keyring`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the variables that say where the configuration is"
    )]
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::of_variables(|name| std::env::var_os(name))
    }

    fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let directory = match variable("GATEPASS_CONFIG_DIR") {
            Some(directory) => directory.into(),
            None => platforms_directory(variable)?.join("gatepass"),
        };
        let mut profile = Self::new(directory);
        if let Some(key) = variable("GATEPASS_KEY") {
            profile.key = FileKey::parse(&key.to_string_lossy())?;
        }
        let Some(store) = variable("GATEPASS_STORE") else {
            return Ok(profile);
        };
        let store = StoreKind::parse(&store.to_string_lossy());
        let named = |_| ConfigError::invalid("GATEPASS_STORE", "names no store", "set it to file or keyring");
        Ok(profile.with_store(store.map_err(named)?))
    }

    /// Keeps logins in this store.
    #[must_use]
    pub const fn with_store(mut self, store: StoreKind) -> Self {
        self.store = store;
        self
    }

    /// Takes the key of the file store from there.
    #[must_use]
    pub fn with_key(mut self, key: FileKey) -> Self {
        self.key = key;
        self
    }

    /// Takes Google's client from this file, instead of `client_secrets.json` in the directory.
    #[must_use]
    pub fn with_client_secrets(mut self, path: impl Into<PathBuf>) -> Self {
        self.client_secrets = Some(path.into());
        self
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Which store keeps the logins.
    #[must_use]
    pub const fn store_kind(&self) -> StoreKind {
        self.store
    }

    /// Where the key of the file store comes from.
    #[must_use]
    pub const fn key(&self) -> &FileKey {
        &self.key
    }

    /// The file with Google's client.
    #[must_use]
    pub fn client_secrets_path(&self) -> PathBuf {
        let standard = || self.directory.join("client_secrets.json");
        self.client_secrets.clone().unwrap_or_else(standard)
    }
}

/// The XDG specification has relative paths ignored.
#[cfg(not(windows))]
fn platforms_directory(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, ConfigError> {
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CONFIG_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".config")))
        .ok_or_else(|| nowhere("HOME"))
}

#[cfg(windows)]
fn platforms_directory(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, ConfigError> {
    variable("APPDATA")
        .map(PathBuf::from)
        .ok_or_else(|| nowhere("APPDATA"))
}

fn nowhere(variable: &str) -> ConfigError {
    let what = "is not set: nothing says where logins are kept";
    ConfigError::invalid(
        variable,
        what,
        "set GATEPASS_CONFIG_DIR to a directory of your own",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Profile, ConfigError> {
        Profile::of_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        })
    }

    /// G4, S05
    #[test]
    #[cfg(not(windows))]
    fn the_directory_is_the_named_one_or_the_platforms() {
        for (variables, expected) in [
            (&[("GATEPASS_CONFIG_DIR", "/a"), ("HOME", "/h")][..], "/a"),
            (&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")], "/x/gatepass"),
            (&[("XDG_CONFIG_HOME", "x"), ("HOME", "/h")], "/h/.config/gatepass"),
            (
                &[("GATEPASS_CONFIG_DIR", ""), ("HOME", "/h")],
                "/h/.config/gatepass",
            ),
        ] {
            assert_eq!(of(variables).unwrap().directory(), Path::new(expected));
        }
        for nowhere in [&[][..], &[("HOME", "")], &[("HOME", "relative")]] {
            let error = of(nowhere).unwrap_err();
            assert!(error.to_string().starts_with("HOME is not set"), "{error}");
            assert!(error.fix().contains("GATEPASS_CONFIG_DIR"));
        }
    }

    #[test]
    fn the_store_is_the_named_one() {
        let store = |name| of(&[("GATEPASS_CONFIG_DIR", "/a"), ("GATEPASS_STORE", name)]);
        assert_eq!(store("").unwrap().store_kind(), StoreKind::File);
        assert_eq!(store("keyring").unwrap().store_kind(), StoreKind::Keyring);
        assert!(store("cloud").is_err());
    }

    /// G6
    #[test]
    fn the_key_is_where_the_variable_says_and_never_in_the_error() {
        let key = |text| of(&[("GATEPASS_CONFIG_DIR", "/a"), ("GATEPASS_KEY", text)]);
        assert_eq!(*key("").unwrap().key(), FileKey::File);
        assert_eq!(*key("keyring").unwrap().key(), FileKey::Keyring);
        assert_eq!(
            *key("env:MY_KEY").unwrap().key(),
            FileKey::Variable("MY_KEY".into())
        );
        let command = FileKey::PassphraseCommand("pass show a:b".into());
        assert_eq!(*key("passphrase-command: pass show a:b").unwrap().key(), command);
        let a_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        for bad in ["canary", a_key, "env:", "command: ", "file:x"] {
            let error = key(bad).unwrap_err();
            let shown = format!("{error:?}{error}{}", error.fix());
            assert!(!shown.contains("canary") && !shown.contains(a_key), "{shown}");
        }
    }
}
