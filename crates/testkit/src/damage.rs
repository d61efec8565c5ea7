use fastrand::Rng;
use std::path::Path;

/// What parsers trip over.
const PIECES: [&[u8]; 28] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"=",
    b"&",
    b"?",
    b"%",
    b"%zz",
    b"%00",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff",
    b"\xf0\x9f",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"1e999",
    b"18446744073709551616",
    b"\"expires_in\":",
    b"\\u0000",
    b"\\ud800",
    b"\x1b[2J",
];

/// Bytes with one to four things wrong in them: cut off, left out, doubled, replaced, flipped, turned round. The same
/// for the same `seed`.
///
/// ```
/// use gatepass_testkit::damaged;
///
/// let damage = damaged(b"{\"a\": 1}", 7);
/// assert_eq!(damage, damaged(b"{\"a\": 1}", 7));
/// ```
#[must_use]
pub fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Rng::with_seed(seed);
    let mut bytes = bytes.to_vec();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(0..=bytes.len());
        let end = random.usize(at..=bytes.len().min(at + 40));
        let part = bytes.get(at..end).unwrap_or_default().to_vec();
        match random.u8(0..7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, part)),
            3 => {
                let piece = random.choice(PIECES).unwrap_or_default();
                drop(bytes.splice(at..end, piece.iter().copied()));
            }
            4 => bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= 1 << random.u8(0..8)),
            5 => drop(bytes.splice(at..at, std::iter::repeat_n(b'9', end - at))),
            _ => drop(bytes.splice(at..end, part.into_iter().rev())),
        }
    }
    bytes
}

/// Tries what must hold whatever bytes come (`holds` panics where it doesn't) with each file of a fuzz target's corpus,
/// as it is and [`damaged`] in a thousand ways.
///
/// # Panics
/// If the directory has no file, or one can't be read: nothing would be tried.
pub fn hostile(corpus: impl AsRef<Path>, holds: impl Fn(&[u8])) {
    let corpus = corpus.as_ref();
    let files = std::fs::read_dir(corpus).map(|files| files.flatten().map(|file| file.path()));
    let files: Vec<_> = files.into_iter().flatten().collect();
    assert!(!files.is_empty(), "{} is empty", corpus.display());
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else {
            panic!("{} cannot be read", file.display());
        };
        holds(&bytes);
        (0..1000).for_each(|seed| holds(&damaged(&bytes, seed)));
    }
}
