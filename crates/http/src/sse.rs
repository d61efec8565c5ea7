use std::fmt;
use std::ops::Range;

/// The most bytes that one event may have; an image in base64 fits.
const EVENT_LIMIT: usize = 64 << 20;

/// The most bytes of lines that are no fields.
const STRAY_LIMIT: usize = 64 << 10;

/// Reads server-sent events (WHATWG HTML §9.2) out of chunks that are cut anywhere.
///
/// ```
/// use gatepass_http::SseDecoder;
///
/// let mut decoder = SseDecoder::default();
/// decoder.push(b"data: {\"a\":")?;
/// assert!(decoder.next()?.is_none());
/// decoder.push(b"1}\n\n")?;
/// assert_eq!(decoder.next()?.expect("it is complete").data, r#"{"a":1}"#);
/// # Ok::<(), gatepass_http::SseError>(())
/// ```
#[derive(Default)]
pub struct SseDecoder {
    buffer: Vec<u8>,
    /// What lies before this has been read.
    read: usize,
    /// Up to here no line ends; a long line isn't searched again with each chunk.
    searched: usize,
    /// The first line has been seen: a byte order mark can't come any more.
    begun: bool,
    /// No more chunks will come.
    finished: bool,
    name: Range<usize>,
    data: Data,
    /// The last event's lines, if it had several.
    joined: Vec<u8>,
    /// JSON that no event wraps, line by line.
    stray: Vec<u8>,
}

/// The data lines of the event that is being read.
#[derive(Default)]
enum Data {
    #[default]
    None,
    /// One line, still in the buffer: the rule.
    Line(Range<usize>),
    /// Several lines, joined.
    Lines(Vec<u8>),
}

/// An event.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SseEvent<'a> {
    /// Its name; empty where the server sent none.
    pub name: &'a str,
    /// Its data; several lines are joined by line feeds.
    pub data: &'a str,
}

/// What came is no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseError {
    /// An event is larger than 64 MiB.
    TooLarge,
    /// An event is not UTF-8.
    NotUtf8,
}

impl SseDecoder {
    /// Adds a chunk.
    ///
    /// # Errors
    /// [`SseError::TooLarge`] when an event doesn't end.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), SseError> {
        self.forget_what_was_read();
        let joined = match &self.data {
            Data::Lines(lines) => lines.len(),
            _ => 0,
        };
        if self.buffer.len() + joined + chunk.len() > EVENT_LIMIT {
            return Err(SseError::TooLarge);
        }
        self.buffer.extend_from_slice(chunk);
        Ok(())
    }

    /// Says that no more chunks will come: what is left counts as an event, though its blank line is missing.
    pub fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.buffer.extend_from_slice(b"\n\n");
        }
    }

    /// The next complete event; `None` until more chunks come.
    ///
    /// # Errors
    /// [`SseError::NotUtf8`]
    #[expect(
        clippy::should_implement_trait,
        reason = "an event borrows from the decoder, which an iterator can't say"
    )]
    pub fn next(&mut self) -> Result<Option<SseEvent<'_>>, SseError> {
        while let Some(line) = self.next_line() {
            if !line.is_empty() {
                self.take_line(line);
            } else if !matches!(self.data, Data::None) {
                return self.dispatch().map(Some);
            } else {
                self.name = 0..0;
            }
        }
        Ok(None)
    }

    /// Where the next whole line is, without its end: LF, CR or CR LF.
    fn next_line(&mut self) -> Option<Range<usize>> {
        if !self.begun {
            let begin = self.buffer.get(..3).or_else(|| self.finished.then_some(&[]))?;
            self.read = if begin == b"\xef\xbb\xbf" { 3 } else { 0 };
            self.begun = true;
        }
        let from = self.searched.max(self.read);
        // The blank line after an event, as most servers end it.
        if self.buffer.get(from) == Some(&b'\n') && from == self.read {
            self.read += 1;
            return Some(from..from);
        }
        let Some(offset) = memchr::memchr2(b'\n', b'\r', self.buffer.get(from..)?) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = from + offset;
        self.searched = end;
        let length = match (self.buffer.get(end), self.buffer.get(end + 1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\r'), None) if !self.finished => return None,
            _ => 1,
        };
        let line = self.read..end;
        self.read = end + length;
        Some(line)
    }

    fn take_line(&mut self, line: Range<usize>) {
        let bytes = self.buffer.get(line.clone()).unwrap_or_default();
        // Most lines are data; to look for the colon takes longer than to know where it is.
        let colon = match bytes.get(..5) {
            Some(b"data:") => 4,
            _ => memchr::memchr(b':', bytes).unwrap_or(bytes.len()),
        };
        let space = usize::from(bytes.get(colon + 1) == Some(&b' '));
        let value = (line.start + colon + 1 + space).min(line.end)..line.end;
        match bytes.get(..colon).unwrap_or_default() {
            b"data" => self.add_data(value),
            b"event" => self.name = value,
            b"" | b"id" | b"retry" => {}
            _ => self.keep_stray(line),
        }
    }

    /// By the standard it is nothing; but servers break off so.
    fn keep_stray(&mut self, line: Range<usize>) {
        let line = self.buffer.get(line).unwrap_or_default();
        let is_json = !self.stray.is_empty() || line.trim_ascii_start().starts_with(b"{");
        if is_json && self.stray.len() + line.len() < STRAY_LIMIT {
            self.stray.extend_from_slice(line);
            self.stray.push(b'\n');
        }
    }

    /// The lines that are no fields, from the first one that begins a JSON object: what a server broke off with that
    /// forgot that it was sending events. No more than 64 KiB.
    #[must_use]
    pub fn stray(&self) -> &[u8] {
        &self.stray
    }

    fn add_data(&mut self, value: Range<usize>) {
        let buffer = &self.buffer;
        let bytes = |range: Range<usize>| buffer.get(range).unwrap_or_default();
        self.data = match std::mem::take(&mut self.data) {
            Data::None => Data::Line(value),
            Data::Line(first) => Data::Lines([bytes(first), b"\n", bytes(value)].concat()),
            Data::Lines(mut lines) => {
                lines.push(b'\n');
                lines.extend_from_slice(bytes(value));
                Data::Lines(lines)
            }
        };
    }

    fn dispatch(&mut self) -> Result<SseEvent<'_>, SseError> {
        let name = std::mem::take(&mut self.name);
        let data = match std::mem::take(&mut self.data) {
            Data::None => &[],
            Data::Line(line) => self.buffer.get(line).unwrap_or_default(),
            Data::Lines(lines) => {
                self.joined = lines;
                self.joined.as_slice()
            }
        };
        let name = self.buffer.get(name).unwrap_or_default();
        Ok(SseEvent {
            name: std::str::from_utf8(name).map_err(|_| SseError::NotUtf8)?,
            data: std::str::from_utf8(data).map_err(|_| SseError::NotUtf8)?,
        })
    }

    /// Keeps what belongs to the event that is being read, and drops what lies before.
    fn forget_what_was_read(&mut self) {
        let mut kept = self.read;
        if !self.name.is_empty() {
            kept = kept.min(self.name.start);
        }
        if let Data::Line(line) = &self.data {
            kept = kept.min(line.start);
        }
        if kept == 0 {
            return;
        }
        self.buffer.drain(..kept);
        self.read -= kept;
        self.searched = self.searched.saturating_sub(kept);
        if !self.name.is_empty() {
            self.name = self.name.start - kept..self.name.end - kept;
        }
        if let Data::Line(line) = &mut self.data {
            *line = line.start - kept..line.end - kept;
        }
    }
}

/// Without what a model said.
impl fmt::Debug for SseDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseDecoder")
            .field("buffered", &(self.buffer.len() - self.read))
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "an event is larger than 64 MiB",
            Self::NotUtf8 => "an event is not UTF-8",
        })
    }
}

impl std::error::Error for SseError {}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = "\u{feff}: hello\n\nevent: a\ndata: 1\n\ndata:2\r\n\r\nid: 7\ndata: {\"x\":\"ü – 語\"}\r\rdata: one\n\
        data: two\ndata\n\nretry: 5\nevent: z\n\ndata: [DONE]\n\n"
        .as_bytes();

    fn expected() -> Vec<(String, String)> {
        [
            ("a", "1"),
            ("", "2"),
            ("", "{\"x\":\"ü – 語\"}"),
            ("", "one\ntwo\n"),
            ("", "[DONE]"),
        ]
        .map(|(name, data)| (name.to_owned(), data.to_owned()))
        .into()
    }

    fn read(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        let mut drain = |decoder: &mut SseDecoder| {
            while let Some(event) = decoder.next().unwrap() {
                events.push((event.name.to_owned(), event.data.to_owned()));
            }
        };
        for chunk in chunks {
            decoder.push(chunk).unwrap();
            drain(&mut decoder);
        }
        decoder.finish();
        drain(&mut decoder);
        events
    }

    #[test]
    fn a_stream_reads_the_same_wherever_it_is_cut() {
        assert_eq!(read(&[STREAM]), expected());
        for first in 0..=STREAM.len() {
            for second in first..=STREAM.len() {
                let chunks = [&STREAM[..first], &STREAM[first..second], &STREAM[second..]];
                assert_eq!(read(&chunks), expected(), "cut at {first} and {second}");
            }
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(read(&bytes), expected());
    }

    #[test]
    fn an_end_without_its_blank_line_still_counts() {
        assert_eq!(read(&[b"data: [DONE]"]), [(String::new(), "[DONE]".to_owned())]);
        assert_eq!(read(&[b"data: x\r"]), [(String::new(), "x".to_owned())]);
        assert_eq!(read(&[b"d"]), []);
        assert_eq!(read(&[]), []);
    }

    #[test]
    fn json_that_no_event_wraps_is_kept_up_to_a_limit() {
        let mut decoder = SseDecoder::default();
        decoder
            .push(b"data: 1\n\n: x\nstray: 0\n{\n  \"error\": 7\n\n}\nid: 3\ndata: 2\n\n")
            .unwrap();
        for expected in ["1", "2"] {
            assert_eq!(decoder.next().unwrap().unwrap().data, expected);
        }
        assert!(decoder.next().unwrap().is_none());
        assert_eq!(decoder.stray(), b"{\n  \"error\": 7\n}\n");
        for _ in 0..20 {
            decoder
                .push(&[vec![b'x'; 8 << 10], b"\n".to_vec()].concat())
                .unwrap();
            decoder.next().unwrap();
        }
        assert!(decoder.stray().len() <= STRAY_LIMIT);
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let mut decoder = SseDecoder::default();
        decoder.push(b"data: \xff\xfe\n\n").unwrap();
        assert_eq!(decoder.next(), Err(SseError::NotUtf8));
        assert_eq!(decoder.next(), Ok(None));
    }

    #[test]
    fn an_event_without_end_is_refused() {
        for (begin, end) in [("", ""), ("data: ", "\n")] {
            let mut decoder = SseDecoder::default();
            let chunk = format!("{begin}{}{end}", "x".repeat(1 << 20));
            let refused = (0..100).find_map(|_| {
                decoder
                    .push(chunk.as_bytes())
                    .and_then(|()| decoder.next().map(|_| ()))
                    .err()
            });
            assert_eq!(refused, Some(SseError::TooLarge), "{begin:?}");
        }
    }
}
