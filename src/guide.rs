//! The guide: how to do what, with examples that are compiled and run as tests.
//!
//! - [A first app](first_app): what to add, in which order, who is a superuser, tests
//! - [Switching it on and off](switching): in the browser, in a shell, in code; hooks
//! - [Planned windows](windows): once, in a time zone, again and again
//! - [Several modes, and read-only](modes): a part of the site; reading goes on
//! - [Draining and deploying](draining): nobody is thrown out; jobs, tasks, pipelines
//! - [Who gets in](who_gets_in): superusers, networks, tokens, routes, proxies
//! - [Let somebody look in](let_somebody_look_in): by a link, a token or a network, for a while
//! - [Open gently](open_gently): visitors are let in again share by share
//! - [Short work without errors](short_work_without_errors): visitors wait for some seconds instead of being refused
//! - [Pages and languages](pages): what visitors are shown
//! - [Templates of the app](templates): a banner for those who get through
//! - [The admin scope and its API](admin): permissions, JSON, why a request is refused
//! - [The program `maintenance`](program): commands and exit codes
//! - [Operations](operations): for whoever runs a site, in the order of urgency
//! - [Tell people](telling_people): a chat, a calendar
//! - [Tell systems](telling_systems): silences of Alertmanager, alert rules, webhooks
//! - [Monitors, logs and metrics](observing): probes, events, figures, alerts
//! - [Where the state is kept](stores): a file, Postgres, Redis, a bucket
//! - [More than one machine](fleets): one switch for all
//! - [Settings](settings): all keys and their defaults
//! - Coming from [django-maintenance-mode](from_django_maintenance_mode),
//!   [wagtail-maintenance](from_wagtail_maintenance), [django-downtime](from_django_downtime) or
//!   [django-site-maintenance](from_django_site_maintenance)

// Nobody needs these modules in a program: they are compiled for the docs and their tests.

/// A page of `docs/guide/`. Its links are given by reference, and in Markdown the first definition of
/// a reference counts: in these docs they lead to the module of the page, in the files to the file.
macro_rules! page {
    ($name:ident, $file:literal) => {
        #[doc = "[admin.md#why-is-this-request-refused]: crate::guide::admin#why-is-this-request-refused"]
        #[doc = "[admin.md]: crate::guide::admin"]
        #[doc = "[draining.md#a-task-that-maintenance-waits-for]: crate::guide::draining#a-task-that-maintenance-waits-for"]
        #[doc = "[first-app.md#the-order-of-middlewares]: crate::guide::first_app#the-order-of-middlewares"]
        #[doc = "[let-somebody-look-in.md]: crate::guide::let_somebody_look_in"]
        #[doc = "[open-gently.md]: crate::guide::open_gently"]
        #[doc = "[operations.md#is-all-in-order]: crate::guide::operations#is-all-in-order"]
        #[doc = "[operations.md#a-job-that-holds-the-site]: crate::guide::operations#a-job-that-holds-the-site"]
        #[doc = "[operations.md#who-did-it]: crate::guide::operations#who-did-it"]
        #[doc = "[telling-systems.md]: crate::guide::telling_systems"]
        #[doc = "[operations.md]: crate::guide::operations"]
        #[doc = "[pages.md#scripts-of-other-origins]: crate::guide::pages#scripts-of-other-origins"]
        #[doc = "[pages.md]: crate::guide::pages"]
        #[doc = "[program.md#from-anywhere]: crate::guide::program#from-anywhere"]
        #[doc = "[program.md]: crate::guide::program"]
        #[doc = "[settings.md]: crate::guide::settings"]
        #[doc = "[short-work-without-errors.md]: crate::guide::short_work_without_errors"]
        #[doc = "[templates.md]: crate::guide::templates"]
        #[doc = "[windows.md#for-everybody-to-see]: crate::guide::windows#for-everybody-to-see"]
        #[doc = "[who-gets-in.md#visitors-are-known-by-a-token]: crate::guide::who_gets_in#visitors-are-known-by-a-token"]
        #[doc = concat!("[benches/README.md]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/benches/README.md#cold-caches")]
        #[doc = concat!("[benches/README.md#requests-that-wait]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/benches/README.md#requests-that-wait")]
        #[doc = concat!("[docs/barrier.md]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/barrier.md")]
        #[doc = concat!("[docs/security.md]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/security.md")]
        #[doc = concat!("[languages/en.toml]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/languages/en.toml")]
        #[doc = ""]
        #[doc = include_str!(concat!("../docs/guide/", $file))]
        pub mod $name {}
    };
}

page!(first_app, "first-app.md");
page!(switching, "switching.md");
page!(windows, "windows.md");
page!(modes, "modes.md");
page!(draining, "draining.md");
page!(who_gets_in, "who-gets-in.md");
page!(let_somebody_look_in, "let-somebody-look-in.md");
page!(open_gently, "open-gently.md");
page!(short_work_without_errors, "short-work-without-errors.md");
page!(pages, "pages.md");
page!(templates, "templates.md");
page!(admin, "admin.md");
page!(program, "program.md");
page!(operations, "operations.md");
page!(telling_people, "telling-people.md");
page!(telling_systems, "telling-systems.md");
page!(observing, "observing.md");
page!(stores, "stores.md");
page!(fleets, "fleets.md");
page!(settings, "settings.md");
page!(
    from_django_maintenance_mode,
    "from-django-maintenance-mode.md"
);
page!(from_wagtail_maintenance, "from-wagtail-maintenance.md");
page!(from_django_downtime, "from-django-downtime.md");
page!(
    from_django_site_maintenance,
    "from-django-site-maintenance.md"
);
