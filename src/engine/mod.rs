//! What runs behind the handle: the driver, leases, nodes, changes. No actix.

pub(crate) mod barrier;
pub(crate) mod changes;
pub(crate) mod driver;
pub(crate) mod fleet;
pub(crate) mod guard;
pub(crate) mod hooks;
pub(crate) mod inside;
pub(crate) mod knowledge;
pub(crate) mod leases;
pub(crate) mod lock;
pub(crate) mod node;
pub(crate) mod shared;
pub(crate) mod task;
pub(crate) mod told_once;
pub(crate) mod windows;
