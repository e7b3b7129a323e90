//! What the names of leases begin with, by what holds them.

/// What the names of the leases of all nodes begin with.
pub(crate) const NODES: &str = "node/";
/// What the names of leases of tasks begin with.
pub(crate) const TASKS: &str = "task/";
/// What the names of leases of those begin with who hold the switch of a mode; their token follows.
pub(crate) const HELD: &str = "held/";
/// What the names of leases of locks begin with; the mode's key follows.
pub(crate) const LOCKS: &str = "lock/";
