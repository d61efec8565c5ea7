use std::fmt;
use std::io;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// As much of a PostgreSQL client as a store needs: text in, text out, on a socket that lets everybody in who may open
/// it (the documentation's chapter "Frontend/Backend Protocol"). A program takes a crate for it; here it would bring 26
/// others.
pub(super) struct Connection(BufReader<UnixStream>);

/// Why a statement didn't work.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    /// The server's code and words.
    Server(String, String),
}

impl Connection {
    pub(super) const USER: &str = "gatepass";

    pub(super) async fn open(folder: &Path) -> Result<Self, Failure> {
        let stream = UnixStream::connect(folder.join(".s.PGSQL.5432")).await?;
        let mut connection = Self(BufReader::new(stream));
        // A client that closes is noticed while it waits for a lock, too.
        let options = "-c client_connection_check_interval=1s";
        let mut startup = 196_608_u32.to_be_bytes().to_vec();
        for text in ["user", Self::USER, "database", "postgres", "options", options, ""] {
            push(&mut startup, text);
        }
        connection.0.write_all(&measured(&startup)).await?;
        connection.answer().await?;
        Ok(connection)
    }

    /// Runs a statement whose `$1`, `$2` … are these texts; what is null comes back empty.
    pub(super) async fn query(
        &mut self,
        statement: &str,
        parameters: &[&str],
    ) -> Result<Vec<Vec<String>>, Failure> {
        let mut parse = vec![0];
        push(&mut parse, statement);
        parse.extend([0, 0]); // the server finds out the types
        let mut bind = vec![0, 0, 0, 0]; // no names, everything is text
        bind.extend(u16::try_from(parameters.len()).unwrap().to_be_bytes());
        for parameter in parameters {
            bind.extend(u32::try_from(parameter.len()).unwrap().to_be_bytes());
            bind.extend(parameter.as_bytes());
        }
        bind.extend([0, 0]);
        let execute = [0; 5]; // all rows
        let mut messages = Vec::new();
        for (kind, body) in [(b'P', &parse[..]), (b'B', &bind), (b'E', &execute), (b'S', &[])] {
            messages.push(kind);
            messages.extend(measured(body));
        }
        self.0.write_all(&messages).await?;
        self.answer().await
    }

    /// Reads until the server is ready for the next statement.
    async fn answer(&mut self) -> Result<Vec<Vec<String>>, Failure> {
        let (mut rows, mut failure) = (Vec::new(), None);
        loop {
            let (kind, body) = match self.message().await {
                Ok(message) => message,
                Err(gone) => return Err(failure.unwrap_or(Failure::Io(gone))),
            };
            match kind {
                b'D' => rows.push(cells(&body)),
                b'E' => failure = Some(Failure::read(&body)),
                b'Z' => return failure.map_or(Ok(rows), Err),
                _ => {} // its settings, notices, and that a step is done
            }
        }
    }

    async fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let kind = self.0.read_u8().await?;
        let length = self.0.read_u32().await? as usize;
        let mut body = vec![0; length - 4];
        self.0.read_exact(&mut body).await?;
        Ok((kind, body))
    }
}

fn push(message: &mut Vec<u8>, text: &str) {
    message.extend(text.as_bytes());
    message.push(0);
}

/// A message begins with its length, which counts itself.
fn measured(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&length.to_be_bytes(), body].concat()
}

fn cells(row: &[u8]) -> Vec<String> {
    let mut rest = &row[2..];
    let mut cells = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        let (cell, after) = after.split_at(length);
        cells.push(String::from_utf8(cell.to_vec()).unwrap());
        rest = after;
    }
    cells
}

impl Failure {
    /// Reads fields like `C55P03` and `Mcanceling statement …`.
    fn read(fields: &[u8]) -> Self {
        let field = |kind| {
            let found = fields
                .split(|byte| *byte == 0)
                .find(|field| field.first() == Some(&kind));
            found.map_or_else(String::new, |field| String::from_utf8_lossy(&field[1..]).into())
        };
        Self::Server(field(b'C'), field(b'M'))
    }

    pub(super) fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Server(code, _) if code == "55P03")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Server(code, words) => write!(f, "{words} ({code})"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
