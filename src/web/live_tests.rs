use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::core::{
    rules::compiled::Rules, snapshot::CUT_OFF, state::Document, status::store::StoreStatus,
};

fn live(connections: usize, per_address: usize) -> Live {
    Live::new(&LiveSettings {
        connections,
        per_address,
        ..LiveSettings::default()
    })
}

fn at(address: &str) -> Option<IpAddr> {
    Some(address.parse().unwrap())
}

#[test]
fn there_are_no_more_places_than_the_settings_say() {
    let live = live(2, 9);
    let first = live.enter(None).unwrap();
    let _second = live.enter(at("10.0.0.1")).unwrap();
    assert_eq!(live.enter(None).unwrap_err(), NoPlace::InAll);
    drop(first);
    live.enter(None).unwrap();
}

#[test]
fn no_client_has_more_places_than_one_may_have() {
    let live = live(100, 2);
    let first = live.enter(at("10.0.0.1")).unwrap();
    let _second = live.enter(at("::ffff:10.0.0.1")).unwrap();
    assert_eq!(live.enter(at("10.0.0.1")).unwrap_err(), NoPlace::ForClient);
    let _other = live.enter(at("10.0.0.2")).unwrap();
    drop(first);
    let _again = live.enter(at("10.0.0.1")).unwrap();

    // Of one network of IPv6, whose addresses one subscriber has all.
    let _one = live.enter(at("2001:db8::1")).unwrap();
    let _other = live.enter(at("2001:db8::ffff:2")).unwrap();
    assert_eq!(
        live.enter(at("2001:db8::3")).unwrap_err(),
        NoPlace::ForClient
    );
    live.enter(at("2001:db8:0:1::1")).unwrap();
}

#[test]
fn a_quarter_of_the_descriptors_is_the_most() {
    assert_eq!(fitting(10_000, Some(1024)), 256);
    assert_eq!(fitting(100, Some(1024)), 100);
    assert_eq!(fitting(10_000, None), 10_000);
    assert_eq!(fitting(10_000, Some(3)), 0);
}

/// The snapshot of a number, of which nothing else matters here.
fn snapshot(number: u64) -> Snapshot {
    let store = StoreStatus::unread("memory:");
    let (rules, document) = (Arc::new(Rules::default()), Document::default());
    let at = Timestamp::UNIX_EPOCH;
    Snapshot::new(number, rules, Vec::new(), None, &document, store, at)
}

/// What was in force while the node was cut off has a number above all others.
#[test]
fn a_document_is_made_once_for_all_connections_after_a_cut_off_too() {
    let live = live(2, 2);
    for number in [1, 1 | CUT_OFF, 2, 3, 3 | CUT_OFF, 3, 4] {
        let snapshot = snapshot(number);
        let mut made = 0;
        for _ in 0..3 {
            let document = live.document(&snapshot, &Visibility::default(), || {
                made += 1;
                number.to_string().into()
            });
            assert_eq!(document, number.to_string());
        }
        assert_eq!(made, 1, "{number}");
    }
}
