//! Bugs of the refresh.

use crate::seeded::Bug;

pub(super) const BUGS: &[Bug] = &[
    Bug {
        what: "the store isn't read again under the lock",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "let lock = self.lock().await?;\n        let mut credential = self.shared.newest().await?;",
        instead: "let mut credential = self.shared.newest().await?;\n        let lock = self.lock().await?;",
        test: "gatepass-oauth2 --test it refresh_sharing::twenty_sources_on_one_store_make_one_request_an_expiry",
    },
    Bug {
        what: "the refresh takes no lock",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "None => Ok(Arc::new(self.shared.store.lock(&self.shared.key).await?)),",
        instead: "None => Ok(Arc::new(CredentialLock::new(()))),",
        test: "gatepass-oauth2 --test it refresh_sharing::twenty_sources_on_one_store_make_one_request_an_expiry",
    },
    Bug {
        what: "the lock is released before the rotation is saved",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "Ok(response) => return Ok(self.keep(credential, response, lock).await),",
        instead: "Ok(response) => {\n                    drop(lock);\n                    let lock = Arc::new(CredentialLock::new(()));\n                    return Ok(self.keep(credential, response, lock).await);\n                }",
        test: "gatepass-oauth2 --test it refresh_sharing",
    },
    Bug {
        what: "a rotation that can't be saved frees the lock",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "lock: spent.then_some(lock),",
        instead: "lock: (!spent).then_some(lock),",
        test: "gatepass-oauth2 --test it refresh_faults::while_a_rotation_is_unsaved_nobody_uses_up_the_old_token",
    },
    Bug {
        what: "a rotation is not saved",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "let outcome = shared.store.save(&shared.key, &credential).await;",
        instead: "let outcome = Ok::<(), StoreError>(());",
        test: "gatepass-oauth2 --test it refresh::the_new_refresh_token_is_stored_before_the_access_token_is_used",
    },
    Bug {
        what: "the new refresh token doesn't replace the old one",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "if let Some(rotated) = response.refresh_token {",
        instead: "if let Some(rotated) = response.refresh_token.filter(|_| credential.refresh_token.is_none()) {",
        test: "gatepass-oauth2 --test it refresh::the_new_refresh_token_is_stored_before_the_access_token_is_used",
    },
    Bug {
        what: "an answer without a refresh token drops the old one",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "if let Some(rotated) = response.refresh_token {\n        credential = credential.with_refresh_token(rotated);\n    }",
        instead: "credential.refresh_token = response.refresh_token;",
        test: "gatepass-oauth2 --test it refresh::an_answer_without_a_refresh_token_keeps_the_old_one",
    },
    Bug {
        what: "invalid_grant is believed without a second look at the store",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "if found.refresh_token.as_ref() != Some(tried) {",
        instead: "if found.refresh_token.is_none() {",
        test: "gatepass-oauth2 --test it refresh_faults::without_a_lock_the_loser_adopts_the_winners_login",
    },
    Bug {
        what: "invalid_grant deletes the login",
        file: "crates/oauth2/src/refresh/renewal.rs",
        text: "self.shared.state().bury(tried.clone(), &verdict);",
        instead: "self.shared.state().bury(tried.clone(), &verdict);\n        _ = self.shared.store.delete(&self.shared.key).await;",
        test: "gatepass-oauth2 --test it refresh_faults::a_dead_login_is_login_required_and_stays_in_the_store",
    },
    Bug {
        what: "a refresh token that is dead is sent on each call",
        file: "crates/oauth2/src/refresh/state.rs",
        text: "(dead == token).then(|| verdict.clone())",
        instead: "(dead != token).then(|| verdict.clone())",
        test: "gatepass-oauth2 --test it refresh_faults::a_dead_login_is_login_required_and_stays_in_the_store",
    },
    Bug {
        what: "another person's login is adopted",
        file: "crates/oauth2/src/refresh/state.rs",
        text: "(Some(known), Some(found)) if known != found =>",
        instead: "(Some(known), Some(found)) if known.len() + found.len() == 0 =>",
        test: "gatepass-oauth2 --test it refresh_belonging::another_persons_login_is_never_adopted_silently",
    },
    Bug {
        what: "a refresh token is sent to another server than its own",
        file: "crates/oauth2/src/endpoint/mod.rs",
        text: "if !issuer.is_ok_and(|issuer| issuer == self.url) {",
        instead: "if !issuer.is_ok_and(|_| true) {",
        test: "gatepass-oauth2 --test it refresh_belonging::a_login_goes_only_to_the_server_and_the_client_that_it_belongs_to",
    },
    Bug {
        what: "a server's error shows the secrets that it quotes",
        file: "crates/oauth2/src/verdict.rs",
        text: "let description = complaint.description.as_deref().map(|text| secrets.conceal(text));",
        instead: "let description = complaint.description.clone();",
        test: "gatepass-oauth2 --test it words::a_secret_that_the_server_quotes_is_concealed",
    },
    Bug {
        what: "an overloaded token endpoint counts as a refusal",
        file: "crates/oauth2/src/verdict.rs",
        text: "|| (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)",
        instead: "|| (status.is_server_error() && status == StatusCode::NOT_IMPLEMENTED)",
        test: "gatepass-oauth2 --test it answers::each_answer_has_its_class_and_its_number_of_requests",
    },
];
