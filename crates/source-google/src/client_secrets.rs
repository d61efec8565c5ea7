use crate::error::ClientSecretsError;
use crate::server;
use gatepass_core::{ConfigError, ConfigProblem, SecretString, TokenError};
use gatepass_http::{HttpClient, ServerUrl, Transport};
use gatepass_oauth2::{Client, Discovery, Metadata, Revocation, TokenEndpoint};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A `client_secrets.json`, as Google's console hands it out: the program that a person logs in to.
///
/// Its `auth_uri` and `token_uri` are used as they stand, so a file that names another server logs in there; a file
/// without them means Google. A client without a secret is fine.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSecrets {
    path: PathBuf,
    client: Client,
    server: Metadata,
    project_id: Option<String>,
    /// Path and port of the redirect address, where only the registered one will do.
    pub(crate) redirect: Option<(String, u16)>,
}

#[derive(Deserialize)]
struct Document {
    installed: Option<Section>,
    web: Option<Section>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Section {
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    auth_uri: Option<String>,
    token_uri: Option<String>,
    project_id: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

/// More than any such file has.
const LARGEST: usize = 64 << 10;

impl ClientSecrets {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ClientSecretsError`], with the path and the next step.
    pub fn read(path: &Path) -> Result<Self, ClientSecretsError> {
        let bytes = content(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ClientSecretsError::NotFound {
                path: path.to_owned(),
            },
            _ => ClientSecretsError::Unreadable {
                path: path.to_owned(),
                source: Arc::new(error),
            },
        })?;
        Self::parse(path, &bytes)
    }

    /// As [`read`](Self::read), with the file's content at hand.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ClientSecretsError> {
        let document = document(path, bytes)?;
        let invalid = |problem: ConfigError| ClientSecretsError::Invalid {
            path: path.to_owned(),
            problem: Box::new(problem),
        };
        let (section, redirect) = match (document.installed, document.web) {
            (Some(installed), _) => (installed, None),
            (None, Some(web)) => {
                let redirect = loopback(&web.redirect_uris).map_err(invalid)?;
                (web, Some(redirect))
            }
            (None, None) => {
                return Err(ClientSecretsError::OtherKind {
                    path: path.to_owned(),
                    kind: kind(document.kind.as_deref()),
                });
            }
        };
        let project_id = section.project_id.clone();
        let server = section.server().map_err(invalid)?;
        Ok(Self {
            path: path.to_owned(),
            client: section.client().map_err(invalid)?,
            server,
            project_id,
            redirect,
        })
    }

    /// Where it was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The client.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The server that it logs in at.
    #[must_use]
    pub const fn server(&self) -> &Metadata {
        &self.server
    }

    /// The project that the client belongs to: whose quota a person's calls count against, unless another is named
    /// (`x-goog-user-project`).
    #[must_use]
    pub fn quota_project(&self) -> Option<&str> {
        self.project_id.as_deref()
    }

    /// The token endpoint, for a login and for its refreshes.
    #[must_use]
    pub fn endpoint(&self, http: HttpClient) -> TokenEndpoint {
        self.server.endpoint(http, self.client.clone())
    }

    /// What ends a login at its server. A server that isn't Google is asked for its metadata, within 5 s: where it
    /// revokes is believed only if it names the file's two endpoints as its own, and all three have one origin. So
    /// a token goes to no host that did not issue it.
    ///
    /// # Errors
    /// [`TokenError::Config`] where it is not known where to revoke; otherwise as [`Discovery::metadata`].
    pub async fn revocation(&self, http: HttpClient) -> Result<Revocation, TokenError> {
        let endpoint = self.endpoint(http.clone());
        if self.server.revocation_endpoint.is_some() {
            return Ok(Revocation::new(&self.server, endpoint)?);
        }
        let discovery = Discovery::new(http).with_timeout(Duration::from_secs(5));
        let server = server::as_published(&self.server, &discovery).await?;
        Ok(Revocation::new(&server, endpoint)?)
    }

    /// A warning if other users of this machine can read the file.
    #[cfg(unix)]
    #[must_use]
    pub fn readable_by_others(&self) -> Option<ConfigProblem> {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&self.path).ok()?.permissions().mode();
        (mode & 0o077 != 0).then(|| {
            let fix = format!("run: chmod 600 '{}'", self.path.display());
            ConfigProblem::new("holds a client secret and other users can read it", fix)
                .warning()
                .with_path(&self.path)
        })
    }

    /// A warning if other users of this machine can read the file.
    #[cfg(not(unix))]
    #[must_use]
    pub const fn readable_by_others(&self) -> Option<ConfigProblem> {
        None
    }
}

/// What a file has, or more than is allowed. Nothing else is opened: a pipe may never be written to.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let (mut bytes, most) = (Vec::new(), 2 * LARGEST as u64);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn document(path: &Path, bytes: &[u8]) -> Result<Document, ClientSecretsError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > LARGEST {
        return Err(ClientSecretsError::OtherKind {
            path: path.to_owned(),
            kind: "a large file",
        });
    }
    // In two steps: where the JSON is broken is told by line and column, what is wrong in it otherwise.
    let syntax = |error: serde_json::Error| ClientSecretsError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    };
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_err(syntax)?;
    serde_json::from_slice(bytes).map_err(|error| {
        let what = format!(
            "has the wrong type at line {}, column {}",
            error.line(),
            error.column()
        );
        ClientSecretsError::Invalid {
            path: path.to_owned(),
            problem: Box::new(ConfigError::invalid("a member", what, "download the file again")),
        }
    })
}

impl Section {
    fn client(self) -> Result<Client, ConfigError> {
        let id = self
            .client_id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| ConfigError::invalid("client_id", "is missing", "download the file again"))?;
        Ok(match self.client_secret {
            Some(secret) => Client::new(id, secret),
            None => Client::public(id),
        })
    }

    fn server(&self) -> Result<Metadata, ConfigError> {
        let url = |text: &Option<String>, field: &str, default: &str| {
            let text = text.as_deref().unwrap_or(default);
            ServerUrl::parse(text, field, Transport::Encrypted).map_err(with_a_fix_for_this_file)
        };
        Ok(server::known_as(
            url(&self.auth_uri, "auth_uri", server::AUTHORIZATION)?,
            url(&self.token_uri, "token_uri", server::TOKEN)?,
        ))
    }
}

fn with_a_fix_for_this_file(error: ConfigError) -> ConfigError {
    match error {
        ConfigError::Invalid(mut problem) => {
            problem.fix = "download the file again, or write an address that begins with https://".into();
            ConfigError::Invalid(problem)
        }
        error => error,
    }
}

/// Path and port of the redirect address of a web client. Servers compare it as text, so it has to be the very one
/// that is listened on: 127.0.0.1, with a port.
fn loopback(redirect_uris: &[String]) -> Result<(String, u16), ConfigError> {
    let own = |text: &String| {
        let url = Url::parse(text).ok()?;
        let plain = url.scheme() == "http" && url.query().is_none() && url.fragment().is_none();
        let here = url.host_str() == Some("127.0.0.1") && url.username().is_empty();
        (plain && here).then(|| Some((url.path().to_owned(), url.port()?)))?
    };
    redirect_uris.iter().find_map(own).ok_or_else(|| {
        ConfigError::invalid(
            "redirect_uris",
            "of this web client has no address of this machine",
            "create an OAuth client ID of the type Desktop app, or add http://127.0.0.1:8085/ to the client's redirect URIs",
        )
    })
}

const fn kind(named: Option<&str>) -> &'static str {
    match named {
        Some(named) => match named.as_bytes() {
            b"service_account" => "a service account key",
            b"authorized_user" => "a login of gcloud",
            b"external_account" => "an external account's configuration",
            b"impersonated_service_account" => "an impersonated service account",
            _ => "a credential of another kind",
        },
        None => "a file of another kind",
    }
}
