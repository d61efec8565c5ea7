//! Fernet: AES-128-CBC under HMAC-SHA256, as <https://github.com/fernet/spec> and Python's `cryptography` have it.
//!
//! No time to live is judged, as Python doesn't without being asked to.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// 16 bytes that sign and 16 that encrypt; wiped on drop. In a place of their own: what is moved leaves a copy behind.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(Arc<Zeroizing<[u8; 32]>>);

/// Why a token doesn't open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reject {
    #[error("it is empty")]
    Empty,
    #[error("it is not a Fernet token")]
    Form,
    #[error("its signature doesn't match")]
    Signature,
    #[error("its padding is wrong, though its signature matches")]
    Padding,
}

const VERSION: u8 = 0x80;
const BLOCK: usize = 16;
/// Version, time, IV.
const HEAD: usize = 1 + 8 + BLOCK;

impl Key {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::getrandom(bytes.as_mut_slice())?;
        Ok(Self::new(*bytes))
    }

    /// Reads the text form: 44 characters of URL-safe base64, white space around them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE.decode(text.trim_ascii()).ok()?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    pub(crate) fn to_text(&self) -> SecretString {
        SecretString::from(URL_SAFE.encode(self.0.as_slice()))
    }

    /// Names the key without telling it: 16 hexadecimal digits of a hash.
    pub(crate) fn id(&self) -> String {
        let hash = Sha256::new()
            .chain_update(b"gatepass key id\0")
            .chain_update(self.0.as_slice())
            .finalize();
        hex(hash.iter().take(8))
    }

    /// Encrypts; `seconds` since the Unix epoch goes into the token, readable by anyone.
    pub(crate) fn encrypt(&self, plaintext: &[u8], seconds: u64) -> Result<String, getrandom::Error> {
        let mut iv = [0; BLOCK];
        getrandom::getrandom(&mut iv)?;
        Ok(self.encrypt_with(plaintext, seconds, iv))
    }

    fn encrypt_with(&self, plaintext: &[u8], seconds: u64, iv: [u8; BLOCK]) -> String {
        let mut token = Vec::with_capacity(HEAD + plaintext.len() + BLOCK + 32);
        token.push(VERSION);
        token.extend(seconds.to_be_bytes());
        token.extend(iv);
        let cipher = cbc::Encryptor::<Aes128>::new(&self.encryption().into(), &iv.into());
        let mut body = Zeroizing::new(vec![0; plaintext.len() + BLOCK]);
        // The buffer has room for the padding, so there is always a result.
        let body = cipher.encrypt_padded_b2b::<Pkcs7>(plaintext, &mut body);
        token.extend_from_slice(body.unwrap_or_default());
        let signature = self.mac().chain_update(&token).finalize().into_bytes();
        token.extend(signature);
        URL_SAFE.encode(token)
    }

    /// Opens a token; white space around it is allowed.
    pub(crate) fn decrypt(&self, token: &[u8]) -> Result<Zeroizing<Vec<u8>>, Reject> {
        let token = token.trim_ascii();
        if token.is_empty() {
            return Err(Reject::Empty);
        }
        let raw = URL_SAFE.decode(token).map_err(|_| Reject::Form)?;
        let (signed, signature) = raw.split_last_chunk::<32>().ok_or(Reject::Form)?;
        let (head, body) = signed.split_first_chunk::<HEAD>().ok_or(Reject::Form)?;
        let iv = head.last_chunk::<BLOCK>().ok_or(Reject::Form)?;
        if head.first() != Some(&VERSION) || body.is_empty() || !body.len().is_multiple_of(BLOCK) {
            return Err(Reject::Form);
        }
        let signed_by_us = self.mac().chain_update(signed).verify_slice(signature);
        signed_by_us.map_err(|_| Reject::Signature)?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        let cipher = cbc::Decryptor::<Aes128>::new(&self.encryption().into(), &(*iv).into());
        let length = cipher.decrypt_padded::<Pkcs7>(&mut plaintext).map(<[u8]>::len);
        plaintext.truncate(length.map_err(|_| Reject::Padding)?);
        Ok(plaintext)
    }

    fn mac(&self) -> Hmac<Sha256> {
        let (signing, _) = self.halves();
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in key.iter_mut().zip(signing) {
            *to = from; // a key that is shorter than a block is filled up with zeroes (RFC 2104)
        }
        let mac = Hmac::new(&key);
        key.as_mut_slice().zeroize();
        mac
    }

    fn encryption(&self) -> [u8; 16] {
        self.halves().1
    }

    fn halves(&self) -> ([u8; 16], [u8; 16]) {
        let half = |from: usize| std::array::from_fn(|at| self.0.get(from + at).copied().unwrap_or_default());
        (half(0), half(16))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

pub(crate) fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    use fmt::Write;
    bytes.into_iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
