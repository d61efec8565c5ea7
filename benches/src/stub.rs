//! The server of all clients, in a process of its own, so that what it costs is not taken for theirs.

mod answer;
mod script;

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::{env, io, thread};
use tokio::net::TcpSocket;
use tokio::sync::oneshot;

pub(crate) use answer::streamed_bytes;
pub use answer::{EVENTS, TEXT, stream_bytes};

/// The running server: chat at `/v1/chat/completions`, whole or streamed, and tokens at any path that ends in `/token`.
/// Dropping it ends it.
#[derive(Debug)]
pub struct Stub {
    process: Child,
    address: SocketAddr,
}

/// How the bytes of a stream are handed to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// Sixteen kilobytes at a time.
    Block,
    /// An HTTP chunk for each event, as many at a time as fit.
    Chunks,
    /// Each event by itself.
    Flushed,
}

impl Framing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Block, Self::Chunks, Self::Flushed];

    /// Its path before `/v1`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Block => "/block",
            Self::Chunks => "/chunks",
            Self::Flushed => "/flushed",
        }
    }
}

const ASKED: &str = "--serve-stub";

impl Stub {
    /// Starts this program once more, as the server.
    ///
    /// # Errors
    /// If the system has no process or no port.
    pub fn start() -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .arg(ASKED)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = &mut process.stdout {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { process, address })
    }

    /// Whether this process is the server: then it has served until its parent ended. Asked first thing in `main`.
    ///
    /// # Errors
    /// If it can't.
    pub fn serves() -> io::Result<bool> {
        if !env::args().any(|argument| argument == ASKED) {
            return Ok(false);
        }
        // One thread: as much of the machine as possible is the client's.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(serve())?;
        Ok(true)
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[expect(clippy::print_stdout, reason = "so the parent learns the address")]
async fn serve() -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    // A thousand callers at once shall find room.
    let listener = socket.listen(4096)?;
    println!("{}", listener.local_addr()?);

    let (end, mut ended) = oneshot::channel();
    thread::spawn(move || {
        // Ends with the parent, which holds the other end.
        _ = io::stdin().read_to_end(&mut Vec::new());
        _ = end.send(());
    });
    loop {
        tokio::select! {
            _ = &mut ended => return Ok(()),
            accepted = listener.accept() => {
                let (connection, _) = accepted?;
                connection.set_nodelay(true)?;
                tokio::spawn(answer::serve(connection));
            }
        }
    }
}
