//! What the driver and the node are to do, by the settings.

use std::{process, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest as _, Sha256};

use super::rules::fault;
use crate::{
    clock::chance,
    core::text::hexadecimal,
    engine::{driver::Plan, fleet::report::NodeIdentity, node::own_node::NodePlan},
    settings::{AuditSettings, NodeSettings, Settings, SettingsError, WebServerSettings},
    web::mode::{self, ConfiguredMode},
};

pub(super) fn plan(settings: &Settings, modes: &[ConfiguredMode]) -> Result<Plan, SettingsError> {
    Ok(Plan {
        forced: settings.forced,
        when_store_fails: settings.when_store_fails,
        when_cut_off: settings.when_cut_off,
        when_unknown_at_start: settings.when_unknown_at_start,
        is_tool: false,
        time_zone: settings
            .time_zone
            .as_deref()
            .map(|name| TimeZone::get(name).map_err(|error| fault("time_zone", name, error)))
            .transpose()?,
        modes: modes
            .iter()
            .map(|mode| Arc::new(mode::mode(&mode.settings, &mode.closures)))
            .collect(),
    })
}

pub(super) fn node_plan(settings: &Settings) -> NodePlan {
    let salt = chance::name(6);
    NodePlan {
        identity: NodeIdentity::new(
            settings.node.id.as_deref(),
            &crate::engine::node::host::name(),
            process::id(),
            // The time of the machine: it is to tell people since when the process runs.
            Timestamp::now(),
            &salt,
        ),
        time_to_live: settings.node.time_to_live,
        when_cut_off: settings.when_cut_off,
        forced: settings.forced,
        settings: mark_of(settings),
    }
}

/// Differs where the settings differ that all nodes of a fleet should have alike: not the names of
/// nodes, and not where each keeps its files.
pub(super) fn mark_of(settings: &Settings) -> String {
    let mut alike = settings.clone();
    alike.store.clear();
    alike.node = NodeSettings::default();
    alike.web_server = WebServerSettings::default();
    alike.audit = AuditSettings::default();
    alike.admin.static_dir = None;
    alike.response.templates_dir = None;
    alike.language.folder = None;
    // What is shown of settings has no secrets in it.
    hexadecimal(&Sha256::digest(format!("{alike:?}"))[..8])
}
