//! The nodes, what runs and who is in.

use serde::Serialize;

use super::{Reader, Shown};
use crate::core::status::{NodeStatus, Remark, UnheardNode};

#[derive(Debug, Serialize)]
pub(super) struct SessionShown {
    pub(super) id: String,
    pub(super) age: String,
}

#[derive(Debug, Serialize)]
pub(super) struct NodeShown {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) own: bool,
    pub(super) state: String,
    pub(super) in_flight: Option<u64>,
    pub(super) endless: Option<u64>,
    pub(super) parked: Option<u64>,
    pub(super) sessions: Option<u64>,
    pub(super) age: String,
}

#[derive(Debug, Serialize)]
pub(super) struct TaskShown {
    pub(super) name: String,
    pub(super) by: String,
    pub(super) since: Option<Shown>,
}

impl NodeShown {
    pub(super) fn new(node: &NodeStatus, reader: &Reader<'_>) -> Self {
        let applied = if node.up_to_date {
            "up_to_date"
        } else {
            "behind"
        };
        let mut state = reader.text(applied).to_owned();
        for remark in &node.remarks {
            state.push_str(", ");
            state.push_str(reader.text(match remark {
                Remark::ServesAlthoughOffline => "serves_although_offline",
                Remark::OtherVersion => "other_version",
                Remark::OtherSettings => "other_settings",
                Remark::ClockDiffers => "other_time",
            }));
        }
        Self {
            name: format!("{} ({})", node.host, node.pid),
            version: node.version.clone(),
            own: node.own,
            state,
            in_flight: Some(node.in_flight),
            endless: Some(node.endless),
            parked: Some(node.parked),
            sessions: Some(node.sessions),
            age: reader.ago(node.age),
        }
    }
}

impl NodeShown {
    /// One of which nobody knows more than that it was there.
    pub(super) fn unheard(node: &UnheardNode, reader: &Reader<'_>) -> Self {
        Self {
            name: node.id.clone(),
            version: String::new(),
            own: false,
            state: reader.text("unheard").to_owned(),
            in_flight: None,
            endless: None,
            parked: None,
            sessions: None,
            age: reader.ago(node.age),
        }
    }
}
