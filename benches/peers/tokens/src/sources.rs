//! Where the peers' tokens come from: each is pointed at the stub.

use azure_core::credentials::TokenCredential;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use gatepass_benches::hit::leak;
use gatepass_benches::{Operation, Stub};
use google_cloud_auth::credentials::Credentials;
use http::Extensions;
use huskarl::cache::{GrantTokenSource, InMemoryRefreshTokenStore, InMemoryTokenCache, TokenSource as _};
use huskarl::core::client_auth::NoAuth;
use huskarl::grant::client_credentials::{ClientCredentialsGrant, ClientCredentialsGrantParameters};
use serde_json::json;
use std::error::Error;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use yup_oauth2::authenticator::DefaultAuthenticator;
use yup_oauth2::authenticator_delegate::InstalledFlowDelegate;
use yup_oauth2::storage::{TokenInfo, TokenStorage, TokenStorageError};

pub(crate) const SCOPES: &[&str] = &["https://www.googleapis.com/auth/cloud-platform"];

pub(crate) const YUP: &str = "yup-oauth2 12.1.2";
pub(crate) const GOOGLE: &str = "google-cloud-auth 1.18.0";
pub(crate) const GCP_AUTH: &str = "gcp_auth 0.12.7";
pub(crate) const AZURE: &str = "azure_identity 1.0.0";
pub(crate) const HUSKARL: &str = "huskarl 0.11.10";

/// A token that is there already, asked for by the way that each peer offers.
pub(crate) async fn hits(stub: &Stub) -> Result<Vec<Operation>, Box<dyn Error>> {
    let yup = leak(yup(stub, Expired::No).await?);
    yup.token(SCOPES).await?;
    let google = leak(google(stub)?);
    google.headers(Extensions::new()).await?;
    let azure = leak(azure(stub)?);
    azure.get_token(SCOPES, None).await?;
    let huskarl = leak(huskarl(stub).await?);
    huskarl.token().await?;
    let mut operations = vec![
        Operation::new(YUP, || async { yup.token(SCOPES).await.is_ok() }),
        Operation::new(GOOGLE, || async {
            google.headers(Extensions::new()).await.is_ok()
        }),
        Operation::new(AZURE, || async { azure.get_token(SCOPES, None).await.is_ok() }),
        Operation::new(HUSKARL, || async { huskarl.token().await.is_ok() }),
    ];
    if let Some(gcp) = gcp_auth(stub)? {
        let gcp = leak(gcp);
        gcp.token(SCOPES).await?;
        operations.push(Operation::new(GCP_AUTH, || async {
            gcp.token(SCOPES).await.is_ok()
        }));
    }
    Ok(operations)
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Expired {
    Yes,
    No,
}

/// A person's login, its refresh token in memory.
pub(crate) async fn yup(stub: &Stub, expired: Expired) -> Result<DefaultAuthenticator, Box<dyn Error>> {
    let secret = yup_oauth2::ApplicationSecret {
        client_id: "id".into(),
        client_secret: "secret".into(),
        token_uri: stub.url("/token"),
        auth_uri: stub.url("/authorize"),
        redirect_uris: vec!["http://localhost".into()],
        ..Default::default()
    };
    let left = time::Duration::seconds(if expired == Expired::Yes { -10 } else { 3600 });
    let login = TokenInfo {
        access_token: Some(format!("ya29.{}", "a0ARW5m7kQ".repeat(20))),
        refresh_token: Some("1//refresh".into()),
        expires_at: Some(time::OffsetDateTime::now_utc() + left),
        id_token: None,
    };
    let method = yup_oauth2::InstalledFlowReturnMethod::Interactive;
    let builder = yup_oauth2::InstalledFlowAuthenticator::builder(secret, method);
    let builder = builder.flow_delegate(Box::new(Nobody));
    Ok(builder
        .with_storage(Box::new(Memory(Mutex::new(login))))
        .build()
        .await?)
}

/// Who is asked to log in when the refresh is refused: the peer's own asks at the terminal.
struct Nobody;

impl InstalledFlowDelegate for Nobody {
    fn present_user_url<'a>(
        &'a self,
        _: &'a str,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(std::future::ready(Err("nobody is there".to_owned())))
    }
}

struct Memory(Mutex<TokenInfo>);

#[async_trait::async_trait]
impl TokenStorage for Memory {
    async fn set(&self, _: &[&str], token: TokenInfo) -> Result<(), TokenStorageError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    async fn get(&self, _: &[&str]) -> Option<TokenInfo> {
        Some(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// A person's login. It begins to fetch as soon as it is built.
pub(crate) fn google(stub: &Stub) -> Result<Credentials, Box<dyn Error>> {
    let user = json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "secret", "refresh_token": "1//refresh",
    });
    let builder = google_cloud_auth::credentials::user_account::Builder::new(user);
    Ok(builder.with_token_uri(stub.url("/token")).build()?)
}

/// A service account, which signs each request; none where there is no `openssl` to make it a key.
pub(crate) fn gcp_auth(stub: &Stub) -> Result<Option<Arc<dyn gcp_auth::TokenProvider>>, Box<dyn Error>> {
    let Ok(made) = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA"])
        .output()
    else {
        return Ok(None);
    };
    let key = String::from_utf8(made.stdout)?;
    let account = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": key,
        "client_email": "a@p.iam.example", "client_id": "1", "auth_uri": stub.url("/authorize"),
        "token_uri": stub.url("/token"), "auth_provider_x509_cert_url": stub.url("/"),
        "client_x509_cert_url": stub.url("/"),
    });
    let account = gcp_auth::CustomServiceAccount::from_json(&account.to_string())?;
    Ok(Some(Arc::new(account)))
}

pub(crate) fn azure(stub: &Stub) -> Result<Arc<ClientSecretCredential>, Box<dyn Error>> {
    let mut options = ClientSecretCredentialOptions::default();
    let stub = azure_core::http::Url::parse(&stub.url("/"))?;
    options
        .client_options
        .per_try_policies
        .push(Arc::new(ToStub(stub)));
    let tenant = "00000000-0000-0000-0000-000000000001";
    Ok(ClientSecretCredential::new(
        tenant,
        "id".into(),
        "secret".into(),
        Some(options),
    )?)
}

/// It insists on https: its requests are turned to the stub at the last moment.
#[derive(Debug)]
struct ToStub(azure_core::http::Url);

#[async_trait::async_trait]
impl Policy for ToStub {
    async fn send(
        &self,
        context: &azure_core::http::Context,
        request: &mut azure_core::http::Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let url = request.url_mut();
        _ = url.set_scheme(self.0.scheme());
        _ = url.set_host(self.0.host_str());
        _ = url.set_port(self.0.port());
        match next.split_first() {
            Some((first, rest)) => first.send(context, request, rest).await,
            None => Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "no transport",
            )),
        }
    }
}

pub(crate) type Huskarl =
    InMemoryTokenCache<GrantTokenSource<ClientCredentialsGrant, InMemoryRefreshTokenStore>>;

pub(crate) async fn huskarl(stub: &Stub) -> Result<Huskarl, Box<dyn Error>> {
    let http = huskarl_reqwest::ReqwestClient::builder().build().await?;
    let grant = ClientCredentialsGrant::builder()
        .client_id("id")
        .client_auth(NoAuth)
        .token_endpoint(stub.url("/token").parse()?)
        .http_client(http)
        .build();
    let source = GrantTokenSource::builder()
        .grant(grant)
        .grant_parameters(ClientCredentialsGrantParameters::new())
        .refresh_store(InMemoryRefreshTokenStore::default())
        .build();
    Ok(InMemoryTokenCache::builder().source(source).build())
}
