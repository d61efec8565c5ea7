//! A person logs in, and out.

use crate::configured::providers;
use crate::model::Vendor;
use crate::profile::Profile;
use gatepass_client_credentials::{GrantType, Provider};
use gatepass_core::{
    ConfigError, Credential, CredentialKey, CredentialStore, ProviderName, Scopes, TokenError,
};
use gatepass_oauth2::{
    AuthorizationCodeFlow, AuthorizationHandler, DeviceCode, DeviceFlow, Discovery, Login, LoginError,
    Revocation, TokenEndpoint,
};
use std::path::Path;
use std::time::Duration;

/// A provider that a person logs in to: one of the configuration, or Google with a `client_secrets.json`.
///
/// ```no_run
/// use gatepass::{LoginOptions, LoginProvider, Profile, oauth2::Browser};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let profile = Profile::from_environment()?;
/// let google = LoginProvider::find("google", &profile, None)?;
/// let options = LoginOptions::default().with_account("jane@example.com");
/// let login = google.log_in(&options, &Browser::new()).await?;
/// google.save(&*profile.store()?, &login, None).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LoginProvider {
    name: ProviderName,
    kind: Kind,
    secret_variables: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Configured(Box<Provider>),
    #[cfg(feature = "google")]
    Google(Box<gatepass_google::ClientSecrets>),
}

/// What a login asks for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Other scopes than the provider's, separated by one space. Google's have short names, and the preset
    /// `generative-language`.
    pub scope: Option<String>,
    /// The account that is proposed to the person: an e-mail address, say.
    pub account: Option<String>,
    /// How long to wait for the person: 5 min if nothing is said. On another device, as long as its code is good
    /// for, at most.
    pub timeout: Option<Duration>,
}

/// How a login was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedLogin {
    /// Under which provider and account.
    pub key: CredentialKey,
    /// Whether the login of another person stood there.
    pub replaced_another: bool,
}

impl LoginOptions {
    /// Asks for these scopes instead of the provider's.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Proposes this account to the person.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Waits so long for the person.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl LoginProvider {
    /// The provider `name`: an entry of `config_path`, or of `./litellm_config.json` and `./gatepass.toml`; else
    /// Google, with the client secrets of `profile`. Asks no server.
    ///
    /// # Errors
    /// [`ConfigError`] for an unknown name, an entry or a file that can't be used, and an entry with client
    /// credentials, which nobody logs in with.
    pub fn find(name: &str, profile: &Profile, config_path: Option<&Path>) -> Result<Self, ConfigError> {
        let name = ProviderName::parse(name)?;
        let providers = providers(config_path)?;
        let mut found = match providers.find(name.as_str())? {
            Some(provider) => Self::configured(provider),
            #[cfg(feature = "google")]
            None if name.as_str() == "google" => {
                providers.warn_of_broken_files();
                Self::google(profile)
            }
            None => Err(providers.unknown(name.as_str())),
        }?;
        let named = providers.variables().chain(profile.key().variable());
        found.secret_variables.extend(named.map(str::to_owned));
        Ok(found)
    }

    /// The provider of this entry.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it has client credentials, which nobody logs in with.
    pub fn configured(provider: Provider) -> Result<Self, ConfigError> {
        if !provider.grant_type.is_login() {
            let what = "is client_credentials: nobody has to log in";
            let fix = format!(
                "use it as it is, or write grant_type = authorization_code; try: gatepass token --provider {}",
                provider.name
            );
            let error = ConfigError::invalid("grant_type", what, fix);
            return Err(error.at(&provider.path, provider.name.as_str()));
        }
        Ok(Self {
            name: provider.name.clone(),
            kind: Kind::Configured(Box::new(provider)),
            secret_variables: key_variables(),
        })
    }

    /// Google, with the client secrets of `profile`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if they can't be used; see
    /// [`ClientSecretsError`](gatepass_google::ClientSecretsError).
    #[cfg(feature = "google")]
    pub fn google(profile: &Profile) -> Result<Self, ConfigError> {
        let secrets = profile.client_secrets()?;
        if let Some(warning) = secrets.readable_by_others() {
            tracing::warn!("{warning}; {}", warning.fix);
        }
        Ok(Self {
            name: ProviderName::parse("google")?,
            kind: Kind::Google(Box::new(secrets)),
            secret_variables: key_variables(),
        })
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &ProviderName {
        &self.name
    }

    /// The environment variables that may hold a secret: those of API keys, of the store's key, and those that the
    /// configuration refers to. No browser should get them
    /// ([`Browser::without_variable`](gatepass_oauth2::Browser::without_variable)).
    pub fn secret_variables(&self) -> impl Iterator<Item = &str> {
        self.secret_variables.iter().map(String::as_str)
    }

    /// Whether people log in to it on another device, unless they want it otherwise.
    #[must_use]
    pub fn prefers_device(&self) -> bool {
        match &self.kind {
            Kind::Configured(provider) => provider.grant_type == GrantType::DeviceCode,
            #[cfg(feature = "google")]
            Kind::Google(_) => false,
        }
    }

    /// Logs a person in, whom `handler` asks. Saves nothing.
    ///
    /// # Errors
    /// [`LoginError`]
    pub async fn log_in(
        &self,
        options: &LoginOptions,
        handler: &impl AuthorizationHandler,
    ) -> Result<Login, LoginError> {
        match &self.kind {
            Kind::Configured(provider) => code_flow(provider, options).await?.run(handler).await,
            #[cfg(feature = "google")]
            Kind::Google(secrets) => crate::google::flow(secrets, options)?.run(handler).await,
        }
    }

    /// Logs a person in on another device: `show` shows them where, and with which code. Saves nothing.
    ///
    /// # Errors
    /// [`LoginError`]; [`TokenError::Config`] within it for a provider that has no such login.
    pub async fn log_in_on_device(
        &self,
        options: &LoginOptions,
        show: impl FnOnce(&DeviceCode),
    ) -> Result<Login, LoginError> {
        let flow = match &self.kind {
            Kind::Configured(provider) => device_flow(provider, options).await?,
            #[cfg(feature = "google")]
            Kind::Google(_) => return Err(TokenError::from(gatepass_google::no_device_login()).into()),
        };
        let mut device = flow.begin().await?;
        device.expires_in = options
            .timeout
            .unwrap_or(device.expires_in)
            .min(device.expires_in);
        show(&device);
        flow.finish(device).await
    }

    /// Saves a login under `account`; else under the e-mail address that the provider has told, or as the default
    /// account.
    ///
    /// # Errors
    /// [`TokenError::Config`] for an account that can't be a name, [`TokenError::Store`].
    pub async fn save(
        &self,
        store: &dyn CredentialStore,
        login: &Login,
        account: Option<&str>,
    ) -> Result<SavedLogin, TokenError> {
        let key = self.key(login, account)?;
        let _lock = store.lock(&key).await?;
        // What can't be read is replaced: a login is how it gets well.
        let before = store.load(&key).await.ok().flatten();
        store.save(&key, &login.credential).await?;
        let before = before.and_then(|before| before.subject);
        let replaced_another = before.is_some() && before != login.credential.subject;
        Ok(SavedLogin {
            key,
            replaced_another,
        })
    }

    fn key(&self, login: &Login, account: Option<&str>) -> Result<CredentialKey, ConfigError> {
        let key = CredentialKey::new(self.name.clone());
        if let Some(account) = account {
            return key.with_account(account);
        }
        let email = login.identity.as_ref().and_then(|who| who.email.as_deref());
        let named = email.and_then(|email| key.clone().with_account(email).ok());
        Ok(named.unwrap_or(key))
    }

    /// Ends a login at the provider; see [`Revocation::revoke`]. Deletes nothing here.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::Config`] where it is not known how, and nothing was sent.
    pub async fn revoke(&self, credential: &Credential) -> Result<(), TokenError> {
        let revocation = match &self.kind {
            Kind::Configured(provider) => {
                let (server, endpoint) = server_of(provider).await?;
                Revocation::new(&server, endpoint)?
            }
            #[cfg(feature = "google")]
            Kind::Google(secrets) => secrets.revocation(crate::google::http()?).await?,
        };
        revocation.revoke(credential).await
    }

    /// Says where a field of the provider stands that doesn't fit a stored login, and calls it by the name it has there.
    pub(crate) fn in_its_words(&self, error: TokenError) -> TokenError {
        let TokenError::Config(ConfigError::Invalid(mut problem)) = error else {
            return error;
        };
        if let Some("token_url" | "client_id") = problem.field.as_deref() {
            match &self.kind {
                Kind::Configured(provider) => {
                    problem.path.get_or_insert_with(|| provider.path.clone());
                    problem.provider.get_or_insert_with(|| provider.name.to_string());
                }
                #[cfg(feature = "google")]
                Kind::Google(secrets) => {
                    problem.path.get_or_insert_with(|| secrets.path().to_owned());
                    problem.field = problem.field.map(|field| field.replace("token_url", "token_uri"));
                }
            }
        }
        TokenError::Config(ConfigError::Invalid(problem))
    }

    /// The token endpoint, for refreshes.
    pub(crate) async fn endpoint(&self) -> Result<TokenEndpoint, TokenError> {
        match &self.kind {
            Kind::Configured(provider) => Ok(server_of(provider).await?.1),
            #[cfg(feature = "google")]
            Kind::Google(secrets) => Ok(secrets.endpoint(crate::google::http()?).with_name("google")),
        }
    }
}

async fn server_of(provider: &Provider) -> Result<(gatepass_oauth2::Metadata, TokenEndpoint), TokenError> {
    let http = provider.token_http()?;
    let discovery = Discovery::new(http.clone()).with_timeout(provider.token_timeout());
    let server = provider.server(&discovery).await?;
    let endpoint = provider.endpoint(http, &server);
    Ok((server, endpoint))
}

async fn code_flow(provider: &Provider, options: &LoginOptions) -> Result<AuthorizationCodeFlow, TokenError> {
    let (server, endpoint) = server_of(provider).await?;
    let at_entry = |error: ConfigError| error.at(&provider.path, provider.name.as_str());
    let mut flow = AuthorizationCodeFlow::new(&server, endpoint).map_err(at_entry)?;
    if let Some((path, port)) = &provider.redirect {
        flow = flow.with_redirect(path, *port).map_err(at_entry)?;
    }
    if let Some(scopes) = scopes(provider, options)? {
        flow = flow.with_scopes(scopes);
    }
    if let Some(account) = &options.account {
        flow = flow.with_parameter("login_hint", account);
    }
    Ok(match options.timeout {
        Some(timeout) => flow.with_timeout(timeout),
        None => flow,
    })
}

async fn device_flow(provider: &Provider, options: &LoginOptions) -> Result<DeviceFlow, TokenError> {
    let (server, endpoint) = server_of(provider).await?;
    let flow = DeviceFlow::new(&server, endpoint);
    let flow = flow.map_err(|error| error.at(&provider.path, provider.name.as_str()))?;
    Ok(match scopes(provider, options)? {
        Some(scopes) => flow.with_scopes(scopes),
        None => flow,
    })
}

fn scopes(provider: &Provider, options: &LoginOptions) -> Result<Option<Scopes>, ConfigError> {
    match &options.scope {
        Some(scope) => Scopes::parse(scope).map(Some),
        None => Ok(provider.scopes.clone()),
    }
}

fn key_variables() -> Vec<String> {
    Vendor::all_key_variables().map(str::to_owned).collect()
}
