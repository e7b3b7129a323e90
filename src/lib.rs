//! Maintenance mode for Actix Web.
#![forbid(unsafe_code)]

mod address;
mod admin;
mod body;
mod builder;
mod change;
mod decide;
mod driver;
mod exempt;
mod identity;
mod maintenance;
mod middleware;
mod negotiate;
mod order;
mod phase;
mod request;
mod response;
#[allow(
    dead_code,
    unused_imports,
    reason = "the state does not plan with it yet"
)]
mod schedule;
pub mod settings;
mod shared;
mod snapshot;
mod state;
pub mod store;
mod template;
mod worker;

pub use self::{
    body::MaintenanceBody,
    builder::{BuildError, Builder},
    change::{Change, ChangeError, ChangeFuture, Changes, TurnOff, TurnOn},
    decide::Rule,
    identity::Visitor,
    maintenance::Maintenance,
    middleware::{
        ForcedOn, ForcedOnService, MaintenanceFuture, MaintenanceMiddleware, MaintenanceService,
    },
    negotiate::ResponseFormat,
    phase::Phase,
    response::{Refusal, RefusalMarker},
    settings::Settings,
    snapshot::{ModeStatus, Status, StoreStatus},
    template::{FlagDetails, MaintenanceFlag, MissingHandle},
};
