//! What is known of a job afterwards, and what was promised by that. Times are microseconds of the clock
//! that all processes share.

/// How long a holder that can renew its lease again may take for that.
const RENEWS_WITHIN: u64 = 300_000;

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Span {
    fn length(self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// A visitor who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LetIn {
    pub(crate) node: String,
    /// From the question to its answer.
    pub(crate) span: Span,
}

/// What a job did, and what was done to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// When its command ran: `during --wait` starts it once every node has closed.
    pub(crate) began: Option<u64>,
    pub(crate) ended: Option<u64>,
    pub(crate) killed: Option<u64>,
    /// It was asked to end in good order.
    pub(crate) asked_to_end: Option<u64>,
    /// While it was stopped, or cut off from where it renews its lease.
    pub(crate) stood_still: Vec<Span>,
    pub(crate) exited: Option<u64>,
}

impl Account {
    /// While nobody may be let in: the command runs, and the holder lives and can renew its lease in
    /// time. One that was renewed when it was due lives for two thirds of its time after that.
    pub(crate) fn promise(&self, lease: u64) -> Option<Span> {
        let from = self.began?;
        let ends = [self.ended, self.killed, self.asked_to_end, self.exited];
        let late = self.too_long_from(lease).map(|since| since + lease / 2);
        let to = ends.into_iter().chain([late]).flatten().min()?;
        (from < to).then_some(Span { from, to })
    }

    /// Since when it stood still for so long that its lease may have lapsed meanwhile.
    fn too_long_from(&self, lease: u64) -> Option<u64> {
        let mut spans = self.stood_still.clone();
        spans.sort_by_key(|span| span.from);
        let mut merged: Vec<Span> = Vec::new();
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.from < last.to + RENEWS_WITHIN => last.to = last.to.max(span.to),
                _ => merged.push(span),
            }
        }
        let mut long = merged.iter().filter(|span| span.length() >= lease / 2);
        long.next().map(|span| span.from)
    }

    /// Whether it was killed while its command ran.
    pub(crate) fn has_died(&self) -> bool {
        self.killed.is_some() && self.began.is_some() && self.ended.is_none()
    }
}

/// Those who were let in although it was promised that nobody is: asked and answered within.
pub(crate) fn openings(promises: &[Span], let_in: &[LetIn]) -> Vec<LetIn> {
    let is_within = |ask: &Span| {
        let mut promises = promises.iter();
        promises.any(|promise| promise.from <= ask.from && ask.to <= promise.to)
    };
    let found = let_in.iter().filter(|ask| is_within(&ask.span));
    found.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: u64 = 2_000_000;

    fn span(from: u64, to: u64) -> Span {
        Span { from, to }
    }

    fn job() -> Account {
        Account {
            began: Some(10_000_000),
            ended: Some(20_000_000),
            exited: Some(20_100_000),
            ..Account::default()
        }
    }

    #[test]
    fn it_is_promised_for_as_long_as_the_command_runs() {
        assert_eq!(job().promise(LEASE), Some(span(10_000_000, 20_000_000)));
        let killed = Account {
            killed: Some(12_000_000),
            ..job()
        };
        assert_eq!(killed.promise(LEASE), Some(span(10_000_000, 12_000_000)));
        assert_eq!(Account::default().promise(LEASE), None);
    }

    #[test]
    fn one_that_stands_still_for_a_short_time_keeps_it_closed() {
        let short = Account {
            stood_still: vec![span(11_000_000, 11_900_000), span(14_000_000, 14_900_000)],
            ..job()
        };
        assert_eq!(short.promise(LEASE), job().promise(LEASE));
        let long = Account {
            stood_still: vec![span(11_000_000, 11_900_000), span(12_000_000, 12_500_000)],
            ..job()
        };
        assert_eq!(long.promise(LEASE), Some(span(10_000_000, 12_000_000)));
    }

    #[test]
    fn who_asked_before_or_is_answered_after_does_not_count() {
        let ask = |from, to| LetIn {
            node: "n0".to_owned(),
            span: span(from, to),
        };
        let asks = [ask(9, 11), ask(10, 12), ask(19, 21)];
        assert_eq!(openings(&[span(10, 20)], &asks), [ask(10, 12)]);
        assert!(openings(&[], &asks).is_empty());
    }
}
