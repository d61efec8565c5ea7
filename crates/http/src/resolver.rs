//! Names and their addresses.

use crate::private::is_private_address;
use crate::server_url::ServerUrl;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Looks names up as the system does, when a connection is made: between a look and a connection nothing can change.
///
/// Names that may only [lead outside](ServerUrl::outside) have no other addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolver {
    outside: Arc<Mutex<HashSet<String>>>,
}

/// A name has addresses inside only, and may not lead there.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the name leads to this machine or into a private network")]
pub(crate) struct LeadsInside;

impl Resolver {
    /// Takes note of an address that is about to be connected to.
    pub(crate) fn note(&self, url: &ServerUrl) {
        if let Some(name) = url.outside_name() {
            self.names().insert(name.to_owned());
        }
    }

    /// What is left of the addresses of a name.
    fn allowed(&self, name: &str, mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, LeadsInside> {
        if !self.names().contains(name) {
            return Ok(found);
        }
        found.retain(|address| !is_private_address(address.ip()));
        if found.is_empty() {
            Err(LeadsInside)
        } else {
            Ok(found)
        }
    }

    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        self.outside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = this.allowed(name.as_str(), found.collect())?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server_url::Transport;

    fn noted(text: &str) -> Resolver {
        let url = ServerUrl::parse(text, "token_endpoint", Transport::Encrypted).unwrap();
        let resolver = Resolver::default();
        resolver.note(&url);
        resolver.note(&url.with_path("/else").outside());
        resolver
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        let socket = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
        texts.iter().map(socket).collect()
    }

    /// M02
    #[test]
    fn a_name_that_may_only_lead_outside_has_no_address_inside() {
        let resolver = noted("https://As.Example:8443/token");
        for inside in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "::1",
            "::ffff:127.0.0.1",
            "fd00:ec2::254",
            "fe80::1",
        ] {
            assert!(
                resolver.allowed("as.example", addresses(&[inside])).is_err(),
                "{inside}"
            );
            let both = resolver.allowed("as.example", addresses(&[inside, "203.0.113.7"]));
            assert_eq!(both.unwrap(), addresses(&["203.0.113.7"]), "{inside}");
            let other = resolver.allowed("llm.corp", addresses(&[inside]));
            assert_eq!(other.unwrap(), addresses(&[inside]), "configured by hand");
        }
    }

    #[test]
    fn what_is_configured_by_hand_is_not_noted() {
        let url = ServerUrl::parse("https://sso.corp/token", "token_url", Transport::Encrypted).unwrap();
        let resolver = Resolver::default();
        resolver.note(&url);
        assert!(resolver.allowed("sso.corp", addresses(&["10.0.0.1"])).is_ok());
        assert_eq!(url, url.clone().outside(), "they are the same address");
    }
}
