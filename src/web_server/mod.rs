//! A web server in front of the app: a flag that it can look for, a page that it can send, and the
//! rules that make it do so.
//!
//! The flag and the page are files, named by the settings `web_server.flag` and `web_server.page`.
//! The flag exists exactly while the mode `site` is offline, and not yet while it is closing. Every
//! process that knows the settings sees to both files: the app, and the command-line program where
//! no app runs.
//!
//! [`export`] writes the rules for nginx, Apache, Caddy or HAProxy. They answer with the page while
//! the flag exists, and when the app is down.
//!
//! ```
//! use actix_maintenance_mode::{
//!     Settings,
//!     web_server::{self, WebServer},
//! };
//!
//! let mut settings = Settings::default();
//! settings.web_server.flag = Some("/var/lib/shop/maintenance.flag".into());
//! settings.web_server.page = Some("/var/lib/shop/maintenance.html".into());
//! settings.exempt.addresses = vec!["192.0.2.0/24".to_owned()];
//! let rules = web_server::export(WebServer::Nginx, &settings, "127.0.0.1:8080")?;
//! assert!(rules.contains(r#"if (-f "/var/lib/shop/maintenance.flag")"#));
//! # Ok::<(), web_server::ExportError>(())
//! ```

mod export;

pub use self::export::{ExportError, WebServer, export};
pub use crate::core::status::WebServerStatus;
