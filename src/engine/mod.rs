//! What runs behind the handle: the driver, leases, nodes, changes. No actix.

pub(crate) mod amend;
pub(crate) mod barrier;
pub(crate) mod change_error;
pub(crate) mod changes;
pub(crate) mod driver;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod fleet;
pub(crate) mod follow_files;
pub(crate) mod freshness;
pub(crate) mod guard;
pub(crate) mod handle;
pub(crate) mod holding;
pub(crate) mod hooks;
pub(crate) mod inside;
pub(crate) mod leases;
pub(crate) mod local_copy;
pub(crate) mod lock;
pub(crate) mod node;
pub(crate) mod patience;
pub(crate) mod pauses;
pub(crate) mod setters;
pub(crate) mod shared;
pub(crate) mod task;
pub(crate) mod web_server_files;
pub(crate) mod windows;
