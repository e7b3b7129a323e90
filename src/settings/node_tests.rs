use std::time::Duration;

use super::*;
use crate::settings::{
    values::tests::{accepted, refused},
    *,
};

#[test]
fn the_id_of_a_node_is_plain_and_short() {
    accepted(node_id_fault, &["web-1", "A.b_c", &"x".repeat(64)]);
    let part = "give 1 to 64";
    refused(
        node_id_fault,
        &[
            ("", part),
            ("web 1", part),
            ("a/b", part),
            ("\u{fc}", part),
            (&"x".repeat(65), part),
        ],
    );
}

#[test]
fn a_node_lives_for_a_second_at_least() {
    let mut settings = Settings::default();
    settings.node.time_to_live = Duration::from_millis(999);
    let faults = settings.check().unwrap_err().to_string();
    assert!(faults.contains("node.time_to_live"), "{faults}");
    assert!(faults.contains("at least 1 second"), "{faults}");
}
