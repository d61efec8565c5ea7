//! One provider's entry: each field read, resolved and judged; every problem kept.

use crate::environment::{Environment, is_reference};
use crate::provider::{Api, GrantType, Provider, TokenLocation, redirect};
use gatepass_core::{ConfigError, ConfigProblem, JsonObject, ProviderName, RefreshToken, Scopes};
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{AuthStyle, Client, Metadata};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The fields that an entry may have.
pub(crate) const FIELDS: [&str; 24] = [
    "client_id",
    "client_secret",
    "token_url",
    "scope",
    "grant_type",
    "authorization_url",
    "device_authorization_url",
    "revocation_url",
    "redirect_uri",
    "refresh_token",
    "provider_name",
    "base_url",
    "api",
    "api_version",
    "project",
    "location",
    "issuer",
    "audience",
    "resource",
    "auth_style",
    "timeout",
    "ca_file",
    "allow_http",
    "headers",
];

/// The fields that only a person's login has a use for.
const LOGIN_FIELDS: [&str; 4] = [
    "authorization_url",
    "device_authorization_url",
    "revocation_url",
    "redirect_uri",
];

/// The headers of the request itself and of its connection: another value would break the call.
const OURS: [&str; 13] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Reads an entry. Without a provider, there is at least one error.
pub(crate) fn read(
    path: &Path,
    name: &str,
    entry: &Value,
    environment: &Environment,
) -> (Option<Provider>, Vec<ConfigError>) {
    let Value::Object(fields) = entry else {
        let error = ConfigError::Invalid(Box::new(ConfigProblem::new("must be an object", "write { … }")));
        return (None, vec![error.at(path, name)]);
    };
    let mut reader = Reader {
        fields,
        environment,
        errors: Vec::new(),
    };
    let provider = reader.provider(path, name);
    let errors: Vec<_> = reader
        .errors
        .into_iter()
        .map(|error| error.at(path, name))
        .collect();
    (provider.filter(|_| errors.is_empty()), errors)
}

/// Whether a secret stands in the entry itself.
pub(crate) fn holds_a_secret(entry: &Value) -> bool {
    ["client_secret", "refresh_token"].iter().any(|field| {
        entry
            .get(field)
            .and_then(Value::as_str)
            .is_some_and(|text| !is_reference(text))
    })
}

struct Reader<'a> {
    fields: &'a JsonObject,
    environment: &'a Environment,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    /// Goes through all fields, also after the first problem.
    fn provider(&mut self, path: &Path, name: &str) -> Option<Provider> {
        let parsed = ProviderName::parse(name);
        let parsed_name = self.keep(parsed);
        self.check_provider_name(name);
        let transport = match self.flag("allow_http") {
            Some(true) => Transport::PlainAllowed,
            _ => Transport::Encrypted,
        };
        let url = |field: &'static str| move |text: &str| ServerUrl::parse(text, field, transport);
        let grant_type = self.parsed("grant_type", GrantType::parse).unwrap_or_default();
        let client = self.client(grant_type);
        let token = self.token_location(transport);
        self.check_grant(grant_type);
        let authorization_url = self.parsed("authorization_url", url("authorization_url"));
        let device_authorization_url =
            self.parsed("device_authorization_url", url("device_authorization_url"));
        let revocation_url = self.parsed("revocation_url", url("revocation_url"));
        let redirect = self.parsed("redirect_uri", redirect);
        let scopes = self.parsed("scope", Scopes::parse);
        let refresh_token = self.text("refresh_token").map(RefreshToken::new);
        let base_url = self.parsed("base_url", url("base_url"));
        let api = self.api();
        let audience = self.text("audience");
        let resource = self.text("resource");
        let auth_style = self.parsed("auth_style", AuthStyle::parse).unwrap_or_default();
        let timeout = self.seconds("timeout");
        // Beside the file that names it, so that the working directory doesn't matter.
        let ca_file = self
            .text("ca_file")
            .map(|file| path.parent().unwrap_or(Path::new("")).join(file));
        let headers = self.headers();
        Some(Provider {
            name: parsed_name?,
            path: path.to_owned(),
            grant_type,
            client: client?,
            token: token?,
            authorization_url,
            device_authorization_url,
            revocation_url,
            redirect,
            scopes,
            refresh_token,
            base_url,
            api: api?,
            audience,
            resource,
            auth_style,
            timeout,
            ca_file,
            transport,
            headers,
        })
    }

    /// A person's login may do without a secret: the client is public then.
    fn client(&mut self, grant_type: GrantType) -> Option<Client> {
        let id = self.required("client_id");
        if grant_type.is_login() && !self.has("client_secret") {
            return id.map(Client::public);
        }
        let secret = self.required("client_secret");
        Some(Client::new(id?, secret?))
    }

    /// What stands there must be of use to the grant, and what the grant needs must be there.
    fn check_grant(&mut self, grant_type: GrantType) {
        let needed = match grant_type {
            GrantType::ClientCredentials => {
                for field in LOGIN_FIELDS {
                    if self.has(field) {
                        let fix = "add grant_type = authorization_code or device_code, or remove it";
                        self.fail(field, "is for a person's login", fix);
                    }
                }
                return;
            }
            GrantType::AuthorizationCode => "authorization_url",
            GrantType::DeviceCode => "device_authorization_url",
        };
        if self.has("token_url") && !self.has(needed) {
            let fix = format!("add {needed}, or issuer in the place of token_url");
            self.fail(needed, "is missing", fix);
        }
        if self.has("refresh_token") {
            let fix = "remove it, and run: gatepass auth login";
            self.fail("refresh_token", "comes from the person's login", fix);
        }
    }

    /// The language of the API, with what it needs to be told besides.
    fn api(&mut self) -> Option<Api> {
        let api = self.text_or_empty("api");
        let api = api.as_deref().unwrap_or("openai");
        for (field, of) in [
            ("api_version", "azure"),
            ("project", "vertex"),
            ("location", "vertex"),
        ] {
            if self.has(field) && api != of {
                let fix = format!("write api = {of}, or remove it");
                self.fail(field, &format!("is for the api {of}"), fix);
            }
        }
        match api {
            "openai" => Some(Api::OpenAi),
            "openai-responses" => Some(Api::OpenAiResponses),
            "azure" => Some(Api::Azure {
                api_version: self.required("api_version")?,
            }),
            "gemini" => Some(Api::Gemini),
            "vertex" => {
                let (project, location) = (self.required("project"), self.required("location"));
                Some(Api::Vertex {
                    project: project?,
                    location: location?,
                })
            }
            "anthropic" => Some(Api::Anthropic),
            _ => {
                let fix = "write openai, openai-responses, azure, gemini, vertex or anthropic";
                self.fail("api", "is not known", fix);
                None
            }
        }
    }

    fn token_location(&mut self, transport: Transport) -> Option<TokenLocation> {
        if self.has("token_url") {
            return self
                .parsed("token_url", |text| ServerUrl::parse(text, "token_url", transport))
                .map(TokenLocation::Url);
        }
        if self.has("issuer") {
            let check = |text: &str| Metadata::issuer_url(text, transport).map(|_| text.to_owned());
            return self.parsed("issuer", check).map(TokenLocation::Issuer);
        }
        self.fail(
            "token_url",
            "is missing",
            "add the address of the token endpoint, or issuer",
        );
        None
    }

    /// The document's schema names it, though it is the key already.
    fn check_provider_name(&mut self, name: &str) {
        if self.text("provider_name").is_some_and(|given| given != name) {
            self.fail("provider_name", "differs from the entry's own name", "remove it");
        }
    }

    /// Absent and `null` are the same.
    fn has(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|value| !value.is_null())
    }

    fn required(&mut self, field: &str) -> Option<String> {
        if !self.has(field) {
            self.fail(
                field,
                "is missing",
                format!("add {field}, or {field} = os.environ/NAME"),
            );
            return None;
        }
        self.text(field)
    }

    fn parsed<T>(&mut self, field: &str, parse: impl FnOnce(&str) -> Result<T, ConfigError>) -> Option<T> {
        let result = parse(&self.text_or_empty(field)?);
        self.keep(result)
    }

    /// A text that isn't empty.
    fn text(&mut self, field: &str) -> Option<String> {
        let text = self.text_or_empty(field)?;
        if text.trim().is_empty() {
            self.fail(field, "is empty", format!("fill {field}, or remove it"));
            return None;
        }
        Some(text)
    }

    fn text_or_empty(&mut self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::Null => None,
            Value::String(text) => {
                let resolved = self.environment.resolve(field, text);
                self.keep(resolved)
            }
            value => {
                let fix = match value {
                    Value::Array(_) if field == "scope" => {
                        "write its values in one string, separated by one space"
                    }
                    _ => "put it in quotes",
                };
                self.fail(field, "must be a string", fix);
                None
            }
        }
    }

    fn flag(&mut self, field: &str) -> Option<bool> {
        match self.fields.get(field)? {
            Value::Null => None,
            Value::Bool(flag) => Some(*flag),
            _ => {
                self.fail(field, "must be true or false", "write it without quotes");
                None
            }
        }
    }

    fn seconds(&mut self, field: &str) -> Option<Duration> {
        let value = self.fields.get(field).filter(|value| !value.is_null())?;
        let seconds = value
            .as_f64()
            .filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
        if seconds.is_none() {
            self.fail(
                field,
                "must be a number of seconds",
                "write a number from 1 to 86400",
            );
        }
        seconds.map(Duration::from_secs_f64)
    }

    fn headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Some(value) = self.fields.get("headers").filter(|value| !value.is_null()) else {
            return headers;
        };
        let Value::Object(entries) = value else {
            self.fail("headers", "must be an object", "write { \"name\": \"value\" }");
            return headers;
        };
        for (name, value) in entries {
            if let Some((name, value)) = self.header(name, value) {
                headers.insert(name, value);
            }
        }
        headers
    }

    fn header(&mut self, name: &str, value: &Value) -> Option<(HeaderName, HeaderValue)> {
        let field = format!("headers.{name}");
        let Some(text) = value.as_str() else {
            self.fail(&field, "must be a string", "put it in quotes");
            return None;
        };
        let resolved = self.environment.resolve(&field, text);
        let text = self.keep(resolved)?;
        let (Ok(parsed), Ok(mut header)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&text)) else {
            self.fail(
                &field,
                "is not a valid header",
                "remove spaces from the name, and control characters from both",
            );
            return None;
        };
        if OURS.contains(&parsed.as_str()) {
            self.fail(&field, "is set by gatepass", "remove it");
            return None;
        }
        header.set_sensitive(true);
        Some((parsed, header))
    }

    fn fail(&mut self, field: &str, what: &str, fix: impl Into<String>) {
        self.errors.push(ConfigError::invalid(field, what, fix));
    }

    fn keep<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }
}
