//! Hosts that only someone inside a network reaches, whichever way they are written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Host;

/// Names that always mean this machine or the metadata service of a cloud.
const NAMES: [&str; 5] = [
    "localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "metadata.google.internal",
    "metadata.goog",
];

/// Whether the host is this machine, a private or link-local network, a cloud's metadata service, or no host at all
/// (the special-purpose registries of RFC 6890). Names are judged by themselves: none is looked up.
pub(crate) fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            NAMES.contains(&name.as_str()) || name.is_empty() || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => is_private_v4(*address),
        Host::Ipv6(address) => is_private_v6(*address),
    }
}

/// The same of an address.
pub(crate) fn is_private_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

const fn is_private_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // this network, private, loopback, multicast and reserved
        [0 | 10 | 127 | 224..=255, ..]
        // shared by carriers; clouds have metadata services there
        | [100, 64..=127, ..]
        // link-local: most metadata services
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        // of the protocol; one cloud's metadata service
        | [192, 0, 0, _]
        // benchmarks
        | [198, 18..=19, ..] => true,
        _ => false,
    }
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // unspecified, loopback and IPv4 as 0::/96, 0:0:0:0:0:ffff::/96 and 64:ff9b::/96 write it
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        // 6to4
        | [0x2002, high, low, ..] => is_private_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        // translated within a network
        [0x64, 0xff9b, 1, ..]
        // unique local, link-local, site-local, multicast
        | [0xfc00..=0xfdff | 0xfe80..=0xfeff | 0xff00..=0xffff, ..] => true,
        _ => false,
    }
}
