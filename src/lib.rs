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
mod guard;
mod identity;
mod in_flight;
mod maintenance;
mod middleware;
mod negotiate;
mod order;
mod phase;
mod request;
mod response;
mod session_notes;
mod sessions;
pub mod settings;
mod settle;
mod shared;
mod snapshot;
mod state;
pub mod store;
mod template;
mod window;
mod worker;

pub use self::{
    body::MaintenanceBody,
    builder::{BuildError, Builder},
    change::{Change, ChangeError, ChangeFuture, Changes, TurnOff, TurnOn},
    decide::Rule,
    guard::{Guard, Guarding},
    identity::Visitor,
    maintenance::Maintenance,
    middleware::{
        ForcedOn, ForcedOnService, MaintenanceFuture, MaintenanceMiddleware, MaintenanceService,
    },
    negotiate::ResponseFormat,
    phase::Phase,
    response::{Refusal, RefusalMarker},
    sessions::SessionInside,
    settings::Settings,
    snapshot::{ModeStatus, PastPeriod, PlannedWindow, Status, StoreStatus},
    state::{Ended, OnTimeout},
    template::{FlagDetails, MaintenanceFlag, MissingHandle},
    window::{CancelWindow, PlanWindow, Planned, PlannedFuture},
};
