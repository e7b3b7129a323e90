//! What counts as one client.

use std::net::{IpAddr, Ipv6Addr};

/// How many bits of an IPv6 address tell one client from another: a network of so many is what one
/// subscriber gets.
const BITS: u32 = 64;

/// The client of an address: an IPv4 address, also one that is mapped, or the network of an IPv6 one.
pub(crate) fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_one_address_of_a_network_has_all_of_them() {
        for (address, client) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ] {
            let (address, client): (IpAddr, IpAddr) =
                (address.parse().unwrap(), client.parse().unwrap());
            assert_eq!(client_of(address), client);
        }
    }
}
