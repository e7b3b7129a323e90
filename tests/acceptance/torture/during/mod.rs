//! The subject `during`: a job holds the site while its command runs, and what may go wrong does.

pub(crate) use self::{lane::Lane, prober::PAGE};

mod account;
mod balancer;
mod fault;
mod fleet;
mod job;
mod lane;
mod prober;
mod suffering;
mod tally;
mod word;
