//! What holds whatever bytes come: the tests try it with damaged files, the fuzzer (`fuzz/`) with all that it thinks of.

use crate::client_secrets::ClientSecrets;
use std::error::Error;
use std::path::Path;

/// A `client_secrets.json`: its addresses are encrypted ones or this machine's, and neither the secret `canary-4711`
/// nor a control character gets into what is said of it.
pub fn client_secrets(text: &[u8]) {
    match ClientSecrets::parse(Path::new("client_secrets.json"), text) {
        Ok(secrets) => {
            let server = secrets.server();
            for url in server
                .authorization_endpoint
                .iter()
                .chain([&server.token_endpoint])
            {
                assert!(url.as_str().starts_with("https://") || url.is_loopback());
            }
            // An id is public, whatever it says.
            let client = secrets.client();
            let id = format!("{:?}", client.id());
            assert!(!format!("{client:?}").replace(&id, "").contains("canary-4711"));
        }
        Err(error) => {
            let mut told: Option<&dyn Error> = Some(&error);
            while let Some(error) = told {
                let text = error.to_string();
                assert!(!text.contains("canary-4711"), "{text}");
                assert!(!text.chars().any(char::is_control), "{text:?}");
                told = error.source();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_testkit::hostile;

    #[test]
    fn no_file_shows_its_secret_or_leads_to_plain_http() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/client_secrets");
        hostile(corpus, client_secrets);
    }
}
