//! What the stores have in common that are servers: one connection for all requests, which is made anew
//! where it is lost, what a failure means, and hints with a slow poll behind them.

pub(super) mod connections;
pub(super) mod reason;
pub(super) mod watch;
