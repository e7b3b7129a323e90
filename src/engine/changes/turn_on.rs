//! Turns maintenance on.

use std::{future::IntoFuture, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    Change, ChangeFuture,
    unless::{outdated, propose_unless},
};
use crate::{
    core::state::{Document, DrainWish, End, Hold, OnTimeout, SwitchOn, amend::Seen},
    engine::{
        change_error::ChangeError,
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
        setters::setters,
    },
};

/// Takes the site out of service: from [`Maintenance::turn_on`](crate::Maintenance::turn_on).
///
/// On a mode that is on already, what is said replaces what was, and what is not said stays; the
/// status of the [`Change`] has what stands.
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOn {
    pub(super) engine: Engine,
    pub(super) mode: String,
    pub(super) call_hooks: bool,
    pub(super) wanted: SwitchOn,
    pub(super) seen: Option<Seen>,
}

impl TurnOn {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            mode: engine.default_mode(),
            engine,
            call_hooks: true,
            wanted: SwitchOn::default(),
            seen: None,
        }
    }

    setters! {
        /// What visitors are told instead of the message in the settings.
        message(self, message: impl Into<String>) => self.wanted.message = Some(message.into());

        /// Why, for operators. Visitors never see it.
        reason(self, reason: impl Into<String>) => self.wanted.reason = Some(reason.into());

        /// Who does it.
        by(self, by: impl Into<String>) => self.wanted.by = Some(by.into());

        /// When it switches itself off, instead of after the mode's `timeout`.
        until(self, until: Timestamp) => self.wanted.end = Some(End::At(until));

        /// How long until it switches itself off, instead of the mode's `timeout`.
        lasting(self, duration: Duration) => self.wanted.end = Some(End::after(duration));

        /// It does not switch itself off: not after the mode's `timeout`, and, if it is on already, not
        /// at the end that it has.
        without_end(self) => self.wanted.end = Some(End::Never);

        /// Takes the message of a mode that is on away: visitors are told what the settings say.
        without_message(self) => self.wanted.message = Some(String::new());

        /// Takes the reason of a mode that is on away.
        without_reason(self) => self.wanted.reason = Some(String::new());

        /// Lets these addresses and networks in CIDR form look in for as long as it is switched on. On a
        /// mode that is on they take the place of those before.
        allow(self, networks: impl IntoIterator<Item = impl Into<String>>) => {
            self.wanted.allow = Some(networks.into_iter().map(Into::into).collect());
        };

        /// Has requests wait so long at most for it to open, instead of being refused at once. On a mode
        /// that is on it takes the place of what was said before; [`Duration::ZERO`] takes it away.
        ///
        /// The setting `park.longest` says for how long at most, and `park.most` how many of a process may
        /// wait. Those who wait are outside: nothing waits for them.
        /// [The guide](crate::guide::short_work_without_errors) says which requests do.
        ///
        /// More than `park.longest` is the error [`ChangeError::Park`].
        park(self, patience: Duration) => self.wanted.park = SignedDuration::try_from(patience).ok().or(Some(SignedDuration::MAX));

        /// Which mode; the default is `default_mode` of the settings, or else their first one.
        mode(self, key: impl Into<String>) => self.mode = key.into();

        /// Lets those who are in finish first, as the settings `drain.*` say.
        ///
        /// The mode is [`Pending`](crate::Phase::Pending) until nobody is inside, then
        /// [`Offline`](crate::Phase::Offline). Without a drain, a mode that is pending goes offline at
        /// once.
        ///
        /// A restart in the middle goes on with the drain. Who was inside is not stored: a process that
        /// has just begun waits for nobody whom it has not seen, and lets every visitor go on who has
        /// logged in, because it cannot know who came before.
        drain(self) => self.drain_wish();
    }

    /// Drains, and waits this long at most.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_wish().timeout = SignedDuration::try_from(timeout).ok();
        self.wanted.drain_said.timeout = true;
        self
    }

    /// Drains, and does this when it is not over in time.
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.drain_wish().on_timeout = on_timeout;
        self.wanted.drain_said.on_timeout = true;
        self
    }

    /// Only while the mode is what was seen of it.
    pub(crate) fn if_seen(mut self, seen: Option<Seen>) -> Self {
        self.seen = seen;
        self
    }

    /// Somebody holds it from then on, by a lease that they have put already.
    pub(crate) fn held(mut self, hold: Hold) -> Self {
        self.wanted.hold = Some(hold);
        self
    }

    pub(crate) fn handle(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn key(&self) -> &str {
        &self.mode
    }

    setters! {
        /// Whether hooks are called for this change, in this process. The default is that they are.
        call_hooks(self, call_hooks: bool) => self.call_hooks = call_hooks;
    }

    pub(super) fn drain_wish(&mut self) -> &mut DrainWish {
        let default = self.engine.shared.drain.wish;
        self.wanted.drain.get_or_insert(default)
    }
}

impl IntoFuture for TurnOn {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            mode,
            call_hooks,
            mut wanted,
            seen,
        } = self;
        Box::pin(async move {
            let known = engine.find_mode(&mode)?;
            wanted.time_out = known.time_out;
            wanted.check(engine.shared.clock.now())?;
            wanted.make_networks_plain()?;
            wanted.check_park(engine.shared.parked.longest)?;
            let proposal = ProposedChange::new(ChangeKind::TurnOn, &mode)
                .by(wanted.by.as_ref())
                .saying(wanted.reason.as_ref(), wanted.message.as_ref());
            let (key, hold) = (mode.clone(), wanted.hold.clone());
            let forbidden = move |document: &Document, now| {
                let outdated = outdated(document, &key, seen.as_ref(), now);
                outdated.or_else(|| ChangeError::held(document, &key, hold.as_ref()))
            };
            let operation = move |document: &Document, now| match &wanted.hold {
                Some(hold) => document.enter(&mode, &hold.token, Some(&wanted), now),
                None => document.turn_on(&mode, &wanted, now),
            };
            propose_unless(&engine, proposal, call_hooks, forbidden, operation).await
        })
    }
}
