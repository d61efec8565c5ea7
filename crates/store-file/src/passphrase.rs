//! A key from a passphrase: Argon2id (RFC 9106), its parameters bounded before any work is done.

use crate::error::no_randomness;
use crate::fernet::{Key, hex};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use gatepass_core::StoreError;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How a key is derived, as it stands in the store's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Derivation {
    algorithm: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// Hexadecimal.
    salt: String,
}

/// Whoever can write the description must not be able to take all memory or time of the reader.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 8;
const SALT_BYTES: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("it names a way to derive a key that this version doesn't know")]
    Algorithm,
    #[error("its {0} is out of bounds")]
    Bounds(&'static str),
    #[error("there is not enough memory to derive the key")]
    Memory,
}

impl Derivation {
    /// Second recommended option of RFC 9106 §4 on one lane: 64 MiB, 3 passes.
    pub(crate) fn fresh() -> Result<Self, StoreError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::getrandom(&mut salt).map_err(no_randomness)?;
        Ok(Self {
            algorithm: "argon2id".into(),
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
            salt: hex(&salt),
        })
    }

    /// Takes 0.1 to 1 s with the parameters of [`fresh`](Self::fresh).
    pub(crate) fn derive(&self, passphrase: &SecretString) -> Result<Key, Unusable> {
        let params = self.params()?;
        let salt = unhex(&self.salt).ok_or(Unusable::Bounds("salt"))?;
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(params.block_count())
            .map_err(|_| Unusable::Memory)?;
        memory.resize(params.block_count(), Block::default());
        let mut memory = Zeroizing::new(memory);
        let mut bytes = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose_secret().as_bytes(),
                &salt,
                bytes.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|_| Unusable::Bounds("combination of parameters"))?;
        Ok(Key::new(*bytes))
    }

    fn params(&self) -> Result<Params, Unusable> {
        if self.algorithm != "argon2id" {
            return Err(Unusable::Algorithm);
        }
        for (name, value, most) in [
            ("memory", self.memory_kib, MOST_MEMORY_KIB),
            ("number of passes", self.passes, MOST_PASSES),
            ("number of lanes", self.lanes, MOST_LANES),
        ] {
            if value == 0 || value > most {
                return Err(Unusable::Bounds(name));
            }
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| Unusable::Bounds("memory"))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes: Option<Vec<u8>> = digits?
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect();
    bytes.filter(|salt| (SALT_BYTES..=64).contains(&salt.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn cheap() -> Derivation {
        Derivation {
            memory_kib: 8,
            passes: 1,
            ..Derivation::fresh().unwrap()
        }
    }

    #[test]
    fn the_same_passphrase_and_salt_give_the_same_key() {
        let one = cheap();
        assert_eq!(one.derive(&"a".into()).unwrap(), one.derive(&"a".into()).unwrap());
        assert_ne!(one.derive(&"a".into()).unwrap(), one.derive(&"b".into()).unwrap());
        let other = cheap();
        assert_ne!(
            one.derive(&"a".into()).unwrap(),
            other.derive(&"a".into()).unwrap(),
            "salted"
        );
    }

    /// Made by Python: argon2.low_level.hash_secret_raw(b"correct horse", bytes(range(16)), 2, 64, 2, 32, Type.ID).
    #[test]
    fn it_is_argon2id() {
        let derivation = Derivation {
            algorithm: "argon2id".into(),
            memory_kib: 64,
            passes: 2,
            lanes: 2,
            salt: "000102030405060708090a0b0c0d0e0f".into(),
        };
        let key = derivation.derive(&"correct horse".into()).unwrap();
        assert_eq!(
            key.to_text().expose_secret(),
            "JacPLLteDb61DrxzeVnt4cSni4aWKTG_isguY92B6qI="
        );
    }

    /// S09
    #[test]
    fn greedy_parameters_are_refused_at_once() {
        let begin = Instant::now();
        for (memory_kib, passes, lanes) in [
            (64 * 1024 * 1024, 3, 1),
            (u32::MAX, 1, 1),
            (MOST_MEMORY_KIB + 1, 1, 1),
            (64, u32::MAX, 1),
            (64, MOST_PASSES + 1, 1),
            (1024, 1, MOST_LANES + 1),
            (0, 1, 1),
            (64, 0, 1),
            (64, 1, 0),
            (7, 1, 1),
        ] {
            let greedy = Derivation {
                memory_kib,
                passes,
                lanes,
                ..cheap()
            };
            assert!(
                matches!(greedy.derive(&"a".into()), Err(Unusable::Bounds(_))),
                "{greedy:?}"
            );
        }
        for salt in [
            "",
            "00",
            "zz",
            &"0".repeat(31),
            &"0".repeat(33),
            &"0".repeat(130),
            "ä",
        ] {
            let odd = Derivation {
                salt: salt.into(),
                ..cheap()
            };
            assert!(odd.derive(&"a".into()).is_err(), "{salt}");
        }
        let other = Derivation {
            algorithm: "scrypt".into(),
            ..cheap()
        };
        assert_eq!(other.derive(&"a".into()), Err(Unusable::Algorithm));
        assert!(
            begin.elapsed() < Duration::from_millis(50),
            "{:?}",
            begin.elapsed()
        );
    }
}
