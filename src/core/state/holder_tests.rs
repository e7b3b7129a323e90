use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::core::{
    phase::Phase,
    state::{
        Document, End, Ended, ModeState, SwitchOn,
        amend::{Amendment, NewEnd},
        settle::settled,
    },
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn job(if_lost: IfLost, until: Option<i64>) -> SwitchOn {
    job_named("job", if_lost, until)
}

fn job_named(token: &str, if_lost: IfLost, until: Option<i64>) -> SwitchOn {
    SwitchOn {
        by: Some("deploy".to_owned()),
        end: until.map(|until| End::At(at(until))),
        hold: Some(Hold {
            token: token.to_owned(),
            holder: Holder {
                name: "migrate".to_owned(),
                by: Some("deploy".to_owned()),
                since: at(0),
                if_lost,
                time_to_live: 15_000,
                alone: true,
                lost_at: None,
                unknown: Map::new(),
            },
            within: None,
        }),
        ..SwitchOn::default()
    }
}

fn held(if_lost: IfLost, until: Option<i64>) -> Document {
    let empty = Document::default();
    empty
        .enter("site", "job", Some(&job(if_lost, until)), at(0))
        .unwrap()
}

fn mode(document: &Document) -> &ModeState {
    document.mode("site").unwrap()
}

fn phase(document: &Document, now: i64) -> Phase {
    mode(document).phase(at(now))
}

#[test]
fn an_announced_end_opens_nothing_while_the_holder_lives() {
    for (until, overdue) in [(Some(60), true), (None, false)] {
        let document = held(IfLost::Reopen, until);
        assert_eq!(phase(&document, 59), Phase::Offline);
        assert_eq!(phase(&document, 60), Phase::Offline);
        assert_eq!(phase(&document, 1_000_000), Phase::Offline);
        assert_eq!(settled(&document, at(1_000_000)), None);
        let standing = mode(&document).standing(at(59));
        assert_eq!(standing.until, until.map(at));
        // What was told has not come true, and nothing better is known.
        assert_eq!(mode(&document).standing(at(60)).until, None);
        let since = mode(&document).overdue_since(at(60));
        assert_eq!(since, until.filter(|_| overdue).map(at));
        assert_eq!(mode(&document).overdue_since(at(59)), None);
    }
}

#[test]
fn who_lets_go_puts_back_what_was_also_when_it_is_overdue() {
    let document = held(IfLost::Stay, Some(60));
    let left = document.leave("site", "job", at(90)).unwrap();
    assert_eq!(phase(&left, 90), Phase::Online);
    assert_eq!(mode(&left).holder(), None);
    assert_eq!(left.history[0].ended_at, Some(at(90)));
    assert_eq!(left.history[0].ended, Some(Ended::Off));
}

#[test]
fn a_lost_holder_opens_or_stays_as_it_was_said() {
    let reopened = held(IfLost::Reopen, Some(60))
        .lose_holder("site", "job", at(20))
        .unwrap();
    assert_eq!(phase(&reopened, 20), Phase::Online);
    assert_eq!(reopened.history[0].ended_at, Some(at(20)));
    assert_eq!(reopened.history[0].ended, Some(Ended::HolderLost));
    assert_eq!(mode(&reopened).lost("job").unwrap().lost_at, Some(at(20)));
    let known = reopened.turn_off("site", None, at(30)).unwrap();
    assert_eq!(mode(&known).holder(), None, "somebody has seen it");
    assert_eq!(known.turn_off("site", None, at(30)), None);

    let stays = held(IfLost::Stay, Some(60))
        .lose_holder("site", "job", at(20))
        .unwrap();
    assert_eq!(phase(&stays, 59), Phase::Offline);
    assert_eq!(phase(&stays, 60), Phase::Online);
    assert_eq!(mode(&stays).standing(at(20)).until, Some(at(60)));
    assert_eq!(mode(&stays).holder().unwrap().1.lost_at, Some(at(20)));
    let settled = settled(&stays, at(60)).unwrap();
    assert_eq!(settled.history[0].ended_at, Some(at(60)));
    assert_eq!(settled.history[0].ended, Some(Ended::HolderLost));
    // A job that wakes up only now learns that it was lost, and not that somebody has opened it.
    assert_eq!(mode(&settled).lost("job").unwrap().lost_at, Some(at(20)));
    assert_eq!(mode(&settled).holder().unwrap().1.lost_at, Some(at(20)));
    let known = settled.turn_off("site", None, at(70)).unwrap();
    assert_eq!(mode(&known).holder(), None);

    let without_end = held(IfLost::Stay, None)
        .lose_holder("site", "job", at(20))
        .unwrap();
    assert_eq!(phase(&without_end, 1_000_000), Phase::Offline);
}

/// It was closed until somebody had seen it, whatever end was announced.
#[test]
fn what_is_lost_when_it_is_overdue_ends_then_and_not_before() {
    let stays = held(IfLost::Stay, Some(60))
        .lose_holder("site", "job", at(90))
        .unwrap();
    assert_eq!(phase(&stays, 90), Phase::Online);
    let settled = settled(&stays, at(90)).unwrap();
    assert_eq!(settled.history[0].ended_at, Some(at(90)));
    assert_eq!(settled.history[0].ended, Some(Ended::HolderLost));
}

#[test]
fn a_lost_holder_decides_nothing_any_more_and_is_lost_once() {
    let stays = held(IfLost::Stay, None)
        .lose_holder("site", "job", at(20))
        .unwrap();
    assert_eq!(stays.leave("site", "job", at(30)), None);
    assert_eq!(stays.lose_holder("site", "job", at(30)), None);
    assert_eq!(stays.lose_holder("site", "another", at(30)), None);
    let reopened = held(IfLost::Reopen, None)
        .lose_holder("site", "job", at(20))
        .unwrap();
    assert_eq!(reopened.leave("site", "job", at(30)), None);
}

#[test]
fn somebody_who_switches_it_off_takes_it_from_its_holder() {
    let off = held(IfLost::Stay, None)
        .turn_off("site", Some("alice"), at(30))
        .unwrap();
    assert_eq!(phase(&off, 30), Phase::Online);
    assert_eq!(mode(&off).holder(), None);
    assert_eq!(off.leave("site", "job", at(40)), None);
}

/// Else the end that somebody gives would open it in the middle of the job.
#[test]
fn somebody_who_switches_it_on_meanwhile_does_not_end_the_hold() {
    let longer = SwitchOn {
        end: Some(End::At(at(120))),
        ..SwitchOn::default()
    };
    let document = held(IfLost::Reopen, Some(60))
        .turn_on("site", &longer, at(30))
        .unwrap();
    assert_eq!(phase(&document, 500), Phase::Offline);
    assert_eq!(mode(&document).overdue_since(at(500)), Some(at(120)));
    assert_eq!(
        document.turn_on("site", &longer, at(31)),
        None,
        "it is so already"
    );
    // It is theirs from then on: the job puts nothing back.
    let left = document.leave("site", "job", at(40)).unwrap();
    assert_eq!(phase(&left, 119), Phase::Offline);
    assert_eq!(phase(&left, 120), Phase::Online);
    let lost = document.lose_holder("site", "job", at(40)).unwrap();
    assert_eq!(phase(&lost, 119), Phase::Offline);
    assert_eq!(phase(&lost, 120), Phase::Online);
}

#[test]
fn what_is_said_of_a_held_mode_can_be_said_otherwise() {
    let later = Amendment {
        end: NewEnd::Later(SignedDuration::from_secs(60)),
        ..Amendment::default()
    };
    let document = held(IfLost::Reopen, Some(60));
    let amended = document.amend("site", &later, at(100)).unwrap();
    assert_eq!(mode(&amended).standing(at(100)).until, Some(at(160)));
    let left = amended.leave("site", "job", at(110)).unwrap();
    assert_eq!(phase(&left, 110), Phase::Online);
}

/// A job that is run again after it had died opens what the first one had closed.
#[test]
fn the_next_job_takes_over_what_a_lost_one_has_left() {
    let lost = held(IfLost::Stay, Some(600))
        .lose_holder("site", "job", at(20))
        .unwrap();
    let again = job_named("again", IfLost::Stay, Some(900));
    let entered = lost.enter("site", "again", Some(&again), at(30)).unwrap();
    assert_eq!(mode(&entered).holder().unwrap().0, "again");
    assert_eq!(mode(&entered).standing(at(30)).until, Some(at(900)));
    assert_eq!(mode(&entered).standing(at(30)).since, Some(at(0)));
    let left = entered.leave("site", "again", at(40)).unwrap();
    assert_eq!(phase(&left, 40), Phase::Online);
}

/// Of what somebody else had closed before, a job that dies opens nothing.
#[test]
fn a_lost_holder_opens_nothing_that_was_closed_before() {
    let closed = Document::default()
        .turn_on("site", &SwitchOn::default(), at(0))
        .unwrap();
    let document = closed.enter("site", "job", Some(&job(IfLost::Reopen, None)), at(5));
    {
        let lost = document
            .unwrap()
            .lose_holder("site", "job", at(10))
            .unwrap();
        assert_eq!(phase(&lost, 10), Phase::Offline);
        assert_eq!(lost.history[0].ended_at, None);
    }
}

/// What it was closed by before is over, and a window has begun: it was closed all the time.
#[test]
fn what_is_over_by_itself_meanwhile_is_not_put_back() {
    let document: Document = serde_json::from_value(serde_json::json!({
        "format": 1,
        "generation": 1,
        "modes": { "site": {
            "switch": { "on": { "since": at(0), "until": at(60) } },
            "windows": [{ "id": "w", "start": at(90), "end": at(200) }],
        } },
        "history": [{ "mode": "site", "started_at": at(0) }],
    }))
    .unwrap();
    let job = job(IfLost::Stay, None);
    let entered = document.enter("site", "job", Some(&job), at(30)).unwrap();
    let left = entered.leave("site", "job", at(100)).unwrap();
    assert_eq!(phase(&left, 100), Phase::Offline, "by the window");
    let seen = settled(&left, at(100)).unwrap_or(left);
    let [period] = seen.history.as_slice() else {
        panic!("{:#?}", seen.history);
    };
    assert_eq!((period.started_at, period.ended_at), (at(0), None));
    assert_eq!(phase(&seen, 200), Phase::Online);
}

#[test]
fn one_inside_of_another_opens_nothing_that_the_outer_one_holds() {
    let outer = held(IfLost::Reopen, None);
    let inner = job_named("inner", IfLost::Reopen, None);
    let both = outer.enter("site", "inner", Some(&inner), at(5)).unwrap();
    let left = both.leave("site", "inner", at(10)).unwrap();
    assert_eq!(phase(&left, 10), Phase::Offline);
    assert_eq!(mode(&left).holder().unwrap().0, "job");
    let lost = both.lose_holder("site", "inner", at(10)).unwrap();
    assert_eq!(phase(&lost, 10), Phase::Offline);
    // The outer one dies first: the inner one still works.
    let lost = both.lose_holder("site", "job", at(10)).unwrap();
    assert_eq!(phase(&lost, 10), Phase::Offline);
    let left = lost.leave("site", "inner", at(20)).unwrap();
    assert_eq!(phase(&left, 20), Phase::Online);
}

#[test]
fn a_document_with_holders_is_read_as_it_was_written() {
    let stays = held(IfLost::Stay, Some(60))
        .lose_holder("site", "job", at(20))
        .unwrap();
    let read: Document = serde_json::from_slice(&stays.encode()).unwrap();
    assert_eq!(read, stays);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Enter(u8, IfLost, Option<u8>),
    Leave(u8),
    Lose(u8),
    On(Option<u8>),
    Amend(u8),
}

fn steps() -> impl Strategy<Value = Vec<(u8, Step)>> {
    let if_lost = prop_oneof![Just(IfLost::Stay), Just(IfLost::Reopen)];
    let step = prop_oneof![
        (0..3_u8, if_lost, any::<Option<u8>>())
            .prop_map(|(who, lost, end)| Step::Enter(who, lost, end)),
        (0..3_u8).prop_map(Step::Leave),
        (0..3_u8).prop_map(Step::Lose),
        any::<Option<u8>>().prop_map(Step::On),
        any::<u8>().prop_map(Step::Amend),
    ];
    prop::collection::vec((any::<u8>(), step), 1..20)
}

proptest! {
    /// Whatever else happens, but that somebody switches it off: it is closed while anybody lives who
    /// holds it, also by a document in which all is settled that is over.
    #[test]
    fn a_mode_is_closed_as_long_as_somebody_lives_who_holds_it(steps in steps()) {
        let mut document = Document::default();
        let mut now = 0_i64;
        let mut living: Vec<String> = Vec::new();
        for (pause, step) in steps {
            now += i64::from(pause);
            let next = match step {
                Step::Enter(who, if_lost, end) => {
                    let token = format!("{who}");
                    if living.contains(&token) || document.mode("site").is_some_and(|mode| mode.guard(&token).is_some()) {
                        continue;
                    }
                    let end = end.map(|end| now + 1 + i64::from(end));
                    let wanted = job_named(&token, if_lost, end);
                    living.push(token.clone());
                    document.enter("site", &token, Some(&wanted), at(now))
                }
                Step::Leave(who) => {
                    let token = format!("{who}");
                    living.retain(|it| *it != token);
                    document.leave("site", &token, at(now))
                }
                Step::Lose(who) => {
                    let token = format!("{who}");
                    living.retain(|it| *it != token);
                    document.lose_holder("site", &token, at(now))
                }
                Step::On(end) => {
                    let wanted = SwitchOn {
                        end: end.map(|end| End::At(at(now + 1 + i64::from(end)))),
                        ..SwitchOn::default()
                    };
                    document.turn_on("site", &wanted, at(now))
                }
                Step::Amend(end) => {
                    let wanted = Amendment {
                        end: NewEnd::At(at(now + 1 + i64::from(end))),
                        ..Amendment::default()
                    };
                    document.amend("site", &wanted, at(now))
                }
            };
            document = next.unwrap_or(document);
            let settled = settled(&document, at(now)).unwrap_or_else(|| document.clone());
            for document in [&document, &settled] {
                let is_closed = document
                    .mode("site")
                    .is_some_and(|mode| mode.phase(at(now)) == Phase::Offline);
                prop_assert!(is_closed || living.is_empty(), "{now}: {step:?} {document:#?}");
            }
            let open = document.history.iter().filter(|period| period.ended_at.is_none());
            prop_assert!(open.count() <= 1);
        }
    }
}
