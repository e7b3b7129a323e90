//! All that users and programs are shown.

use serde::{Deserialize, Serialize};

use crate::core::{
    access::Forced,
    status::{
        AuditStatus, NodeStatus, NoticeTargetStatus, RunningTask, SessionInside, UnheardNode,
        WebServerStatus,
        modes::{ModeStatus, UnknownMode},
        store::StoreStatus,
    },
};

/// What is, mode by mode: the document of `/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// Whether a mode is pending or offline.
    pub maintenance_mode: bool,
    /// The number of the stored state, one more at each change.
    pub generation: u64,
    /// What the settings force, whatever is stored.
    pub forced: Option<Forced>,
    /// The key of the mode that is meant where none is named. `None`: whoever is told may not see it.
    #[serde(default)]
    pub default_mode: Option<String>,
    /// The zone of times that are given without one: the setting `time_zone`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Every mode, in the order in which they answer.
    pub modes: Vec<ModeStatus>,
    /// The modes that are stored and that the settings do not have: left by a former version, or of
    /// another app that uses the store. They are kept, and refuse nobody.
    pub unknown_modes: Vec<UnknownMode>,
    /// Whether anybody acts on it: this process wraps the middleware, or a node that does reports.
    pub enforced: bool,
    /// How many requests the nodes are serving together that end by themselves. `None`: no node is
    /// known, or one of them does not tell.
    pub in_flight: Option<u64>,
    /// How many upgraded connections and responses without an end they are serving together.
    pub endless: Option<u64>,
    /// How many requests wait outside of them for a mode to open, together.
    #[serde(default)]
    pub parked: Option<u64>,
    /// How many visitors are inside of them. Whoever is inside of several counts once while a mode
    /// is closing, and once for each else.
    pub sessions: Option<u64>,
    /// The visitors who are inside, the longest unseen first: as far as this process has seen
    /// them, and while a mode is closing, as far as any node has.
    pub visitors: Vec<SessionInside>,
    /// The nodes that were live when the store was last asked, stragglers first.
    /// [`ask_status`](crate::Maintenance::ask_status) asks it now.
    pub nodes: Vec<NodeStatus>,
    /// The nodes that do not report any more and have not said that they leave.
    pub unheard: Vec<UnheardNode>,
    /// The tasks that were running when the store was last asked.
    pub tasks: Vec<RunningTask>,
    /// Whether the store answers.
    pub store: StoreStatus,
    /// The files for a web server in front of the app; `None`: the settings name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_server: Option<WebServerStatus>,
    /// Whom changes are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeTargetStatus>,
    /// The file of the audit; `None`: the settings name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditStatus>,
}

impl Status {
    /// The mode with this key.
    pub fn mode(&self, key: &str) -> Option<&ModeStatus> {
        self.modes.iter().find(|mode| mode.key == key)
    }
}
