//! Maintenance mode for Actix Web: take a site out of service and bring it back, at once and without
//! a restart.
//!
//! An app gets one middleware and one scope, both made by one handle, [`Maintenance`]:
//!
//! ```
//! use actix_maintenance_mode::Maintenance;
//! use actix_web::{App, test, web};
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let maintenance = Maintenance::builder().store("memory:").build().await?;
//! let app = App::new()
//!     .service(maintenance.admin())
//!     .route("/", web::get().to(|| async { "Hello" }))
//!     .wrap(maintenance.middleware());
//! # let app = test::init_service(app).await;
//!
//! maintenance.turn_on().message("Back at noon.").await?;
//! let request = test::TestRequest::get().uri("/").to_request();
//! assert_eq!(test::call_service(&app, request).await.status(), 503);
//!
//! maintenance.turn_off().await?;
//! let request = test::TestRequest::get().uri("/").to_request();
//! assert_eq!(test::call_service(&app, request).await.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Builder`] sets it up; [`settings`] are what an operator can set in a file or by the
//!   environment, above all who gets through.
//! - [`MaintenanceMiddleware`] refuses visitors; it says in which order to wrap middlewares.
//! - [`Maintenance::admin`] is where superusers switch it in the browser, and
//!   [`Maintenance::turn_on`] and [`Maintenance::turn_off`] do it in code.
//! - [`Maintenance::plan_window`] plans it, and [`Maintenance::while_on`] holds it for as long as a
//!   job takes.
//! - [`Builder::mode`] sets up several kinds of maintenance, for a part of the site or with read-only
//!   access; [`Builder::permission`] says who may switch them, and [`Builder::before_change`] and its
//!   like are hooks.
//! - [`MaintenanceFlag`] tells the templates of those who get through.
//! - [`Maintenance::explain`] says what becomes of a request, and why.
//! - [`settings::AdminSettings`] gives programs tokens for the JSON API of the admin scope, and
//!   [`Maintenance::script_url`] is the script by which pages notice a change by themselves.
//! - [`observe`] has what operators watch: log events, metrics, health.
//! - [`RefusalMarker`] tells loggers and error reporters that a 503 was meant.
//! - [`store`] is where the state is kept: a file, memory, or what implements [`store::Store`].
//!
//! The program `maintenance` (feature `cli`) does it in a shell, for operators and deploy jobs.
//!
//! The [guide] has a recipe for each task, and `cargo run --example demo` shows it at work.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "cli", unix))]
pub mod cli;
mod clock;
mod core;
mod engine;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod settings;
pub mod store;
mod web;
pub mod web_server;

/// The door of the fuzz targets to what is not public. It is there for them alone.
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub use self::web::fuzzing;
pub use self::web::observe;
pub use self::{
    core::{
        phase::Phase,
        state::{Ended, GrantKind, IfLost, OnTimeout, Said},
        status::{
            AuditStatus, LockHolder, NodeStatus, NoticeTargetStatus, Remark, RunningTask,
            SessionInside, UnheardNode,
        },
        visitor::Visitor,
    },
    engine::{
        barrier::{TurnOnAndWait, WaitError, WaitUntilEmpty},
        changes::{Change, ChangeFuture, Changes, Forget, TurnOff, TurnOn},
        fleet::missing::{Missing, WhyMissing},
        grants::{AddGrant, Granted, GrantedFuture, RevokeGrant},
        guard::{Guard, Guarding},
        hooks::{ChangeKind, HookOutcome, ProposedChange, Transition},
        task::{Task, TaskError, TaskGuard},
        window_change::ChangeWindow,
        windows::{CancelWindow, PlanWindow, Planned, PlannedFuture},
    },
    settings::Settings,
    web::{
        explain::{Explanation, Inquiry, InquiryError, Outcome, Role, UnknownRole},
        maintenance::Maintenance,
        middleware::{
            ForcedOn, ForcedOnService, Joining, MaintenanceFuture, MaintenanceMiddleware,
            MaintenanceService, body::MaintenanceBody,
        },
        mode::ModeBuilder,
        permission::Permission,
        refusal::{
            described::{Refusal, RefusalMarker},
            negotiate::ResponseFormat,
        },
        setup::builder::{BuildError, Builder},
        template::{FlagDetails, MaintenanceFlag, MissingHandle},
    },
};
pub use crate::core::{
    rules::rule::Rule,
    status::{
        grants::{GrantStatus, GrantUse},
        modes::{HeldStatus, ModeStatus, OpeningStatus, UnknownMode},
        period::PastPeriod,
        store::StoreStatus,
        whole::Status,
        windows::{PlannedWindow, Repeats},
    },
};
pub use crate::engine::change_error::ChangeError;
pub use crate::web::menu::MenuItem;

/// The examples of the README, so that the tests compile and run them.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
