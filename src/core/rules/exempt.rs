//! Who gets through: the exemptions of the settings, compiled once so that their number does not
//! matter per request.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net};
use regex::RegexSet;

/// Rules over the path of a request: exact paths, prefixes of whole segments, patterns.
#[derive(Debug, Default)]
pub(crate) struct PathRules {
    exact: HashSet<Box<str>>,
    prefixes: HashSet<Box<str>>,
    /// No prefix is shorter. The usual few prefixes are thus ruled out by the length of most paths.
    shortest_prefix: usize,
    /// No prefix is longer, so that a path of thousands of segments costs no more than a short one.
    longest_prefix: usize,
    patterns: Patterns,
    /// Whether upper and lower case are the same in exact paths and prefixes.
    ignores_case: bool,
}

/// Which kind of path rule matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathMatch {
    Exact,
    Prefix,
    Pattern,
}

impl PathRules {
    pub(crate) fn new(
        exact: &[String],
        prefixes: &[String],
        patterns: &[String],
    ) -> Result<Self, regex::Error> {
        let prefixes: HashSet<Box<str>> = prefixes
            .iter()
            .map(|prefix| prefix.trim_end_matches('/').into())
            .collect();
        Ok(Self {
            exact: exact.iter().map(|path| path.as_str().into()).collect(),
            shortest_prefix: prefixes
                .iter()
                .map(|prefix| prefix.len())
                .min()
                .unwrap_or(0),
            longest_prefix: prefixes
                .iter()
                .map(|prefix| prefix.len())
                .max()
                .unwrap_or(0),
            prefixes,
            patterns: Patterns::at_start(patterns)?,
            ignores_case: false,
        })
    }

    /// The same rules; whether upper and lower case are the same in exact paths and prefixes.
    pub(crate) fn ignoring_case(mut self, ignores_case: bool) -> Self {
        if ignores_case {
            let lower = |texts: HashSet<Box<str>>| {
                let lower = texts.iter().map(|text| text.to_ascii_lowercase().into());
                lower.collect()
            };
            self.exact = lower(self.exact);
            self.prefixes = lower(self.prefixes);
        }
        self.ignores_case = ignores_case;
        self
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty() && self.patterns.is_empty()
    }

    /// Whether the last slash of a path can matter.
    #[inline]
    pub(crate) fn is_about_ends(&self) -> bool {
        !self.exact.is_empty() || !self.patterns.is_empty()
    }

    /// Which kind of rule matches; without a call where there is no rule.
    #[inline]
    pub(crate) fn matching(&self, path: &str) -> Option<PathMatch> {
        if self.is_empty() {
            None
        } else {
            self.first_match(path)
        }
    }

    fn first_match(&self, path: &str) -> Option<PathMatch> {
        let lower;
        let plain = if self.ignores_case {
            lower = path.to_ascii_lowercase();
            &*lower
        } else {
            path
        };
        if !self.exact.is_empty() && self.exact.contains(plain) {
            Some(PathMatch::Exact)
        } else if self.has_prefix_of(plain) {
            Some(PathMatch::Prefix)
        } else if self.patterns.is_match(path) {
            Some(PathMatch::Pattern)
        } else {
            None
        }
    }

    fn has_prefix_of(&self, path: &str) -> bool {
        if self.prefixes.is_empty() {
            return false;
        }
        if (self.shortest_prefix..=self.longest_prefix).contains(&path.len())
            && self.prefixes.contains(path)
        {
            return true;
        }
        // `/api` is the prefix of `/api/x` but not of `/apix`: only what ends before a slash counts.
        let ends = self.shortest_prefix.max(1)..path.len().min(self.longest_prefix + 1);
        let bytes = path.as_bytes();
        ends.into_iter()
            .any(|end| bytes[end] == b'/' && self.prefixes.contains(&path[..end]))
    }
}

/// Regular expressions, tested all at once.
#[derive(Debug, Default)]
pub(crate) struct Patterns(Option<RegexSet>);

impl Patterns {
    /// Patterns that must match from the start of the text.
    pub(crate) fn at_start(patterns: &[String]) -> Result<Self, regex::Error> {
        Self::compile(patterns, "^(?:", ")")
    }

    /// Patterns that must match the whole text.
    pub(crate) fn whole(patterns: &[String]) -> Result<Self, regex::Error> {
        Self::compile(patterns, "^(?:", ")$")
    }

    fn compile(patterns: &[String], before: &str, after: &str) -> Result<Self, regex::Error> {
        if patterns.is_empty() {
            return Ok(Self(None));
        }
        RegexSet::new(
            patterns
                .iter()
                .map(|pattern| format!("{before}{pattern}{after}")),
        )
        .map(|set| Self(Some(set)))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|set| set.is_match(text))
    }
}

/// A set of addresses and networks: merged, sorted ranges, searched by halving.
#[derive(Debug, Default)]
pub(crate) struct AddressSet {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl AddressSet {
    /// Takes addresses and CIDR networks as the settings write them.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, String> {
        let networks = texts
            .iter()
            .map(|text| parse_network(text))
            .collect::<Result<Vec<_>, _>>()?;
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for network in networks {
            match canonical(network) {
                IpNet::V4(network) => {
                    v4.push((u32::from(network.network()), u32::from(network.broadcast())))
                }
                IpNet::V6(network) => v6.push((
                    u128::from(network.network()),
                    u128::from(network.broadcast()),
                )),
            }
        }
        Ok(Self {
            v4: merged(v4, |end| end.checked_add(1)),
            v6: merged(v6, |end| end.checked_add(1)),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => found(&self.v4, u32::from(address)),
            IpAddr::V6(address) => found(&self.v6, u128::from(address)),
        }
    }
}

/// Reads an address or a network.
pub(crate) fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is neither an address nor a network in CIDR form"))
}

/// A network as it is kept: without what is beyond its length, and one of version 4 as such.
pub(crate) fn plain_network(text: &str) -> Result<String, String> {
    let network = canonical(parse_network(text.trim())?).trunc();
    Ok(network.to_string())
}

/// A v4-mapped v6 network counts as the v4 network.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(v6) = network else {
        return network;
    };
    let mapped: Option<Ipv4Addr> = Ipv6Addr::to_ipv4_mapped(&v6.network());
    match (mapped, v6.prefix_len().checked_sub(MAPPED_BITS)) {
        (Some(address), Some(length)) => Ipv4Net::new(address, length).map_or(network, IpNet::V4),
        _ => network,
    }
}

fn merged<T: Ord + Copy>(mut ranges: Vec<(T, T)>, after: fn(T) -> Option<T>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if after(last.1).is_none_or(|next| start <= next) => {
                last.1 = last.1.max(end);
            }
            _ => merged.push((start, end)),
        }
    }
    merged.into_boxed_slice()
}

fn found<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(start, _)| *start <= address);
    after > 0 && address <= ranges[after - 1].1
}

#[cfg(test)]
#[path = "exempt_tests.rs"]
mod tests;
