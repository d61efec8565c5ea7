use super::{http, say};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::Stdio;

use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// Chromium without a window, driven as WebDriver (a W3C recommendation) says: JSON over HTTP, by chromedriver.
///
/// It knows no host but this machine, and forgets everything when dropped.
pub(crate) struct Browser {
    _driver: Child,
    session: String,
    _profile: TempDir,
}

/// The longest that a page may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// `None`, said loudly, where there is no chromedriver.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// One on another machine, as it were: it reaches this server, `127.0.0.1:PORT`, and no other.
    pub(crate) async fn elsewhere(server: &str) -> Option<Self> {
        let bypass = format!("--proxy-bypass-list=<-loopback>;{server}");
        // 9 is the port that discards.
        Self::start_with(&["--proxy-server=http://127.0.0.1:9", &bypass]).await
    }

    async fn start_with(more: &[&str]) -> Option<Self> {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let (driver, port) = driver(profile.path()).await?;
        let driver_url = format!("http://127.0.0.1:{port}/session");
        let folder = format!("--user-data-dir={}", profile.path().join("profile").display());
        let arguments = [
            "--headless=new",
            "--no-sandbox", // which doesn't start as root
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--window-size=900,700",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            &folder,
        ];
        let arguments = [&arguments, more].concat();
        let options =
            json!({"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"performance": "ALL"}});
        let wanted = json!({"capabilities": {"alwaysMatch": options}});
        let session = send(Method::POST, &driver_url, &wanted).await.expect("a browser");
        let session = session["sessionId"].as_str().expect("a session");
        Some(Self {
            session: format!("{driver_url}/{session}"),
            _driver: driver,
            _profile: profile,
        })
    }

    /// Opens an address; returns when its page is there.
    pub(crate) async fn open(&self, url: &str) {
        self.post("url", &json!({"url": url})).await.expect("a page");
    }

    /// The address that is open.
    pub(crate) async fn address(&self) -> String {
        let address = send(Method::GET, &format!("{}/url", self.session), &Value::Null).await;
        address.expect("an address").as_str().expect("text").to_owned()
    }

    /// Fills in a field, when it is there.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        self.element(Method::POST, selector, "value", &json!({"text": text}))
            .await;
    }

    /// Clicks on something, when it is there.
    pub(crate) async fn click(&self, selector: &str) {
        self.element(Method::POST, selector, "click", &json!({})).await;
    }

    /// The text of an element, as it can be read, when it is there.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let text = self.element(Method::GET, selector, "text", &Value::Null).await;
        text.as_str().expect("text").to_owned()
    }

    /// The page as it is now, in HTML.
    pub(crate) async fn source(&self) -> String {
        let source = send(Method::GET, &format!("{}/source", self.session), &Value::Null).await;
        source.expect("a page").as_str().expect("text").to_owned()
    }

    /// What an expression is worth in the page.
    pub(crate) async fn value_of(&self, expression: &str) -> Value {
        let script = json!({"script": format!("return {expression}"), "args": []});
        self.post("execute/sync", &script).await.expect("a value")
    }

    /// Fills in oidc-provider's login page; any password will do.
    pub(crate) async fn log_in(&self, name: &str) {
        self.fill("[name=login]", name).await;
        self.fill("[name=password]", "any").await;
        self.click("[value=login] ~ [type=submit]").await;
    }

    /// Agrees on oidc-provider's consent page.
    pub(crate) async fn agree(&self) {
        self.click("[value=consent] ~ [type=submit]").await;
    }

    /// Refuses on oidc-provider's login page, or on its consent page.
    pub(crate) async fn refuse(&self) {
        self.click(".login-help a").await;
    }

    /// Closes the window.
    pub(crate) async fn close(self) {
        let url = format!("{}/window", self.session);
        send(Method::DELETE, &url, &Value::Null).await.expect("a window");
    }

    /// Prefers `light` or `dark` from now on.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.post("goog/cdp/execute", &command)
            .await
            .expect("a preference");
    }

    /// Writes what can be seen to a PNG file.
    pub(crate) async fn screenshot(&self, path: &Path) {
        use base64::{Engine, engine::general_purpose::STANDARD};

        let url = format!("{}/screenshot", self.session);
        let picture = send(Method::GET, &url, &Value::Null).await.expect("a picture");
        let picture = STANDARD
            .decode(picture.as_str().expect("Base64"))
            .expect("Base64");
        std::fs::write(path, picture).expect("a file");
    }

    /// The addresses that pages of this host, `127.0.0.1:PORT`, have asked for since the last time.
    pub(crate) async fn requests_of(&self, host: &str) -> Vec<String> {
        let log = self
            .post("se/log", &json!({"type": "performance"}))
            .await
            .expect("a log");
        let page = format!("http://{host}/");
        let entries = log.as_array().expect("entries").iter();
        let events =
            entries.map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().expect("text")));
        let requests = events.filter_map(|event| {
            let event = &event.expect("JSON")["message"];
            let asked = event["method"] == "Network.requestWillBeSent";
            let params = &event["params"];
            let ours = params["documentURL"]
                .as_str()
                .is_some_and(|url| url.starts_with(&page));
            (asked && ours).then(|| params["request"]["url"].as_str().unwrap_or_default().to_owned())
        });
        requests.collect()
    }

    /// Waits for an element, and does something with it. A page that is just going away takes its elements along.
    async fn element(&self, method: Method, selector: &str, what: &str, body: &Value) -> Value {
        let begin = Instant::now();
        let wanted = json!({"using": "css selector", "value": selector});
        loop {
            let done = match self.post("element", &wanted).await {
                Ok(found) => {
                    let element = found[ELEMENT].as_str().expect("an element");
                    let url = format!("{}/element/{element}/{what}", self.session);
                    send(method.clone(), &url, body).await
                }
                Err(why) => Err(why),
            };
            let why = match done {
                Ok(value) => return value,
                Err(why) => why,
            };
            let address = self.address().await;
            assert!(begin.elapsed() < PATIENCE, "no {selector} at {address}: {why}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        send(Method::POST, &format!("{}/{path}", self.session), body).await
    }
}

impl Drop for Browser {
    /// Chromium would outlive its driver.
    fn drop(&mut self) {
        let address = self.session.trim_start_matches("http://");
        let Some((host, path)) = address.split_once('/') else {
            return;
        };
        let Ok(mut stream) = std::net::TcpStream::connect(host) else {
            return;
        };
        _ = stream.set_read_timeout(Some(PATIENCE));
        _ = write!(
            stream,
            "DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        // An answer comes when it is gone; the connection stays.
        _ = stream.read(&mut [0; 64]);
    }
}

/// Starts chromedriver, on a port of its own.
///
/// It looks for a port that is free for IPv4 and takes the same for IPv6, or gives up: then again.
async fn driver(home: &Path) -> Option<(Child, String)> {
    const ATTEMPTS: usize = 10;
    for _ in 0..ATTEMPTS {
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut driver = match spawned {
            Ok(driver) => driver,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                say("left out: there is no chromedriver (Debian: chromium-driver, which brings chromium)");
                return None;
            }
            Err(error) => panic!("chromedriver cannot be started: {error}"),
        };
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        while let Some(line) = lines.next_line().await.expect("text") {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return Some((driver, port.trim_end_matches('.').to_owned()));
            }
        }
    }
    panic!("chromedriver found no port {ATTEMPTS} times");
}

/// The value of an answer, or the error's name and message.
async fn send(method: Method, url: &str, body: &Value) -> Result<Value, String> {
    let request = Request::builder().method(method).uri(url);
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    let request = request
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body))
        .expect("a request");
    let answer = http::send(request).await.expect("a driver that answers");
    let body = answer.into_body().collect().await.expect("an answer").to_bytes();
    let mut answer: Value = serde_json::from_slice(&body).expect("JSON");
    let value = answer["value"].take();
    match value["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", value["message"])),
        None => Ok(value),
    }
}
