//! A person who logs in: their `client_secrets.json`, their browser, their typing.

use super::canaries::Canary;
use super::golden::{compare, transcript};
use super::world::{CLIENT_SECRET, Outcome, World};
use gatepass::{ExposeSecret, Profile};
use gatepass_testkit::{AuthorizationServer, eventually, visit};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;

/// How the person is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// `$BROWSER` opens the address.
    Browser,
    /// They open the printed address; the browser is on this machine.
    Address,
    /// They open the printed address elsewhere, and paste where it led to.
    Pasting,
}

impl World {
    /// The configuration directory.
    pub(crate) fn conf(&self, name: &str) -> PathBuf {
        self.path(".config/gatepass").join(name)
    }

    /// Puts a `client_secrets.json` of the test server into the configuration directory.
    pub(crate) fn give_client_secrets(&mut self) {
        self.write_conf("client_secrets.json", self.client_secrets().to_string());
    }

    pub(crate) fn client_secrets(&self) -> Value {
        json!({ "installed": {
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "project_id": "my-project",
            "auth_uri": self.authorization.authorization_url(),
            "token_uri": self.authorization.token_url(),
        }})
    }

    pub(crate) fn write_conf(&self, name: &str, content: impl AsRef<[u8]>) {
        use std::os::unix::fs::DirBuilderExt;
        let mut directory = std::fs::DirBuilder::new();
        directory
            .recursive(true)
            .mode(0o700)
            .create(self.conf(""))
            .unwrap();
        self.write(&format!(".config/gatepass/{name}"), content);
    }

    /// The entry of a provider that people log in to at the test server.
    pub(crate) fn login_entry(&self) -> Value {
        json!({
            "grant_type": "authorization_code",
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "issuer": self.authorization.issuer(),
            "scope": "openid llm.read",
            "base_url": self.model.base_url(),
        })
    }

    /// Gives the person a browser that notes what it is to open.
    pub(crate) fn give_browser(&mut self) {
        use std::os::unix::fs::PermissionsExt;
        let note = self.path("opened");
        let script = format!(
            "#!/bin/sh\n/bin/cat /proc/$$/environ > '{0}.environ'\n\
             printf '%s' \"$1\" > '{0}.new' && /bin/mv '{0}.new' '{0}'\n",
            note.display()
        );
        self.write("browser", script);
        std::fs::set_permissions(self.path("browser"), std::fs::Permissions::from_mode(0o700)).unwrap();
        let browser = self.path("browser").display().to_string();
        self.set("BROWSER", browser);
    }

    /// Runs a login to its end, in which the person does their part.
    pub(crate) async fn log_in(&mut self, args: &[&str], by: By) -> Outcome {
        if let By::Browser = by {
            self.give_browser();
            _ = std::fs::remove_file(self.path("opened"));
        }
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let (address, shown) = self.address(&mut child, by, args).await;
        let addresses = match by {
            By::Browser | By::Address => visit(&address).await.unwrap().addresses,
            By::Pasting => {
                // Elsewhere nobody listens where the login leads to: its address is known all the same.
                let led_to = led_to(&address).await;
                let typed = format!("\nhttp://127.0.0.1/other\n{led_to}\n");
                child
                    .stdin
                    .as_mut()
                    .unwrap()
                    .write_all(typed.as_bytes())
                    .await
                    .unwrap();
                vec![address, led_to]
            }
        };
        let mut outcome = self.outcome(child).await;
        let told_on = if args.contains(&"--json") {
            &mut outcome.stderr
        } else {
            &mut outcome.stdout
        };
        told_on.insert_str(0, &shown);
        for secret in self.stored_secrets().await {
            secret.assert_absent("stdout", &outcome.stdout);
            secret.assert_absent("stderr", &outcome.stderr);
        }
        for address in &addresses {
            if let Some((_, code)) = address.split_once("code=") {
                let code = code.split('&').next().unwrap();
                Canary::new(code).assert_absent("stdout", &outcome.stdout);
                Canary::new(code).assert_absent("stderr", &outcome.stderr);
            }
        }
        outcome
    }

    /// The address that the person is to open, and what was printed to tell it.
    pub(crate) async fn address(&self, child: &mut Child, by: By, args: &[&str]) -> (String, String) {
        if let By::Browser = by {
            eventually("the browser is opened", || self.path("opened").exists()).await;
            return (
                std::fs::read_to_string(self.path("opened")).unwrap(),
                String::new(),
            );
        }
        if args.contains(&"--json") {
            address_in(child.stderr.as_mut().unwrap()).await
        } else {
            address_in(child.stdout.as_mut().unwrap()).await
        }
    }

    /// The address that a login without a browser prints.
    pub(crate) async fn printed_address(&self, child: &mut Child) -> String {
        address_in(child.stdout.as_mut().unwrap()).await.0
    }

    /// All files of the home, as text.
    pub(crate) fn files(&self) -> Vec<(PathBuf, String)> {
        let (mut files, mut directories) = (Vec::new(), vec![self.directory().to_owned()]);
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let content = std::fs::read(&path).unwrap();
                    files.push((path, String::from_utf8_lossy(&content).into_owned()));
                }
            }
        }
        files
    }

    /// The tokens in the store.
    pub(crate) async fn stored_secrets(&self) -> Vec<Canary> {
        let store = Profile::new(self.conf("")).store().unwrap();
        let mut secrets = Vec::new();
        for key in store.list().await.unwrap_or_default() {
            let credential = store.load(&key).await.unwrap().unwrap();
            secrets.extend(
                credential
                    .access_token
                    .iter()
                    .map(|token| Canary::new(token.expose_secret())),
            );
            secrets.extend(
                credential
                    .refresh_token
                    .iter()
                    .map(|token| Canary::new(token.expose_secret())),
            );
        }
        secrets
    }
}

/// Reads up to the address; also what came before it.
async fn address_in(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> (String, String) {
    let mut shown = String::new();
    loop {
        let line = next_line(from).await;
        assert!(!line.is_empty(), "no address: {shown}");
        shown.push_str(&line);
        if line.starts_with("http") {
            return (line.trim_end().to_owned(), shown);
        }
    }
}

/// Reads a line byte by byte: nothing that comes after it is taken.
async fn next_line(from: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    use tokio::io::AsyncReadExt;
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        match tokio::time::timeout(std::time::Duration::from_secs(30), from.read_u8()).await {
            Ok(Ok(byte)) => line.push(byte),
            Ok(Err(_)) => break,
            Err(_) => panic!("nothing comes after {:?}", String::from_utf8_lossy(&line)),
        }
    }
    String::from_utf8(line).unwrap()
}

/// The address that the authorization server leads to, without opening that one.
pub(crate) async fn led_to(address: &str) -> String {
    use tokio::io::AsyncReadExt;
    let (authority, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let location = reply.lines().find_map(|line| line.strip_prefix("location: "));
    location.unwrap().to_owned()
}

/// As [`golden`](super::golden), for a login by a person.
pub(crate) async fn golden_login(
    name: &str,
    code: i32,
    args: &[&str],
    by: By,
    prepare: impl Fn(&mut World),
) -> (World, Outcome) {
    let (mut plain, mut tracing) = (World::new().await, World::new().await);
    prepare(&mut plain);
    prepare(&mut tracing);
    tracing.set("RUST_LOG", "trace");
    let (outcome, traced) = tokio::join!(plain.log_in(args, by), tracing.log_in(args, by));
    assert_eq!(traced.code, Some(code), "{traced:?}");
    compare(name, &transcript(&plain, args, &outcome));
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    (plain, outcome)
}
