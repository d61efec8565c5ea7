use crate::private::is_private;
use gatepass_core::ConfigError;
use std::fmt;
use url::{Host, Position, Url};

/// The address of a server that may be sent a secret.
///
/// `https`, or `http` to this machine; `http` to another one only with [`Transport::PlainAllowed`]. No user
/// info, no fragment. `Display` leaves the query out. Two are equal if their addresses are.
#[derive(Clone)]
pub struct ServerUrl {
    url: Url,
    /// Whether its name may only lead outside; see [`outside`](Self::outside).
    outside: bool,
}

/// Whether secrets may travel unencrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Only to this machine itself.
    #[default]
    Encrypted,
    /// To any host: `allow_http` of a provider's entry, or of who gives the address.
    PlainAllowed,
}

impl ServerUrl {
    /// Parses an address; `field` names it in errors.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], never with the address itself: it could hold a secret.
    pub fn parse(text: &str, field: &str, transport: Transport) -> Result<Self, ConfigError> {
        let bad = |what: &str, fix: &str| Err(ConfigError::invalid(field, what, fix));
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return bad("contains white space or a control character", "remove it");
        }
        let Ok(url) = Url::parse(text) else {
            return bad("is not a valid URL", "write it as https://host/path");
        };
        // The parser repairs `https:///host`; a secret's destination must not depend on repairs.
        let written_out = text
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.starts_with(['/', '\\']));
        if !matches!(url.scheme(), "http" | "https") || !written_out {
            return bad("is not an http or https URL", "write it as https://host/path");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad("contains user info", "remove what stands before the '@'");
        }
        if url.fragment().is_some() {
            return bad("contains a fragment", "remove the '#' and what follows");
        }
        let url = Self { url, outside: false };
        if url.url.scheme() == "http" && !url.is_loopback() && transport == Transport::Encrypted {
            return bad(
                "would send secrets unencrypted to another machine",
                "use https, or set allow_http if you trust the network between",
            );
        }
        Ok(url)
    }

    /// Host and port, for people.
    #[must_use]
    pub fn host(&self) -> String {
        Self::host_of(&self.url).to_owned()
    }

    pub(crate) fn host_of(url: &Url) -> &str {
        &url[Position::BeforeHost..Position::AfterPort]
    }

    /// Whether it is this very machine: `localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether only someone inside a network reaches it: this machine, a private or link-local address, a cloud's
    /// metadata service; as any spelling that the URL standard knows (`2130706433`, `0x7f.1`, `[::ffff:10.0.0.1]`).
    /// Names are not looked up.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.url.host().is_none_or(|host| is_private(&host))
    }

    /// The same address, told by somebody who mustn't direct our requests inside: a client looks its name up and
    /// connects to no address of this machine, of a private network or of a cloud's metadata service. Where a proxy
    /// is used, the proxy looks names up, and this says nothing. The client keeps to it for that name as long as it
    /// lives, whoever names it next: give each issuer a client of its own.
    #[must_use]
    pub fn outside(mut self) -> Self {
        self.outside = true;
        self
    }

    /// The name that may only lead outside.
    pub(crate) fn outside_name(&self) -> Option<&str> {
        self.url.host_str().filter(|_| self.outside)
    }

    /// Whether both have the same scheme, host and port.
    #[must_use]
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// The address with `path` after its own path; one slash between them, and the query stays.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        let (prefix, path) = (
            self.url.path().trim_end_matches('/'),
            path.trim_start_matches('/'),
        );
        let mut joined = String::with_capacity(prefix.len() + 1 + path.len());
        joined.push_str(prefix);
        joined.push('/');
        joined.push_str(path);
        let mut url = self.url.clone();
        url.set_path(&joined);
        self.at(url)
    }

    /// The address with these parameters after those that its query has, encoded.
    #[must_use]
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> Self {
        let mut url = self.url.clone();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.at(url)
    }

    /// The address with another absolute path, and without a query.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(None);
        self.at(url)
    }

    /// The address with another absolute path; the query stays.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(path);
        self.at(url)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The address as text, with its query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    fn at(&self, url: Url) -> Self {
        Self {
            url,
            outside: self.outside,
        }
    }

    pub(crate) fn into_url(self) -> Url {
        self.url
    }
}

impl PartialEq for ServerUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for ServerUrl {}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.url.scheme(), self.host(), self.url.path())
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ServerUrl, ConfigError> {
        ServerUrl::parse(text, "token_url", Transport::Encrypted)
    }

    #[test]
    fn every_valid_host_is_accepted() {
        for good in [
            "https://as.example/token",
            "https://auth.example.technology/token",
            "https://keycloak:8443/token",
            "https://my_host/token",
            "https://[2001:db8::1]:8443/t",
            "https://bücher.example/t",
            "https://192.0.2.7/t?tenant=1",
            "http://localhost:8080/t",
            "http://127.0.0.1/t",
            "http://127.8.9.1:81/t",
            "http://[::1]:8080/t",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_no_safe_address_is_refused_without_being_shown() {
        for bad in [
            "",
            "not-a-url",
            "/token",
            "ftp://as.example/canary",
            "file:///canary",
            "https://",
            "https:///t",
            "https://canary:secret@as.example/t",
            "https://canary@as.example/t",
            "https://as.example/t#canary",
            "https://as.example/t\n",
            " https://as.example/t",
            "http://as.example/t",
            "http://10.0.0.1/t",
            "http://localhost.evil.example/t",
            "http://127.0.0.1.evil.example/t",
            "https://999.999.999.999/t",
            "javascript:alert(1)",
        ] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("token_url") && !error.contains("canary"),
                "{bad}: {error}"
            );
        }
    }

    /// M02
    #[test]
    fn what_only_an_insider_reaches_is_told_in_every_spelling() {
        for inside in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.0.0.01",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.100.100.200",
            "192.0.0.192",
            "169.254.169.254",
            "2852039166",
            "0251.0376.0251.0376",
            "169.254.169.254.",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "localhost",
            "LocalHost.",
            "a.localhost",
            "localhost.localdomain",
            "metadata.google.internal.",
            "１２７.0.0.1",
            "ⓛocalhost",
        ] {
            let url = parse(&format!("https://{inside}/t")).unwrap();
            assert!(url.is_private(), "{inside}: {url}");
        }
        for outside in [
            "as.example",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "192.0.1.1",
            "223.0.0.1",
            "[2606:4700::1111]",
            "[::ffff:1.1.1.1]",
            "[64:ff9b::1.1.1.1]",
            "[2002:101:101::]",
            "localhost.example",
            "10.example",
            "sso.corp",
        ] {
            let url = parse(&format!("https://{outside}/t")).unwrap();
            assert!(!url.is_private(), "{outside}: {url}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let url = parse("https://as.example/a").unwrap();
        for (other, same) in [
            ("https://AS.example:443/b?c", true),
            ("https://as.example:444/a", false),
            ("https://as.example./a", false),
            ("https://x.as.example/a", false),
        ] {
            assert_eq!(parse(other).unwrap().has_origin_of(&url), same, "{other}");
        }
    }

    #[test]
    fn plain_http_needs_the_word_of_the_configuration() {
        assert!(ServerUrl::parse("http://as.corp/t", "token_url", Transport::PlainAllowed).is_ok());
    }

    #[test]
    fn joining_keeps_one_slash_the_prefix_and_the_query() {
        for base in ["https://h.example/v1", "https://h.example/v1/"] {
            assert_eq!(
                parse(base).unwrap().join("/chat").as_str(),
                "https://h.example/v1/chat"
            );
        }
        assert_eq!(
            parse("https://h.example?a=1").unwrap().join("chat").as_str(),
            "https://h.example/chat?a=1"
        );
    }

    #[test]
    fn a_query_is_added_to_the_one_there_is_and_encoded() {
        let url = parse("https://h.example/v1?a=1").unwrap();
        assert_eq!(url.with_query(&[]).as_str(), "https://h.example/v1?a=1");
        assert_eq!(
            url.with_query(&[("alt", "sse"), ("page", "x&y=/#\n")]).as_str(),
            "https://h.example/v1?a=1&alt=sse&page=x%26y%3D%2F%23%0A"
        );
        assert_eq!(url.at_path("/v2").as_str(), "https://h.example/v2?a=1");
    }

    #[test]
    fn display_leaves_the_query_out() {
        let url = parse("https://h.example:81/v1?key=canary").unwrap();
        assert_eq!(url.to_string(), "https://h.example:81/v1");
        assert!(!format!("{url:?}").contains("canary"));
    }
}
