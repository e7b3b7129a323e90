//! Which patterns can match the text of an address at all.

use std::collections::HashSet;

use regex_automata::{
    Anchored,
    hybrid::{
        LazyStateID,
        dfa::{Cache, DFA},
    },
    util::start,
};

/// The texts of IPv4 addresses.
const V4: &str = concat!(
    r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])",
    r"(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}",
);
/// At least the texts of IPv6 addresses: what matches none of these matches none of them.
const V6: &str = r"[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:\.[0-9]{1,3}){0,3}";
/// All that those are made of.
const LETTERS: &[u8] = b"0123456789abcdef:.";

/// More room than a pattern needs that is meant for addresses.
const ROOM: usize = 4 * 1024 * 1024;
/// The most states that are looked at.
const MOST: usize = 100_000;

/// Whether a pattern matches the whole text of some address. What nobody can tell in reasonable time
/// counts as one that does.
pub(crate) fn can_match_an_address(pattern: &str) -> bool {
    let pattern = format!("^(?:{pattern})$");
    [V4, V6]
        .iter()
        .any(|texts| have_common_text(&pattern, &format!("^(?:{texts})$")).unwrap_or(true))
}

/// Whether two patterns match a common text. `None`: it is not known.
fn have_common_text(one: &str, other: &str) -> Option<bool> {
    let mut machines = [Machine::new(one)?, Machine::new(other)?];
    let first = [machines[0].start()?, machines[1].start()?];
    let mut seen = HashSet::from([first]);
    let mut open = vec![first];
    while let Some([one, other]) = open.pop() {
        if machines[0].matches_at_end(one)? && machines[1].matches_at_end(other)? {
            return Some(true);
        }
        for letter in LETTERS {
            let next = [
                machines[0].next(one, *letter)?,
                machines[1].next(other, *letter)?,
            ];
            if !next.iter().any(|state| state.is_dead()) && seen.insert(next) {
                open.push(next);
            }
        }
        if seen.len() > MOST {
            return None;
        }
    }
    Some(false)
}

/// A pattern as states that letters lead from and to.
struct Machine {
    dfa: DFA,
    cache: Cache,
}

impl Machine {
    fn new(pattern: &str) -> Option<Self> {
        let config = DFA::config().cache_capacity(ROOM);
        let dfa = DFA::builder().configure(config).build(pattern).ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache })
    }

    fn start(&mut self) -> Option<LazyStateID> {
        let config = start::Config::new().anchored(Anchored::Yes);
        self.dfa.start_state(&mut self.cache, &config).ok()
    }

    /// States mean nothing any more once the room was too small.
    fn known(&self, state: LazyStateID) -> Option<LazyStateID> {
        let is_sound = self.cache.clear_count() == 0 && !state.is_quit();
        is_sound.then_some(state)
    }

    fn next(&mut self, state: LazyStateID, letter: u8) -> Option<LazyStateID> {
        let next = self.dfa.next_state(&mut self.cache, state, letter).ok()?;
        self.known(next)
    }

    fn matches_at_end(&mut self, state: LazyStateID) -> Option<bool> {
        let end = self.dfa.next_eoi_state(&mut self.cache, state).ok()?;
        Some(self.known(end)?.is_match())
    }
}

#[cfg(test)]
mod tests {
    use super::can_match_an_address;

    #[test]
    fn a_pattern_that_matches_the_beginning_of_addresses_only_matches_none() {
        for pattern in [
            r"^127\.0\.",
            r"10\.",
            r"192\.168\.\d+",
            "^10$",
            "localhost",
            r"10\.0\.0\.\d+/8",
            r"1\.2\.3\.256",
            "2001:db8",
            "FE80::.*",
            "",
        ] {
            assert!(!can_match_an_address(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_for_whole_addresses_matches_some() {
        for pattern in [
            r"^127\.0\..*",
            r"10(\.\d+){3}",
            r"192\.168\.1\.(3[3-9]|77)",
            r"10\.0\.0\.[0-9]{2}$",
            "::1",
            "2001:db8:.*",
            "(?i)FE80::.*",
            "::ffff:1.2.3.4",
            ".*",
        ] {
            assert!(can_match_an_address(pattern), "{pattern}");
        }
    }
}
