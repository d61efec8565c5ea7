//! Bugs of what hides secrets, and what names and configurations may be.

use crate::seeded::Bug;

pub(super) const BUGS: &[Bug] = &[
    Bug {
        what: "a token shows itself in a log",
        file: "crates/core/src/token.rs",
        text: r#".field("secret", &facts.secret)"#,
        instead: r#".field("secret", &facts.secret.expose_secret())"#,
        test: "gatepass-core --lib token::tests::debug_does_not_print_the_secret",
    },
    Bug {
        what: "the header isn't marked sensitive",
        file: "crates/core/src/token.rs",
        text: "header.set_sensitive(true);",
        instead: "header.set_sensitive(false);",
        test: "gatepass-core --lib token::tests::the_header_is_finished_and_sensitive",
    },
    Bug {
        what: "a login's secrets show themselves in a log",
        file: "crates/core/src/credential.rs",
        text: "#[derive(Debug, Clone)]\npub struct RefreshToken(SecretString);",
        instead: "#[derive(Clone)]\npub struct RefreshToken(SecretString);\nimpl fmt::Debug for RefreshToken {\n    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {\n        f.write_str(self.0.expose_secret())\n    }\n}",
        test: "gatepass-core --lib credential::tests::debug_does_not_print_the_secrets",
    },
    Bug {
        what: "an account may be a path",
        file: "crates/core/src/credential.rs",
        text: r#"check_name(account, "account name")?;"#,
        instead: r#"_ = check_name(account, "account name");"#,
        test: "gatepass-core --lib credential::tests::two_accounts_of_one_provider_are_two_credentials",
    },
    Bug {
        what: "a variable's line break becomes part of the secret",
        file: "crates/source-client-credentials/src/environment.rs",
        text: r"Ok(value) => Ok(value.trim_end_matches(['\r', '\n']).to_owned()),",
        instead: "Ok(value) => Ok(value),",
        test: "gatepass-client-credentials --test it environment::a_line_break_at_the_end_is_no_part_of_the_value",
    },
];
