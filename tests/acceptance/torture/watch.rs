//! Whether somebody was inside although it was said to be safe.

use std::{fmt::Write as _, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use crate::{
    failure::{Failure, because},
    marks::Step,
    node::{Node, visit},
};

/// How long is looked after the word, and after those who were stopped go on.
const WATCH: Duration = Duration::from_millis(120);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long an answer to whoever asks at once may take.
const ANSWER: Duration = Duration::from_millis(500);

/// What a node did after the word.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) node: String,
    pub(crate) steps: Vec<Step>,
}

impl Late {
    /// Whether all that it did was one step of a request that was inside before: the one that was
    /// under way when the process was stopped.
    pub(crate) fn is_one_step(&self) -> bool {
        matches!(self.steps[..], [step] if step.step > 0)
    }

    pub(crate) fn tell(&self, said_at: u64) -> String {
        let mut text = format!("{}:", self.node);
        for step in self.steps.iter().take(5) {
            // A string takes everything.
            let _ = write!(
                text,
                " request {} step {} after {} µs;",
                step.request,
                step.step,
                step.at.saturating_sub(said_at)
            );
        }
        text
    }
}

/// Asks every node at once whether it lets somebody in. The answers are in what they note.
pub(crate) async fn probe(nodes: &[Node]) {
    let mut asked = tokio::task::JoinSet::new();
    for node in nodes {
        let address = node.address;
        asked.spawn(async move {
            // One that is stopped or dead does not answer.
            let _ = timeout(ANSWER, visit(address, "/")).await;
        });
    }
    asked.join_all().await;
}

/// Forgets what was done up to now.
pub(crate) fn forget(nodes: &mut [Node]) -> Result<(), Failure> {
    for node in nodes {
        node.marks.new_steps().map_err(because("cannot read"))?;
    }
    Ok(())
}

/// Looks for what nodes do after the word was said, for a while. Adds to what was found.
pub(crate) async fn look(
    nodes: &mut [&mut Node],
    said_at: u64,
    found: &mut Vec<Late>,
) -> Result<(), Failure> {
    let begin = Instant::now();
    loop {
        let is_last = begin.elapsed() >= WATCH;
        for node in nodes.iter_mut() {
            let steps = node.marks.new_steps().map_err(because("cannot read"))?;
            let late: Vec<Step> = steps.into_iter().filter(|it| it.at > said_at).collect();
            if late.is_empty() {
                continue;
            }
            match found.iter_mut().find(|found| found.node == node.name) {
                Some(found) => found.steps.extend(late),
                None => found.push(Late {
                    node: node.name.clone(),
                    steps: late,
                }),
            }
        }
        if is_last {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}
