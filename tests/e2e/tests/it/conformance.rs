//! The authorization scenarios of the Model Context Protocol's own conformance suite (npm
//! `@modelcontextprotocol/conformance`, which needs Node 22), against a client that leaves to the library what the
//! library does: the server's metadata, the login, the token.
//!
//! `GATEPASS_E2E_CONFORMANCE` names the suite's `dist/index.js`; without it the test is left out.

use crate::support::{say, variable};
use gatepass_core::{ExposeSecret, Scopes};
use gatepass_http::{HttpClient, HttpOptions, HttpRequest, ServerUrl, Transport};
use gatepass_oauth2::{
    AuthorizationCodeFlow, AuthorizationHandler, AuthorizationRequest, Client, Discovery, Grant, LoginError,
};
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::process::Command;

/// Beside the suite `auth`: what is optional, or will be asked for.
const MORE: [&str; 4] = [
    "auth/resource-mismatch",
    "auth/offline-access-scope",
    "auth/offline-access-not-supported",
    "auth/client-credentials-basic",
];

#[tokio::test]
async fn the_authorization_scenarios_of_mcp_pass() {
    let Some(suite) = variable("GATEPASS_E2E_CONFORMANCE") else {
        return say("left out: GATEPASS_E2E_CONFORMANCE does not name the suite");
    };
    let this = std::env::current_exe().unwrap();
    let client = format!(
        "{} --exact conformance::a_client --ignored --nocapture",
        this.display()
    );
    let run = async |which: [&str; 2]| {
        let mut command = Command::new("node");
        command.arg(&suite).arg("client").args(which);
        let ended = command.args(["--command", &client]).output().await.unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        let passed = |line: &&str| line.starts_with("Total: ") || line.starts_with("Passed: ");
        let summary = said.lines().find(passed).unwrap_or_default().to_owned();
        assert!(summary.contains(" 0 failed, 0 warnings"), "{which:?}: {said}");
        say(format!("{}: {summary}", which[1]));
    };
    run(["--suite", "auth"]).await;
    for scenario in MORE {
        run(["--scenario", scenario]).await;
    }
}

/// Connects, and calls the first tool. Some scenarios want it to fail.
#[tokio::test]
#[ignore = "a program that the suite starts, with the server's address as its last argument"]
async fn a_client() {
    let Some(url) = std::env::args().next_back().filter(|url| url.starts_with("http")) else {
        return; // somebody runs all ignored tests
    };
    let mut client = McpClient::new(&url);
    let who = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "gatepass", "version": "0"}});
    client.call("initialize", &who).await;
    client.call("notifications/initialized", &json!({})).await;
    let tools = client.call("tools/list", &json!({})).await;
    if let Some(name) = tools["result"]["tools"][0]["name"].as_str() {
        client
            .call("tools/call", &json!({"name": name, "arguments": {}}))
            .await;
    }
}

struct McpClient {
    http: HttpClient,
    url: ServerUrl,
    /// What the suite tells: a client that is registered already.
    context: Value,
    token: Option<String>,
    scopes: BTreeSet<String>,
}

/// Opens the address; the suite's server agrees at once.
struct Agree;

impl AuthorizationHandler for Agree {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let url = request.url().to_owned();
        tokio::spawn(async move { gatepass_testkit::visit(&url).await });
        Ok(())
    }
}

impl McpClient {
    fn new(url: &str) -> Self {
        let context = variable("MCP_CONFORMANCE_CONTEXT").and_then(|text| text.into_string().ok());
        Self {
            http: HttpClient::new(HttpOptions::default()).unwrap(),
            url: parsed(url),
            context: context.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap()),
            token: None,
            scopes: BTreeSet::new(),
        }
    }

    /// Calls a method; logs in when the server asks for it, three times at most.
    async fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let mut message = json!({"jsonrpc": "2.0", "method": method, "params": parameters});
        if !method.starts_with("notifications/") {
            message["id"] = 1.into();
        }
        for _ in 0..3 {
            let (status, headers, answer) = self.post(&self.url, &message).await;
            match status {
                401 | 403 => self.token = Some(self.log_in(&headers).await),
                _ => return answer,
            }
        }
        panic!("{method} is refused again and again");
    }

    async fn log_in(&mut self, refusal: &HeaderMap) -> String {
        let resource = self.protected_resource(refusal).await;
        let issuer = resource["authorization_servers"][0].as_str();
        let issuer = issuer.map_or_else(|| origin(&self.url), str::to_owned);
        let discovery = Discovery::new(self.http.clone());
        let server = discovery.metadata(&issuer, Transport::Encrypted).await.unwrap();
        self.note_scopes(refusal, &resource);
        let scopes = self
            .scopes
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let scopes = Scopes::parse(&scopes).ok();
        let target = resource["resource"].as_str().unwrap_or(self.url.as_str());

        let grants_itself = variable("MCP_CONFORMANCE_SCENARIO").is_some_and(|name| {
            let name = name.to_string_lossy();
            name.contains("client-credentials")
        });
        let client = self.client(&self.document(&issuer).await).await;
        let endpoint = server.endpoint(self.http.clone(), client).with_resource(target);
        if grants_itself {
            let response = endpoint
                .request(&Grant::ClientCredentials { scopes })
                .await
                .unwrap();
            return response.access_token.expose_secret().to_owned();
        }
        let mut flow = AuthorizationCodeFlow::new(&server, endpoint).unwrap();
        if let Some(scopes) = scopes {
            flow = flow.with_scopes(scopes);
        }
        let login = flow.run(&Agree).await.unwrap();
        login.credential.access_token.unwrap().expose_secret().to_owned()
    }

    /// RFC 9728: where the refusal says, or where the standard says. It must be about the server that was asked.
    async fn protected_resource(&self, refusal: &HeaderMap) -> Value {
        let well_known = "/.well-known/oauth-protected-resource";
        let path = format!("{well_known}{}", self.url.path());
        let told = parameter(refusal, "resource_metadata").map(|url| parsed(&url));
        let places = [
            told,
            Some(self.url.with_path(&path)),
            Some(self.url.with_path(well_known)),
        ];
        let resource = self.first(places.into_iter().flatten()).await;
        let about = resource["resource"].as_str().unwrap_or(self.url.as_str());
        assert!(
            self.url.as_str().starts_with(about.trim_end_matches('/')),
            "{about}"
        );
        resource
    }

    /// What the library has no use for: who registers clients, and how.
    async fn document(&self, issuer: &str) -> Value {
        let issuer = parsed(issuer);
        let path = issuer.path().trim_end_matches('/');
        let places = [
            format!("/.well-known/oauth-authorization-server{path}"),
            format!("/.well-known/openid-configuration{path}"),
            format!("{path}/.well-known/openid-configuration"),
        ];
        self.first(places.iter().map(|place| issuer.with_path(place)))
            .await
    }

    /// What is asked for grows with each refusal.
    fn note_scopes(&mut self, refusal: &HeaderMap, resource: &Value) {
        let supported = || {
            let scopes = resource["scopes_supported"].as_array()?.iter();
            Some(scopes.filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        };
        let wanted = parameter(refusal, "scope").or_else(supported).unwrap_or_default();
        self.scopes.extend(wanted.split_whitespace().map(str::to_owned));
    }

    /// The client that the suite tells, or the one that a document describes, or one that is registered now.
    async fn client(&self, server: &Value) -> Client {
        let own = |id: &Value, secret: &Value| match secret.as_str() {
            Some(secret) => Client::new(id.as_str().unwrap(), secret),
            None => Client::public(id.as_str().unwrap()),
        };
        if self.context["client_id"].is_string() {
            return own(&self.context["client_id"], &self.context["client_secret"]);
        }
        if server["client_id_metadata_document_supported"] == true {
            return Client::public("https://conformance-test.local/client-metadata.json");
        }
        let method = &server["token_endpoint_auth_methods_supported"][0];
        let request = json!({
            "client_name": "gatepass", "redirect_uris": ["http://127.0.0.1/"],
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": method,
        });
        let registration = parsed(server["registration_endpoint"].as_str().unwrap());
        let (_, _, registered) = self.post(&registration, &request).await;
        let secret = if method == "none" {
            &Value::Null
        } else {
            &registered["client_secret"]
        };
        own(&registered["client_id"], secret)
    }

    /// The first document that is there.
    async fn first(&self, places: impl Iterator<Item = ServerUrl>) -> Value {
        for place in places {
            let mut answer = self.http.send(HttpRequest::get(place)).await.unwrap();
            if answer.status().is_success() {
                return serde_json::from_slice(&answer.read(1 << 20).await.unwrap()).unwrap();
            }
        }
        Value::Null
    }

    async fn post(&self, url: &ServerUrl, message: &Value) -> (u16, HeaderMap, Value) {
        let accepted = HeaderValue::from_static("application/json, text/event-stream");
        let mut request =
            HttpRequest::post_json(url.clone(), message.to_string()).with_header(ACCEPT, accepted);
        if let Some(token) = &self.token {
            request = request.with_header(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        let mut answer = self.http.send(request).await.unwrap();
        let body = answer.read(1 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        // One event, or JSON as it is.
        let data = text
            .lines()
            .find_map(|line| line.strip_prefix("data: "))
            .unwrap_or(&text);
        let value = serde_json::from_str(data).unwrap_or_default();
        (answer.status().as_u16(), answer.headers().clone(), value)
    }
}

fn parsed(url: &str) -> ServerUrl {
    ServerUrl::parse(url, "address", Transport::Encrypted).unwrap()
}

fn origin(url: &ServerUrl) -> String {
    url.with_path("/").as_str().trim_end_matches('/').to_owned()
}

/// A parameter of the challenge, RFC 6750 §3.
fn parameter(refusal: &HeaderMap, name: &str) -> Option<String> {
    let challenge = refusal.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}
