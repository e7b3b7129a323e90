use super::*;

const SECOND: Duration = Duration::from_secs(1);
const NOW: Duration = Duration::from_secs(100_000);

fn trace() -> Trace {
    Trace {
        lives: 15_000,
        closes: false,
        left: false,
        process: None,
    }
}

fn listed(id: &str, expires_in: u32) -> Listed {
    Listed {
        id: id.to_owned(),
        trace: Some(trace()),
        expires_in: SECOND * expires_in,
        age: SECOND * (15 - expires_in),
    }
}

fn traced(id: &str, trace: Trace, age: u32) -> Traced {
    Traced {
        id: id.to_owned(),
        trace: Some(trace),
        age: SECOND * age,
    }
}

fn nobody_knows(_: &Process) -> Option<bool> {
    None
}

fn told(silent: &[Silent]) -> Vec<(&str, u64, Presence)> {
    let told = |silent: &'_ Silent| (silent.age.as_secs(), silent.is);
    silent
        .iter()
        .map(|silent| (silent.id.as_str(), told(silent).0, told(silent).1))
        .collect()
}

#[test]
fn a_node_that_was_seen_is_expected_until_its_lease_would_have_lapsed() {
    let mut memory = Memory::default();
    let mut note = |listed: &[Listed], after: u32| {
        memory.note(listed, &[], NOW + SECOND * after, nobody_knows)
    };
    assert!(note(&[listed("a", 9), listed("b", 15)], 0).is_empty());
    // The store has lost one of them. It may have renewed its lease just before.
    let silent = note(&[listed("b", 12)], 3);
    assert_eq!(told(&silent), [("a", 9, Presence::Expected)]);
    let silent = note(&[listed("b", 15)], 17);
    assert_eq!(told(&silent), [("a", 23, Presence::Expected)]);
    let silent = note(&[listed("b", 15)], 18);
    assert_eq!(told(&silent), [("a", 24, Presence::Doubtful)]);
    // It comes back.
    assert!(note(&[listed("a", 15), listed("b", 10)], 20).is_empty());
    let silent = note(&[listed("b", 10)], 34);
    assert_eq!(told(&silent), [("a", 14, Presence::Expected)]);
    // Nobody is told of it for ever.
    assert!(note(&[listed("b", 10)], 3700).is_empty());
}

#[test]
fn a_trace_tells_until_when_a_lease_that_was_seen_may_have_been_renewed() {
    let mut memory = Memory::default();
    let mut note = |listed: &[Listed], trace_age: u32, after: u32| {
        let known = [traced("a", trace(), trace_age)];
        memory.note(listed, &known, NOW + SECOND * after, nobody_knows)
    };
    // Seen just before it lapses; renewed then, and lost.
    assert!(note(&[listed("a", 1)], 3, 0).is_empty());
    let silent = note(&[], 5, 2);
    assert_eq!(told(&silent), [("a", 5, Presence::Expected)]);
    // The trace was put three seconds before, and may be five older than the lease.
    let silent = note(&[], 19, 16);
    assert_eq!(told(&silent), [("a", 19, Presence::Expected)]);
    let silent = note(&[], 20, 17);
    assert_eq!(told(&silent), [("a", 20, Presence::Doubtful)]);
}

#[test]
fn whoever_comes_later_knows_by_the_trace() {
    let silent_after = |age| {
        let known = [traced("a", trace(), age)];
        Memory::default().note(&[], &known, NOW, nobody_knows)
    };
    assert_eq!(told(&silent_after(1)), [("a", 1, Presence::Expected)]);
    // It may have renewed its lease a third of its time after the trace.
    assert_eq!(told(&silent_after(19)), [("a", 19, Presence::Expected)]);
    assert_eq!(told(&silent_after(20)), [("a", 20, Presence::Doubtful)]);
    assert!(silent_after(3600).is_empty());
}

#[test]
fn one_that_has_left_is_gone_at_once() {
    let mut memory = Memory::default();
    memory.note(
        &[listed("a", 15)],
        &[traced("a", trace(), 0)],
        NOW,
        nobody_knows,
    );
    let left = Trace {
        left: true,
        ..trace()
    };
    let known = [traced("a", left, 0)];
    assert!(memory.note(&[], &known, NOW, nobody_knows).is_empty());
    // Also when the store has forgotten that.
    assert!(memory.note(&[], &[], NOW, nobody_knows).is_empty());
}

#[test]
fn one_that_closes_when_it_is_cut_off_is_gone_when_its_lease_has_lapsed() {
    let closes = Trace {
        closes: true,
        process: Process::own(),
        ..trace()
    };
    let note = |age| {
        let known = [traced("a", closes.clone(), age)];
        Memory::default().note(&[], &known, NOW, |_| Some(true))
    };
    assert_eq!(told(&note(19)), [("a", 19, Presence::Expected)]);
    assert!(note(20).is_empty());
}

#[test]
fn a_process_that_lives_is_not_gone_and_one_that_has_ended_is() {
    let Some(process) = Process::own() else {
        return;
    };
    let known = |age| {
        let process = Some(process.clone());
        [traced("a", Trace { process, ..trace() }, age)]
    };
    let note = |age, is_alive| Memory::default().note(&[], &known(age), NOW, |_| is_alive);
    assert_eq!(
        told(&note(80_000, Some(true))),
        [("a", 80_000, Presence::Alive)]
    );
    assert!(note(1, Some(false)).is_empty());
    assert!(note(80_000, None).is_empty());
}
