//! `maintenance explain`.

use std::net::IpAddr;

use clap::Args;

use super::{context::Context, failure::Failure, site::Question, wording::line};
use crate::web::explain::{Inquiry, Role};

/// Tell what would become of a request now, and by which rule
#[derive(Debug, Args)]
#[command(after_help = "\
ROLE is anonymous, authenticated, staff or superuser. What
only the running app knows, such as the names of its routes,
is listed; its /explain knows that, too.

Examples:
  maintenance explain GET /shop/1
  maintenance explain POST /api/items --role staff")]
pub(super) struct Explain {
    /// The method, such as GET
    method: String,
    /// The path, or a whole address
    path: String,
    /// The client's address
    #[arg(long)]
    address: Option<IpAddr>,
    /// Who is asking [default: anonymous]
    #[arg(long)]
    role: Option<Role>,
    /// The host that is asked for
    #[arg(long)]
    host: Option<String>,
}

impl Explain {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let mut inquiry = Inquiry::new(&self.method, &self.path)
            .map_err(|error| Failure::usage(error.to_string()))?;
        if let Some(address) = self.address {
            inquiry = inquiry.address(address);
        }
        if let Some(role) = self.role {
            inquiry = inquiry.role(role);
        }
        if let Some(host) = &self.host {
            inquiry = inquiry.host(host);
        }
        let question = Question {
            method: self.method,
            path: self.path,
            address: self.address,
            role: self.role,
            host: self.host,
            inquiry,
        };
        let store = context.site.status().store;
        if let Some(error) = store.error {
            context.output.warn(&format!(
                "the store is out of reach, so this is as `when_store_fails` has it: {error}"
            ));
        }
        let explanation = context.site.explain(&question).await?;
        context.output.say(&explanation, || {
            let mut lines = vec![
                format!("{}: {}", explanation.outcome, explanation.rule),
                line(&explanation.why),
            ];
            if explanation.logout {
                lines.push("The visitor is logged out.".to_owned());
            }
            if !explanation.not_known.is_empty() {
                lines.push("Not known here:".to_owned());
                let unknown = explanation.not_known.iter();
                lines.extend(unknown.map(|unknown| format!("- {}", line(unknown))));
            }
            lines.join("\n")
        });
        Ok(0)
    }
}
