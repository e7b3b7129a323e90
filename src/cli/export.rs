//! `maintenance export` and `maintenance render`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{context::Context, failure::Failure, options::word};
use crate::{
    core::words::Words,
    engine::web_server_files::replace,
    web_server::{WebServer, export},
};

/// Print the rules for a web server in front of the app
#[derive(Debug, Args)]
#[command(after_help = "\
The settings `web_server.flag` and `web_server.page` name
the files that the rules look for. Exempt paths and
addresses are carried over. For `postgres` it is the table
of a store there.

Examples:
  maintenance export nginx > /etc/nginx/maintenance.conf
  maintenance export haproxy --app 127.0.0.1:9000
  maintenance export postgres | psql shop")]
pub(super) struct Export {
    /// nginx, apache, caddy, haproxy or postgres
    #[arg(value_name = "SERVER", value_parser = word::<Exported>(), hide_possible_values = true)]
    server: Exported,
    /// Where it finds the app
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    app: String,
}

/// For what something is printed.
#[derive(Debug, Clone, Copy)]
enum Exported {
    WebServer(WebServer),
    /// The store in Postgres, which is no web server.
    Postgres,
}

impl Words for Exported {
    const ALL: &'static [Self] = &[
        Self::WebServer(WebServer::Nginx),
        Self::WebServer(WebServer::Apache),
        Self::WebServer(WebServer::Caddy),
        Self::WebServer(WebServer::HaProxy),
        Self::Postgres,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::WebServer(server) => server.as_str(),
            Self::Postgres => "postgres",
        }
    }
}

/// What a store in Postgres makes itself where it may, and what a user needs that may not.
fn table() -> String {
    format!(
        "{};\n-- For each user of the store:\n-- GRANT SELECT, INSERT, UPDATE, DELETE ON maintenance TO …;\n",
        include_str!("../store/postgres/table.sql").trim_end()
    )
}

impl Export {
    pub(super) fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let Exported::WebServer(server) = self.server else {
            let table = table();
            let document = json!({"server": self.server.word(), "sql": table});
            context.output.hand_out(&document, &table);
            return Ok(0);
        };
        let site = context.site.by_store()?;
        let rules = export(server, &site.settings, &self.app)
            .map_err(|error| Failure::failed(error.to_string()))?;
        let document = json!({"server": server.as_str(), "rules": rules});
        context.output.hand_out(&document, &rules);
        Ok(0)
    }
}

/// Print the page that visitors get
#[derive(Debug, Args)]
#[command(after_help = "\
It is the page as it is now: with the message and the end of
the maintenance. The app keeps the file that
`web_server.page` names up to date by itself.

Examples:
  maintenance render > 503.html
  maintenance render --output /var/www/503.html")]
pub(super) struct Render {
    /// Write it to this file, as a whole
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Render {
    pub(super) fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let maintenance = &context.site.by_store()?.maintenance;
        if let Some(error) = &maintenance.front.page_fault {
            return Err(Failure::failed(error.clone()));
        }
        let page = maintenance.page();
        match &self.output {
            Some(path) => {
                replace(path, page.as_bytes()).map_err(Failure::failed)?;
                let document = json!({"output": path, "bytes": page.len()});
                context
                    .output
                    .say(&document, || format!("written: {}", path.display()));
            }
            None => context.output.hand_out(&json!({"page": page}), &page),
        }
        Ok(0)
    }
}
