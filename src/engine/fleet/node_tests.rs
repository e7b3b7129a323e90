use super::*;
use crate::{
    core::{access::Forced, status::Remark},
    engine::{
        fleet::report::{ModeReport, NodeIdentity},
        inside::sessions::SessionMark,
    },
    store::Lease,
};
use jiff::SignedDuration;

const IDLE: Duration = Duration::from_secs(60);
const LIVES: Duration = Duration::from_secs(15);

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn state() -> StateId {
    StateId::of(Some(b"the document"))
}

fn report(id: &str, phase: Phase, empty: bool) -> NodeReport {
    let mut node = NodeIdentity::new(Some(id), "host", 7, noon(), "x");
    node.id = id.to_owned();
    NodeReport {
        node,
        version: "0.1.0".to_owned(),
        generation: 4,
        state: state().to_string(),
        modes: BTreeMap::from([("site".to_owned(), ModeReport { phase, empty })]),
        in_flight: u64::from(!empty),
        endless: 0,
        parked: 0,
        sessions: 0,
        visitors: Vec::new(),
        tasks: 0,
        clock: Some(noon()),
        lives: 15_000,
        closes: false,
        forced: None,
        settings: "same".to_owned(),
        sessions_loaded: None,
        grants: BTreeMap::new(),
    }
}

fn mark(id: &str, age: u64, left: bool) -> SessionMark {
    let id = id.to_owned();
    SessionMark { id, age, left }
}

fn live(name: &str, holder: &str, content: Vec<u8>, age: u64) -> LiveLease {
    LiveLease {
        lease: Lease::new(name, holder, content).unwrap(),
        expires_in: LIVES - Duration::from_secs(age),
    }
}

fn fleet(reports: &[NodeReport]) -> Fleet {
    let leases: Vec<LiveLease> = reports
        .iter()
        .map(|report| live(&report.node.lease_name(), "h", report.encode(), 0))
        .collect();
    Fleet::new(&leases)
}

fn missing(fleet: &Fleet, goal: Goal) -> Vec<String> {
    fleet
        .missing("site", state(), goal, IDLE)
        .iter()
        .map(Missing::to_string)
        .collect()
}

#[test]
fn a_node_is_named_by_its_host_or_the_settings_its_process_and_its_start() {
    let since = "2026-06-01T12:00:00Z".parse().unwrap();
    let named = |named| NodeIdentity::new(named, "we b\u{e9}/1", 7, since, "abc").id;
    assert_eq!(named(None), "we_b__1/7-19e830e1a00abc");
    assert_eq!(named(Some("web-1")), "web-1/7-19e830e1a00abc");
    let long = NodeIdentity::new(None, &"h".repeat(500), u32::MAX, since, "abcdef");
    assert!(Lease::new(long.lease_name(), long.id, "").is_ok());
}

#[test]
fn a_state_is_known_by_its_content() {
    assert_eq!(StateId::of(Some(b"on")), StateId::of(Some(b"on")));
    assert_ne!(StateId::of(Some(b"on")), StateId::of(Some(b"off")));
    assert_ne!(StateId::of(Some(b"")), StateId::of(None));
}

#[test]
fn nobody_is_missing_once_every_node_is_closed_and_empty() {
    let both = [
        report("a", Phase::Offline, true),
        report("b", Phase::Offline, true),
    ];
    assert!(missing(&fleet(&both), Goal::Closed).is_empty());
    assert!(missing(&fleet(&[]), Goal::Closed).is_empty());
}

#[test]
fn whoever_is_missing_is_named_with_the_reason() {
    let mut starting = report("a", Phase::Offline, true);
    starting.state = String::new();
    let mut behind = report("b", Phase::Offline, true);
    behind.state = StateId::of(None).to_string();
    let mut serving = report("c", Phase::Offline, false);
    serving.in_flight = 3;
    let mut ignorant = report("d", Phase::Offline, true);
    ignorant.modes.clear();
    let closing = report("e", Phase::Pending, true);
    let done = report("f", Phase::Offline, true);
    let mut leases: Vec<LiveLease> = [&starting, &behind, &serving, &ignorant, &closing, &done]
        .iter()
        .map(|report| live(&report.node.lease_name(), "h", report.encode(), 0))
        .collect();
    leases.push(live("node/z", "h", b"from the future".to_vec(), 0));
    leases.push(live("task/import/host-1", "host-1", Vec::new(), 0));
    leases.push(live("task/backup", "host-2", Vec::new(), 0));
    leases.push(live("lock/site", "host-2", Vec::new(), 0));
    assert_eq!(
        missing(&Fleet::new(&leases), Goal::Closed),
        [
            "node a starts",
            "node b has not applied the change yet",
            "node c serves 3 requests",
            "node d does not know the mode: its settings have no such key",
            "node e is pending",
            "node z reports what cannot be read: it runs another version, or its lease is damaged",
            "task import runs, by host-1",
            "task backup runs, by host-2",
        ]
    );
}

#[test]
fn a_drain_is_over_when_nobody_is_inside_of_any_node() {
    let mut one = report("a", Phase::Pending, true);
    let mut other = report("b", Phase::Pending, true);
    assert!(missing(&fleet(&[one.clone(), other.clone()]), Goal::Drained).is_empty());

    // The same visitor on two nodes is one.
    for node in [&mut one, &mut other] {
        node.sessions = 1;
        node.visitors = vec![mark("alice", 5, false)];
    }
    let both = fleet(&[one.clone(), other.clone()]);
    assert_eq!(missing(&both, Goal::Drained), ["1 visitor is inside"]);

    // What was seen last counts, whichever node saw it; of the same second, that they left.
    other.visitors = vec![mark("alice", 5, true)];
    other.sessions = 0;
    let both = fleet(&[one.clone(), other.clone()]);
    assert!(missing(&both, Goal::Drained).is_empty());
    one.visitors = vec![mark("alice", 4, false)];
    let both = fleet(&[one.clone(), other.clone()]);
    assert_eq!(missing(&both, Goal::Drained), ["1 visitor is inside"]);
}

#[test]
fn a_visitor_grows_older_with_the_report() {
    let mut node = report("a", Phase::Pending, true);
    node.sessions = 1;
    node.visitors = vec![mark("alice", 50, false)];
    let at = |age| {
        Fleet::new(&[live("node/a", "h", node.encode(), age)])
            .sessions(IDLE)
            .iter()
            .map(|session| session.age)
            .collect::<Vec<u64>>()
    };
    assert_eq!(at(0), [50]);
    assert_eq!(at(9), [59]);
    assert!(at(10).is_empty());
}

#[test]
fn more_visitors_than_are_listed_are_still_inside() {
    let mut node = report("a", Phase::Pending, true);
    node.sessions = 9;
    let fleet = fleet(&[node]);
    assert_eq!(missing(&fleet, Goal::Drained), ["1 visitor is inside"]);
}

#[test]
fn stragglers_come_first() {
    let mut behind = report("c", Phase::Online, true);
    behind.state = String::new();
    let nodes = [
        report("a", Phase::Offline, true),
        report("b", Phase::Offline, false),
        behind,
    ];
    let statuses = fleet(&nodes).statuses(state(), &[], Some("b"), noon());
    let told: Vec<_> = statuses
        .iter()
        .map(|node| (&*node.id, node.up_to_date, node.own))
        .collect();
    assert_eq!(
        told,
        [("c", false, false), ("b", true, true), ("a", true, false)]
    );
}

#[test]
fn what_a_process_knows_of_itself_wins_over_the_store() {
    let stored = [
        report("a", Phase::Online, false),
        report("b", Phase::Offline, true),
    ];
    let fleet = fleet(&stored).with_own(report("a", Phase::Offline, true));
    assert!(missing(&fleet, Goal::Closed).is_empty());
    assert_eq!(fleet.first(), Some("a"));
}

#[test]
fn what_others_wait_for_is_news_and_figures_are_not() {
    let before = report("a", Phase::Offline, false);
    let mut after = before.clone();
    after.in_flight = 40;
    after.tasks = 1;
    assert!(!after.is_news_after(&before));
    after.modes = report("a", Phase::Offline, true).modes;
    assert!(after.is_news_after(&before));
    let mut after = before.clone();
    after.state = String::new();
    assert!(after.is_news_after(&before));
    let mut after = before.clone();
    after.visitors = vec![mark("alice", 1, true)];
    assert!(after.is_news_after(&before));
}

#[test]
fn a_node_that_is_silent_is_waited_for_unless_nobody_can_tell() {
    let silent = |id: &str, seconds, is| Silent {
        id: id.to_owned(),
        age: Duration::from_secs(seconds),
        is,
    };
    let fleet = fleet(&[report("a", Phase::Offline, true)]).with_silent(vec![
        silent("b", 12, Presence::Expected),
        silent("c", 700, Presence::Alive),
        silent("d", 80, Presence::Doubtful),
    ]);
    assert_eq!(
        missing(&fleet, Goal::Closed),
        [
            "node b has not been heard of for 12 s",
            "node c has not been heard of for 700 s, and its process lives",
        ]
    );
    let told = |node: &UnheardNode| (node.id.clone(), node.age, node.waited_for);
    let unheard: Vec<_> = fleet.unheard().iter().map(told).collect();
    let expected = [("b", 12, true), ("c", 700, true), ("d", 80, false)];
    assert_eq!(
        unheard,
        expected.map(|(id, age, is)| (id.to_owned(), age, is))
    );
}

#[test]
fn figures_of_all_nodes_are_sums_and_unknown_is_not_nothing() {
    let mut one = report("a", Phase::Offline, false);
    (one.in_flight, one.sessions) = (10, 3);
    let mut other = report("b", Phase::Offline, false);
    (other.in_flight, other.sessions) = (2, 1);
    let both = fleet(&[one.clone(), other.clone()]);
    assert_eq!(both.sum(|report| report.in_flight), Some(12));
    assert_eq!(both.session_count(IDLE), Some(4));
    // Where they tell who it is, one visitor is one.
    one.visitors = ["x", "y", "z"].map(|id| mark(id, 1, false)).to_vec();
    other.visitors = vec![mark("x", 1, false)];
    let both = fleet(&[one.clone(), other.clone()]);
    assert_eq!(both.session_count(IDLE), Some(3));

    assert_eq!(fleet(&[]).sum(|report| report.in_flight), None);
    assert_eq!(fleet(&[]).session_count(IDLE), None);
    let damaged = Fleet::new(&[
        live("node/a", "h", one.encode(), 0),
        live("node/b", UNREADABLE, Vec::new(), 0),
    ]);
    assert_eq!(damaged.sum(|report| report.in_flight), None);
}

#[test]
fn what_an_operator_should_know_of_a_node_is_told() {
    let (mut a, b, c) = (
        report("a", Phase::Online, true),
        report("b", Phase::Offline, true),
        report("c", Phase::Offline, true),
    );
    a.forced = Some(Forced::Off);
    a.settings = "others".to_owned();
    let remarks = |reports: &[NodeReport], closed: &[&str]| {
        let statuses = fleet(reports).statuses(state(), closed, None, noon());
        let remarks = statuses.into_iter().map(|node| (node.id, node.remarks));
        remarks.collect::<BTreeMap<_, _>>()
    };
    let told = remarks(&[a.clone(), b.clone(), c.clone()], &["site"]);
    assert_eq!(
        told["a"],
        [Remark::ServesAlthoughOffline, Remark::OtherSettings]
    );
    assert!(told["b"].is_empty() && told["c"].is_empty());
    // Of two that differ nobody knows which is right.
    let told = remarks(&[a.clone(), b.clone()], &[]);
    assert_eq!(told["a"], [Remark::OtherSettings]);
    assert_eq!(told["b"], [Remark::OtherSettings]);
    // One that has not followed yet serves because of that.
    a.state = String::new();
    a.settings = "same".to_owned();
    a.version = "0.0.9".to_owned();
    let told = remarks(&[a, b, c], &["site"]);
    assert_eq!(told["a"], [Remark::OtherVersion]);
}

#[test]
fn what_time_it_is_for_all_is_known_when_all_tell() {
    let with_clock = |id: &str, seconds: Option<i64>| NodeReport {
        clock: seconds.map(|seconds| noon() + SignedDuration::from_secs(seconds)),
        ..report(id, Phase::Online, true)
    };
    let (right, fast) = (with_clock("a", Some(-3)), with_clock("b", Some(5 * 3600)));
    let passed = |reports: &[NodeReport]| fleet(reports).time_passed();
    assert_eq!(passed(&[]), None, "nobody tells");
    let slowest = Some(noon() - SignedDuration::from_secs(3));
    assert_eq!(passed(&[right.clone(), fast.clone()]), slowest);
    assert_eq!(passed(&[right.clone(), with_clock("c", None)]), None);
    let silent = Silent {
        id: "d".to_owned(),
        age: Duration::from_secs(100),
        is: Presence::Doubtful,
    };
    let with_silent = fleet(&[right, fast]).with_silent(vec![silent]);
    assert_eq!(with_silent.time_passed(), None, "somebody may be there");
}

#[test]
fn a_node_with_another_time_is_marked() {
    // It tells what its clock showed, at most two seconds before the lease was put.
    for (clock, age, is_marked) in [
        (0, 0, false),
        (-2, 0, false),
        (2, 0, false),
        (3, 0, true),
        (-5, 5, false),
        (-9, 5, false),
        (-10, 5, true),
        (-2, 5, true),
        (-3, 5, false),
    ] {
        let report = NodeReport {
            clock: Some(noon() + SignedDuration::from_secs(clock)),
            ..report("a", Phase::Online, true)
        };
        let name = report.node.lease_name();
        let fleet = Fleet::new(&[live(&name, "h", report.encode(), age)]);
        let statuses = fleet.statuses(state(), &[], None, noon());
        let marked = statuses[0].remarks.contains(&Remark::ClockDiffers);
        assert_eq!(marked, is_marked, "{clock} s, told {age} s ago");
    }
}
