use std::cell::Cell;

use jiff::ToSpan as _;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::core::state::SwitchOn;

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

thread_local! {
    static NAMES: Cell<u64> = const { Cell::new(0) };
}

/// Names that nobody else gets.
fn random() -> String {
    NAMES.with(|names| {
        names.set(names.get() + 1);
        format!("{:08x}", names.get())
    })
}

fn window(id: &str, start: i64, end: i64) -> Window {
    Window {
        id: id.to_owned(),
        start: Some(noon() + start.minutes()),
        end: Some(noon() + end.minutes()),
        ..Window::default()
    }
}

fn because(reason: &str) -> SwitchOn {
    SwitchOn {
        reason: Some(reason.to_owned()),
        ..SwitchOn::default()
    }
}

/// What is made of a document by a change, as it is stored.
fn changed(
    before: &Document,
    said: Option<&str>,
    now: Timestamp,
    change: impl Fn(&Document) -> Option<Document>,
) -> Document {
    let mut next = change(before).unwrap_or_else(|| before.clone());
    if let Some(key) = said {
        next.modes.entry(key.to_owned()).or_default();
    }
    next.generation = before.generation + 1;
    let signed = next.signed(before, said, now, random);
    // Nothing is lost on the way through the store.
    assert_eq!(Document::decode(&signed.encode(), None), Ok(signed.clone()));
    signed
}

fn on(before: &Document, reason: &str) -> Document {
    changed(before, Some("site"), noon(), |it| {
        it.turn_on("site", &because(reason), noon())
    })
}

fn off(before: &Document) -> Document {
    changed(before, Some("site"), noon(), |it| {
        it.turn_off("site", None, noon())
    })
}

fn plan(before: &Document, window: &Window) -> Document {
    changed(before, None, noon(), |it| it.plan("site", window, noon()))
}

fn cancel(before: &Document, id: &str) -> Document {
    changed(before, None, noon(), |it| {
        it.cancel(id, false, None, noon())
    })
}

fn reconcile(stored: &Document, remembered: &Document) -> Option<Document> {
    let next = reconciled(Some(stored), remembered, noon(), random)?;
    let mut next = next;
    let base = next.clone();
    next.generation = base.generation + 1;
    Some(next.signed(&base, None, noon(), random))
}

fn reason(document: &Document) -> Option<String> {
    let switch = &document.mode("site")?.switch;
    Some(switch.record()?.reason.clone().unwrap_or_default())
}

fn windows(document: &Document) -> Vec<String> {
    let mode = document.mode("site");
    mode.map_or_else(Vec::new, |mode| {
        mode.windows.iter().map(|it| it.id.clone()).collect()
    })
}

#[test]
fn a_document_follows_from_what_it_was_made_of_and_from_nothing_else() {
    let one = on(&Document::default(), "one");
    let two = off(&one);
    let fork = on(&one, "fork");
    let fresh = on(&Document::default(), "fresh");
    assert_eq!(one.kinship(&one), Kinship::Follows);
    assert_eq!(two.kinship(&one), Kinship::Follows);
    assert_eq!(one.kinship(&two), Kinship::Precedes);
    assert_eq!(two.kinship(&fork), Kinship::Apart);
    assert_eq!(fresh.kinship(&one), Kinship::Apart);
    let mut far = two.clone();
    for _ in 0..100 {
        far = off(&far);
    }
    assert_eq!(far.kinship(&one), Kinship::Follows);
    assert_eq!(one.kinship(&far), Kinship::Precedes);
}

#[test]
fn a_document_of_an_older_version_goes_by_its_number() {
    let old = |generation| Document {
        generation,
        ..Document::default()
    };
    assert_eq!(old(6).kinship(&old(5)), Kinship::Follows);
    assert_eq!(old(5).kinship(&old(6)), Kinship::Precedes);
    // The first change by this version begins a lineage.
    let begun = on(&old(6), "new");
    assert_eq!(begun.generation, 7);
    assert_eq!(begun.kinship(&old(6)), Kinship::Follows);
    assert_eq!(old(5).kinship(&begun), Kinship::Precedes);
    // An older version hands the lineage on as it found it.
    let mut theirs = begun.clone();
    theirs.generation = 8;
    assert_eq!(theirs.kinship(&begun), Kinship::Follows);
    assert_eq!(off(&theirs).kinship(&theirs), Kinship::Follows);
}

#[test]
fn what_was_said_after_a_loss_wins_whatever_the_numbers() {
    let mut known = on(&Document::default(), "before");
    for _ in 0..3 {
        known = on(&off(&known), "before");
    }
    let known = off(&known);
    let stored = on(&Document::default(), "after");
    assert!(stored.generation < known.generation);
    let merged = reconcile(&stored, &known).unwrap();
    assert_eq!(reason(&merged).as_deref(), Some("after"));
    assert!(merged.generation > known.generation);
    // Who knew either of the two goes by it.
    assert_eq!(merged.kinship(&stored), Kinship::Follows);
    assert_eq!(merged.kinship(&known), Kinship::Follows);
}

#[test]
fn the_history_of_before_stays_and_what_was_open_ends_when_it_was_said_otherwise() {
    let at = |minutes: i64| noon() + minutes.minutes();
    let switch = |before: &Document, on: bool, minutes| {
        changed(before, Some("site"), at(minutes), |it| match on {
            true => it.turn_on("site", &because("it"), at(minutes)),
            false => it.turn_off("site", None, at(minutes)),
        })
    };
    let known = switch(&switch(&Document::default(), true, -90), false, -80);
    let known = switch(&known, true, -60);
    let spans = |document: &Document| -> Vec<(i64, Option<i64>)> {
        let minute = |it: Timestamp| (it.as_second() - noon().as_second()) / 60;
        let history = document.history.iter();
        history
            .map(|it| (minute(it.started_at), it.ended_at.map(minute)))
            .collect()
    };
    let before = (-90, Some(-80));
    let off = reconcile(&switch(&Document::default(), false, -5), &known).unwrap();
    assert_eq!(spans(&off), [before, (-60, Some(-5))]);
    let on = reconcile(&switch(&Document::default(), true, -5), &known).unwrap();
    assert_eq!(spans(&on), [before, (-60, Some(-5)), (-5, None)]);
    let planned = plan(&Document::default(), &window("w", 60, 90));
    let planned = reconcile(&planned, &known).unwrap();
    assert_eq!(spans(&planned), [before, (-60, None)]);
}

#[test]
fn a_plan_after_a_loss_does_not_open_what_was_closed_before() {
    let known = plan(&on(&Document::default(), "before"), &window("old", 60, 90));
    let stored = plan(&Document::default(), &window("new", 30, 40));
    let merged = reconcile(&stored, &known).unwrap();
    assert_eq!(reason(&merged).as_deref(), Some("before"));
    assert_eq!(windows(&merged), ["new", "old"]);
}

#[test]
fn off_after_a_loss_is_off_also_where_it_changes_nothing_and_ends_what_was_open() {
    let known = plan(&on(&Document::default(), "before"), &window("open", -5, 5));
    let known = plan(&known, &window("later", 60, 90));
    // Of an empty store it is off already. That it was said is what counts.
    let stored = off(&Document::default());
    let merged = reconcile(&stored, &known).unwrap();
    assert!(!merged.mode("site").unwrap().phase(noon()).is_maintenance());
    assert_eq!(windows(&merged), ["later"]);
    assert!(!merged.has_open_period("site"));
}

#[test]
fn of_two_who_know_the_past_the_one_behind_may_come_first() {
    let behind = plan(&on(&Document::default(), "before"), &window("w", 60, 90));
    let ahead = cancel(&off(&behind), "w");
    let stored = plan(&Document::default(), &window("new", 30, 40));
    let merged = reconcile(&stored, &behind).unwrap();
    assert_eq!(windows(&merged), ["new", "w"]);
    let merged = reconcile(&merged, &ahead).unwrap();
    assert_eq!(windows(&merged), ["new"]);
    assert_eq!(reason(&merged), None);
    // The one behind has nothing to add any more.
    assert_eq!(reconcile(&merged, &behind), None);
}

#[test]
fn what_is_removed_after_it_was_put_back_stays_removed() {
    let behind = plan(&Document::default(), &window("w", 60, 90));
    let ahead = on(&behind, "before");
    let stored = plan(&Document::default(), &window("new", 30, 40));
    let merged = cancel(&reconcile(&stored, &behind).unwrap(), "w");
    let merged = reconcile(&merged, &ahead).unwrap();
    assert_eq!(windows(&merged), ["new"]);
    assert_eq!(reason(&merged).as_deref(), Some("before"));
}

#[test]
fn an_old_copy_gives_way_and_what_was_written_on_it_does_not() {
    let old = plan(&on(&Document::default(), "old"), &window("w", 60, 90));
    let known = plan(&off(&old), &window("later", 100, 110));
    assert_eq!(
        reconcile(&old, &known).map(|it| windows(&it)),
        Some(windows(&known))
    );
    let written = on(&old, "after");
    assert_eq!(written.generation, off(&old).generation);
    let merged = reconcile(&written, &known).unwrap();
    assert_eq!(reason(&merged).as_deref(), Some("after"));
    assert_eq!(windows(&merged), ["w", "later"]);
    for former in [&old, &known, &written] {
        assert_eq!(merged.kinship(former), Kinship::Follows);
    }
    // Somebody who knew more of what was before the loss adds it.
    let more = plan(&known, &window("last", 200, 210));
    let merged = reconcile(&merged, &more).unwrap();
    assert_eq!(windows(&merged), ["w", "later", "last"]);
}

#[test]
fn what_is_on_again_in_the_eyes_of_all_but_one_begins_a_period() {
    let at = |minutes: i64| noon() + minutes.minutes();
    let behind = changed(&Document::default(), Some("site"), at(-60), |it| {
        it.turn_on("site", &because("before"), at(-60))
    });
    let ahead = changed(&behind, Some("site"), at(-50), |it| {
        it.turn_off("site", None, at(-50))
    });
    // Somebody says `on` again, and a process that has not heard of `off` stores that.
    let again = changed(&behind, Some("site"), at(-40), |_| None);
    let merged = reconcile(&again, &ahead).unwrap();
    assert_eq!(reason(&merged).as_deref(), Some("before"));
    let spans: Vec<_> = merged
        .history
        .iter()
        .map(|it| (it.started_at, it.ended_at))
        .collect();
    assert_eq!(spans, [(at(-60), Some(at(-50))), (at(-40), None)]);
}

/// What happens to a store and the processes that use it.
#[derive(Debug, Clone)]
enum Event {
    /// A process says `on`, for a reason of its own, or `off`.
    Switch {
        process: usize,
        on: bool,
    },
    Plan {
        process: usize,
    },
    Cancel {
        process: usize,
        nth: usize,
    },
    /// Reads the store and puts back what it lacks.
    Read {
        process: usize,
    },
    /// Everything is gone.
    Lose,
    /// The store holds what it held some saves ago.
    Restore {
        back: usize,
    },
    /// Forgets what it knew and reads what is there.
    Restart {
        process: usize,
    },
}

const PROCESSES: usize = 4;

fn events() -> impl Strategy<Value = Vec<Event>> {
    let process = 0..PROCESSES;
    vec(
        prop_oneof![
            4 => (process.clone(), any::<bool>()).prop_map(|(process, on)| Event::Switch { process, on }),
            3 => process.clone().prop_map(|process| Event::Plan { process }),
            2 => (process.clone(), 0..9usize).prop_map(|(process, nth)| Event::Cancel { process, nth }),
            6 => process.clone().prop_map(|process| Event::Read { process }),
            1 => Just(Event::Lose),
            1 => (1..6usize).prop_map(|back| Event::Restore { back }),
            1 => process.prop_map(|process| Event::Restart { process }),
        ],
        // As many saves as a document names, with two for each that puts something back.
        1..30,
    )
}

/// A store and what the processes remember of it.
#[derive(Default)]
struct World {
    stored: Option<Document>,
    saves: Vec<Document>,
    memories: [Document; PROCESSES],
    planned: u64,
    round: i64,
}

impl World {
    /// What a process makes of the store, as the driver does: it reads, puts back what is missing,
    /// and goes by the outcome. `change` is asked for on top of it.
    fn visit(
        &mut self,
        process: usize,
        said: Option<&str>,
        change: impl Fn(&Document) -> Option<Document>,
    ) {
        let now = self.now();
        let memory = self.memories[process].clone();
        let instead = reconciled(self.stored.as_ref(), &memory, now, random);
        let is_lacking = instead.is_some();
        let base = instead.or_else(|| self.stored.clone()).unwrap_or_default();
        let operated = change(&base);
        if !is_lacking && operated.is_none() && said.is_none() {
            self.memories[process] = base;
            return;
        }
        let mut next = operated.unwrap_or_else(|| base.clone());
        if let Some(key) = said {
            next.modes.entry(key.to_owned()).or_default();
        }
        let stored = self.stored.as_ref().map_or(0, |it| it.generation);
        next.generation = stored.max(memory.generation).max(base.generation) + 1;
        let next = next.signed(&base, said, now, random);
        assert_eq!(Document::decode(&next.encode(), None), Ok(next.clone()));
        self.saves.push(next.clone());
        self.stored = Some(next.clone());
        self.memories[process] = next;
    }

    fn stored(&self) -> Document {
        self.stored.clone().unwrap_or_default()
    }

    fn now(&self) -> Timestamp {
        noon() + self.round.seconds()
    }

    /// Lets all read until nothing changes any more.
    fn settle(&mut self) {
        for _ in 0..2 * PROCESSES {
            let before = self.saves.len();
            (0..PROCESSES).for_each(|process| self.visit(process, None, |_| None));
            if self.saves.len() == before {
                return;
            }
        }
        panic!("they put back against each other for ever");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever a store loses or brings back: what was acknowledged last counts, plans that somebody
    /// remembers are there, and what was cancelled last stays cancelled.
    #[test]
    fn what_was_acknowledged_last_counts(events in events()) {
        let mut world = World::default();
        // What was answered last, with what was stored then: it counts as long as anybody knows it.
        let mut switched: Option<(Document, Option<String>)> = None;
        let mut cancelled: Vec<(Document, String)> = Vec::new();
        // A cancel that nobody knows of any more may come back with an old copy.
        let mut ever_cancelled: BTreeSet<String> = BTreeSet::new();
        let mut plans: Vec<(Document, String)> = Vec::new();
        for (round, event) in events.into_iter().enumerate() {
            world.round += 1;
            let now = world.now();
            match event {
                Event::Switch { process, on: true } => {
                    // Every reason is another, so that each `on` is a change.
                    let why = format!("round {round}");
                    world.visit(process, Some("site"), |it| {
                        it.turn_on("site", &because(&why), now)
                    });
                    switched = Some((world.stored(), Some(why)));
                }
                Event::Switch { process, on: false } => {
                    world.visit(process, Some("site"), |it| it.turn_off("site", None, now));
                    switched = Some((world.stored(), None));
                }
                Event::Plan { process } => {
                    world.planned += 1;
                    let id = format!("w{}", world.planned);
                    world.visit(process, None, |it| it.plan("site", &window(&id, 60, 90), now));
                    plans.push((world.stored(), id));
                }
                Event::Cancel { process, nth } => {
                    let known = world.stored.as_ref().map(windows).unwrap_or_default();
                    let Some(id) = known.get(nth) else { continue };
                    world.visit(process, None, |it| it.cancel(id, false, None, now));
                    cancelled.push((world.stored(), id.clone()));
                    ever_cancelled.insert(id.clone());
                }
                Event::Read { process } => world.visit(process, None, |_| None),
                Event::Lose => world.stored = None,
                Event::Restore { back } => {
                    let place = world.saves.len().checked_sub(back);
                    if let Some(save) = place.and_then(|place| world.saves.get(place)) {
                        // Of two histories that never met nobody can tell which came later. The
                        // one that is stored counts.
                        let knew = |(document, _): &mut (Document, _)| document.follows(save);
                        switched = switched.take_if(knew);
                        world.stored = Some(save.clone());
                    }
                }
                Event::Restart { process } => {
                    world.memories[process] = Document::default();
                    world.visit(process, None, |_| None);
                }
            }
            // Where everybody who knew is gone, nobody can know.
            let knows = |document: &Document| {
                let mut known = world.stored.iter().chain(&world.memories);
                known.any(|it| it.follows(document))
            };
            switched = switched.take_if(|(document, _)| knows(document));
            plans.retain(|(document, _)| knows(document));
            cancelled.retain(|(document, _)| knows(document));
        }
        world.settle();
        let stored = world.stored.clone().unwrap_or_default();
        for memory in &world.memories {
            prop_assert_eq!(memory, &stored);
        }
        if let Some((_, why)) = switched {
            prop_assert_eq!(reason(&stored), why);
        }
        let left = windows(&stored);
        for (_, id) in plans.iter().filter(|(_, id)| !ever_cancelled.contains(id)) {
            prop_assert!(left.contains(id), "{id} is lost: {left:?}");
        }
        for (_, id) in &cancelled {
            prop_assert!(!left.contains(id), "{id} is back: {left:?}");
        }
        let open = stored.history.iter().filter(|period| period.ended_at.is_none()).count();
        let is_closed = stored.mode("site").is_some_and(|it| it.phase(world.now()).is_maintenance());
        prop_assert_eq!(open, usize::from(is_closed), "{:?}", stored.history);
    }
}
