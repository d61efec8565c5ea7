//! The sockets that this process listens on, as the system tells.

#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// All of them, whoever has bound them.
pub(crate) fn listening() -> Vec<SocketAddr> {
    let ours = inodes();
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .flat_map(|path| {
            // There is no table for a protocol that is off.
            let table = std::fs::read_to_string(path).unwrap_or_default();
            table
                .lines()
                .skip(1)
                .filter_map(|line| listener(line, &ours))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// `socket:[4711]` is what a descriptor of a socket links to.
fn inodes() -> HashSet<String> {
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| {
            let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

/// `sl local_address rem_address st … inode`; 0A is the state of a listener.
fn listener(line: &str, ours: &HashSet<String>) -> Option<SocketAddr> {
    let mut fields = line.split_whitespace();
    let (local, state, inode) = (fields.nth(1)?, fields.nth(1)?, fields.nth(5)?);
    if state != "0A" || !ours.contains(inode) {
        return None;
    }
    let (address, port) = local.split_once(':').unwrap();
    // Words of four bytes, each in the order of this machine.
    let bytes: Vec<u8> = (0..address.len() / 8)
        .flat_map(|word| {
            u32::from_str_radix(&address[word * 8..word * 8 + 8], 16)
                .unwrap()
                .to_ne_bytes()
        })
        .collect();
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(octets) => IpAddr::from(Ipv4Addr::from(octets)),
        Err(_) => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap())),
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).unwrap()))
}
