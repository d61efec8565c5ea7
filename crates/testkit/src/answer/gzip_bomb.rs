//! A gzip file that is tiny until somebody unpacks it.
//!
//! One DEFLATE block (RFC 1951) whose code makes "repeat the last byte 258 times" two zero bits: a zero byte on
//! the wire stands for 1,032 zero bytes, and the whole file is a head, 1 MiB of zeros and a tail.

use super::Step;
use bytes::Bytes;

/// The gzip header, the Huffman codes, one literal zero and two repetitions.
const HEAD: [u8; 24] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xed, 0xe0, 0x81, 0x00, 0x00, 0x00, 0x00,
    0x80, 0x20, 0xec, 0x4f, 0xbd, 0x48, 0x05,
];
/// The end of the block, the CRC-32 and the length (1,082,130,949).
const TAIL: [u8; 9] = [0x03, 0x82, 0x3a, 0x41, 0x02, 0x05, 0x02, 0x80, 0x40];
const ZEROS: u64 = 1 << 20;

/// Its size on the wire.
pub(super) const LENGTH: u64 = HEAD.len() as u64 + ZEROS + TAIL.len() as u64;

pub(super) fn steps() -> Vec<Step> {
    static CHUNK: [u8; 16 * 1024] = [0; 16 * 1024];
    vec![
        Step::Send(Bytes::from_static(&HEAD)),
        Step::Repeat {
            chunk: Bytes::from_static(&CHUNK),
            left: ZEROS,
        },
        Step::Send(Bytes::from_static(&TAIL)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::inflate::decompress_to_vec_with_limit;

    #[test]
    fn it_unpacks_to_more_than_anyone_wants() {
        const GZIP_HEADER: usize = 10;
        let mut deflated = HEAD[GZIP_HEADER..].to_vec();
        deflated.resize(deflated.len() + usize::try_from(ZEROS).unwrap(), 0);
        deflated.extend(TAIL);
        let stopped = decompress_to_vec_with_limit(&deflated, 1 << 26).unwrap_err();
        assert_eq!(stopped.status, miniz_oxide::inflate::TINFLStatus::HasMoreOutput);
        assert!(stopped.output.len() > 1 << 25 && stopped.output.iter().all(|byte| *byte == 0));
    }
}
