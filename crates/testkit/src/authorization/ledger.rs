use gatepass_core::Moment;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// All tokens that were ever issued.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    issued: usize,
    families: usize,
    tokens: HashMap<String, Token>,
    codes: HashMap<String, Code>,
}

/// What an authorization code or a device code stands for.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) scope: Option<String>,
    pub(super) nonce: Option<String>,
    /// Absent for a device code.
    pub(super) redirect: Option<Redirect>,
    pub(super) family: usize,
    pub(super) used: bool,
}

/// What an authorization code is bound to.
#[derive(Debug, Clone)]
pub(super) struct Redirect {
    pub(super) uri: String,
    /// By `S256`.
    pub(super) challenge: Option<String>,
}

#[derive(Debug)]
struct Token {
    grant: Grant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    /// A refresh token that a newer one has replaced.
    Spent,
    Revoked,
}

/// What a token stands for.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) scope: Option<String>,
    /// `None` for a refresh token.
    pub(super) expires: Option<Moment>,
    /// All tokens that came from one login.
    family: usize,
}

impl Grant {
    pub(super) const fn new(client_id: String, family: usize, scope: Option<String>) -> Self {
        Self {
            client_id,
            scope,
            expires: None,
            family,
        }
    }

    pub(super) const fn until(mut self, expires: Moment) -> Self {
        self.expires = Some(expires);
        self
    }
}

/// May this refresh token be used?
pub(super) enum Refresh {
    Allowed { family: usize },
    Reused,
    Unknown,
}

impl Ledger {
    pub(super) const fn new_family(&mut self) -> usize {
        self.families += 1;
        self.families
    }

    /// The first refresh token of a new family.
    pub(super) fn open_family(&mut self, client_id: &str) -> String {
        let family = self.new_family();
        self.issue(Grant::new(client_id.to_owned(), family, None))
    }

    /// A new token: `at-…` for one that expires, `rt-…` for a refresh token.
    pub(super) fn issue(&mut self, grant: Grant) -> String {
        self.issued += 1;
        let kind = if grant.expires.is_some() { "at" } else { "rt" };
        let random = RandomState::new().hash_one(self.issued);
        let name = format!("{kind}-{}-{random:016x}", self.issued);
        let state = State::Live;
        self.tokens.insert(name.clone(), Token { grant, state });
        name
    }

    /// A new code of a person's consent.
    pub(super) fn issue_code(&mut self, mut code: Code) -> String {
        code.family = self.new_family();
        self.issued += 1;
        let random = RandomState::new().hash_one(self.issued);
        let name = format!("code-{}-{random:016x}", self.issued);
        self.codes.insert(name.clone(), code);
        name
    }

    /// The code as it was before this use.
    pub(super) fn use_code(&mut self, name: &str) -> Option<Code> {
        let code = self.codes.get_mut(name)?;
        let before = code.clone();
        code.used = true;
        Some(before)
    }

    /// Ends all tokens of one login.
    pub(super) fn revoke_family(&mut self, family: usize) {
        let relatives = self.tokens.values_mut().filter(|t| t.grant.family == family);
        relatives.for_each(|relative| relative.state = State::Revoked);
    }

    pub(super) fn refresh(&self, token: &str, client_id: &str) -> Refresh {
        let Some(token) = self.tokens.get(token) else {
            return Refresh::Unknown;
        };
        let family = token.grant.family;
        let is_theirs = token.grant.expires.is_none() && token.grant.client_id == client_id;
        match token.state {
            State::Live if is_theirs => Refresh::Allowed { family },
            State::Spent if is_theirs => Refresh::Reused,
            _ => Refresh::Unknown,
        }
    }

    /// Replaces a refresh token.
    pub(super) fn rotate(&mut self, old: &str, client_id: &str, family: usize) -> String {
        if let Some(old) = self.tokens.get_mut(old) {
            old.state = State::Spent;
        }
        self.issue(Grant::new(client_id.to_owned(), family, None))
    }

    /// Ends an access token; ends a refresh token and its whole family (RFC 7009 §2.1).
    pub(super) fn revoke(&mut self, token: &str) {
        let Some(found) = self.tokens.get_mut(token) else {
            return;
        };
        found.state = State::Revoked;
        if found.grant.expires.is_none() {
            let family = found.grant.family;
            self.revoke_family(family);
        }
    }

    /// The grant of a token that would be accepted now.
    pub(super) fn active(&self, token: &str, now: Moment) -> Option<&Grant> {
        let Token { grant, state } = self.tokens.get(token)?;
        let expired = grant.expires.is_some_and(|end| !now.is_before(&end));
        (*state == State::Live && !expired).then_some(grant)
    }

    pub(super) fn owner(&self, token: &str) -> Option<&str> {
        self.tokens.get(token).map(|token| token.grant.client_id.as_str())
    }
}
