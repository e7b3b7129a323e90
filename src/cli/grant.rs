//! `maintenance grant`.

use std::time::Duration;

use clap::{ArgAction, Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::{
    context::Context,
    failure::Failure,
    site::GrantWishes,
    table::table,
    wording::{self, line},
};
use crate::core::{schedule::parse_duration, state::GrantKind, status::grants::GrantStatus};

/// Say who may look in although a mode is closed
#[derive(Debug, Subcommand)]
pub(super) enum GrantCommand {
    Add(Add),
    #[command(alias = "ls")]
    List(List),
    #[command(alias = "rm")]
    Revoke(Revoke),
}

/// Let one person, program or network look in
#[derive(Debug, Args)]
#[command(after_help = "\
A browser remembers the link. A token is sent in the header
X-Maintenance-Grant. Either is shown once.

Examples:
  maintenance grant add auditor --for 2h
  maintenance grant add probe --token --prefix /api")]
pub(super) struct Add {
    /// What it is called
    name: String,
    /// By a link; so unless something else is said
    #[arg(long, conflicts_with_all = ["token", "address"])]
    link: bool,
    /// By a token for a program
    #[arg(long, conflicts_with = "address")]
    token: bool,
    /// By the network that somebody comes from
    #[arg(long, value_name = "CIDR")]
    address: Option<String>,
    /// For this mode; again for more [default: all]
    // As the option of every command, which this one may have several times.
    #[arg(long, value_name = "KEY", action = ArgAction::Append)]
    mode: Vec<String>,
    /// For these paths; again for more [default: all]
    #[arg(long, value_name = "PREFIX", action = ArgAction::Append)]
    prefix: Vec<String>,
    /// How long it lasts
    #[arg(
        id = "lasting",
        long = "for",
        value_name = "DURATION",
        value_parser = parse_duration,
        conflicts_with = "until"
    )]
    lasting: Option<Duration>,
    /// When it ends [default: when it is revoked]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Show who may look in, and how often they have
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  maintenance grant list
  maintenance --json grant list")]
pub(super) struct List {}

/// Let somebody look in no longer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  maintenance grant revoke auditor")]
pub(super) struct Revoke {
    /// What it is called, as `maintenance grant list` shows it
    name: String,
}

impl GrantCommand {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(_) => list(context).await,
            Self::Revoke(revoke) => revoke.run(context).await,
        }
    }
}

impl Add {
    fn kind(&self) -> GrantKind {
        match (self.token, &self.address) {
            (_, Some(_)) => GrantKind::Address,
            (true, None) => GrantKind::Token,
            (false, None) => GrantKind::Link,
        }
    }

    async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        let until = self.until.as_deref();
        let until = until.map(|until| context.time("--until", until));
        for mode in &self.mode {
            context.site.find_mode(mode)?;
        }
        let wishes = GrantWishes {
            kind: self.kind(),
            by: context.by.clone(),
            until: until.transpose()?,
            name: self.name,
            address: self.address,
            modes: self.mode,
            prefixes: self.prefix,
            lasting: self.lasting,
        };
        let made = context.site.grant(&wishes).await?;
        let document = json!({
            "name": made.name, "kind": made.kind, "until": made.until,
            "secret": made.secret, "link": made.link,
        });
        context.output.say(&document, || {
            let until = match made.until {
                Some(until) => {
                    let until = wording::time_from_now(until, context.now(), &context.zone);
                    format!("until {until}")
                }
                None => "until it is revoked".to_owned(),
            };
            let name = line(&made.name);
            match (&made.link, &made.secret) {
                (Some(link), _) => format!("{link}\nlets {name} look in {until}"),
                (None, Some(token)) => {
                    format!("X-Maintenance-Grant: {token}\nlets {name} look in {until}")
                }
                (None, None) => format!("{name} may look in {until}"),
            }
        });
        if made.link.as_ref().is_some_and(|link| link.starts_with('/')) {
            context
                .output
                .note("the link begins with the address of the site");
        }
        Ok(0)
    }
}

async fn list(context: &Context<'_>) -> Result<u8, Failure> {
    let grants = context.site.grants().await?;
    context.output.say(&json!({ "grants": grants }), || {
        if grants.is_empty() {
            return "Nobody has a grant.".to_owned();
        }
        let heads = ["name", "kind", "for", "until", "used", "last", "by"];
        let rows: Vec<Vec<String>> = grants.iter().map(|grant| row(context, grant)).collect();
        table(&heads, &rows)
    });
    Ok(0)
}

fn row(context: &Context<'_>, grant: &GrantStatus) -> Vec<String> {
    let time = |time: Timestamp| wording::time(time, &context.zone);
    let mut scope: Vec<String> = Vec::new();
    if !grant.modes.is_empty() {
        scope.push(line(&grant.modes.join(", ")));
    }
    if !grant.prefixes.is_empty() {
        scope.push(line(&grant.prefixes.join(", ")));
    }
    let kind = match &grant.address {
        Some(network) => format!("{} {}", grant.kind.as_str(), line(network)),
        None => grant.kind.as_str().to_owned(),
    };
    let until = match (grant.with_switch, grant.until) {
        (true, _) => "off".to_owned(),
        (false, until) => until.map(time).unwrap_or_default(),
    };
    vec![
        line(&grant.name),
        kind,
        scope.join(" "),
        until,
        grant.uses.to_string(),
        grant.last_used.map(time).unwrap_or_default(),
        grant.by.as_deref().map(line).unwrap_or_default(),
    ]
}

impl Revoke {
    async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        context.site.revoke_grant(&self.name, &context.by).await?;
        let document = json!({ "changed": true, "name": self.name });
        context.output.say(&document, || {
            format!("{} may not look in any more", line(&self.name))
        });
        Ok(0)
    }
}
