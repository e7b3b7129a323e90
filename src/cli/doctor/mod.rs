//! `maintenance doctor`.

mod checks;
mod finding;
mod nodes;

use clap::Args;
use console::Style;
use serde_json::json;

use self::{
    checks::{
        of_audit, of_clock, of_files, of_holders, of_modes, of_notices, of_pages, of_store,
        of_tokens,
    },
    finding::{Finding, Verdict},
    nodes::of_nodes,
};
use super::{
    context::Context,
    failure::{Exit, Failure},
    output::Output,
    wording::{count, line},
};
const REMEDY_OF_SITE: &str =
    "see that the site runs, and that the address is that of its admin scope";

/// Look whether all is in order, and say what to do
#[derive(Debug, Args)]
#[command(after_help = "\
Looks at the settings, the store, the clock, the nodes, the
jobs that hold modes, the files for a web server and the
tokens, and changes nothing.
Each is right, wrong or unknown; what is wrong comes with a
remedy. Exit code 1 if anything is wrong.

Examples:
  maintenance doctor
  maintenance --json doctor | jq .findings")]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) async fn run(
        self,
        connecting: impl Future<Output = Result<Context<'_>, Failure>>,
        source: Option<String>,
        output: &Output,
    ) -> Result<u8, Failure> {
        let is_near = source.is_some();
        let settings = match source {
            Some(source) => Finding::right("settings", source),
            None => Finding::unknown("settings", "those of the site are known to it alone"),
        };
        let findings = match connecting.await {
            Ok(context) => [vec![settings], of_all(&context).await].concat(),
            Err(failure) if !failure.faults.is_empty() => {
                let faults = failure.faults.iter();
                // Each says itself what would be right.
                let faults = faults.map(|fault| Finding::wrong("settings", fault.clone(), None));
                let unseen = Finding::unknown("store", "which one it is, the settings say");
                faults.chain([unseen]).collect()
            }
            Err(failure) if failure.exit == Exit::StoreOutOfReach => {
                let (check, remedy) = match is_near {
                    true => ("store", checks::REMEDY_OF_STORE),
                    false => ("site", REMEDY_OF_SITE),
                };
                vec![
                    settings,
                    Finding::wrong(check, failure.message, Some(remedy)),
                ]
            }
            Err(failure) => return Err(failure),
        };
        let of = |verdict| {
            findings
                .iter()
                .filter(move |found| found.verdict == verdict)
        };
        let wrong = of(Verdict::Wrong).count();
        let unknown = of(Verdict::Unknown).count();
        let document = json!({
            "healthy": wrong == 0,
            "wrong": wrong,
            "unknown": unknown,
            "findings": findings,
        });
        output.say(&document, || text(output, &findings, wrong, unknown));
        Ok(if wrong > 0 { Exit::Failed as u8 } else { 0 })
    }
}

/// What is found where the settings can be used.
async fn of_all(context: &Context<'_>) -> Vec<Finding> {
    let status = context.fresh_status().await;
    let now = context.now();
    let near = context.site.by_store().ok();
    let mut findings: Vec<Finding> = near.and_then(of_pages).into_iter().collect();
    findings.extend(of_store(context, near, &status).await);
    findings.push(of_clock(&status));
    findings.extend(of_nodes(&status));
    findings.push(of_modes(&status));
    findings.extend(of_holders(&status, now, &context.zone));
    match near {
        Some(site) => {
            findings.push(of_files(&status));
            findings.push(of_audit(&status));
            findings.push(of_notices(&status));
            findings.extend(of_tokens(&site.settings, now, &context.zone));
        }
        None => {
            let far = "they are on the site's machine and in its settings";
            findings.push(Finding::unknown("files", far));
            findings.push(Finding::unknown("tokens", far));
        }
    }
    findings
}

/// A line for each, and a remedy below where there is one.
fn text(output: &Output, findings: &[Finding], wrong: usize, unknown: usize) -> String {
    let mut lines = Vec::new();
    for found in findings {
        let style = match found.verdict {
            Verdict::Right => Style::new().green(),
            Verdict::Wrong => Style::new().red().bold(),
            Verdict::Unknown => Style::new().yellow(),
        };
        let verdict = format!("{:<8}", found.verdict.as_str());
        let verdict = output.colours.paint(&style, &verdict);
        lines.push(format!("{verdict} {}: {}", found.check, line(&found.says)));
        if let Some(remedy) = &found.remedy {
            lines.push(format!("         remedy: {}", line(remedy)));
        }
    }
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let wrong = count(number(wrong), "thing is wrong", "things are wrong");
    let unknown = count(number(unknown), "is unknown", "are unknown");
    lines.push(format!("{wrong}, {unknown}"));
    lines.join("\n")
}
