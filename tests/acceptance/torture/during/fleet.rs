//! The nodes of a lane, which come back after they were killed.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::prober::{Met, PAGE, Visitors};
use crate::{
    arguments::Policy,
    failure::{Failure, because},
    node::{Habits, Node, Start, visit},
    way::{State, Way},
};

/// How long an answer may take to whoever asks at once.
const ANSWER: Duration = Duration::from_secs(2);

/// A node, and its way to the store: both keep their names when its process is another.
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    store: String,
    policy: Policy,
    way: Option<Way>,
    node: Option<(Node, Visitors)>,
    starting: Option<JoinHandle<Result<Node, Failure>>>,
    /// How much of its log belongs to rounds before this one.
    logged: usize,
}

impl Member {
    pub(crate) fn new(name: String, store: String, policy: Policy, way: Option<Way>) -> Self {
        Self {
            name,
            store,
            policy,
            way,
            node: None,
            starting: None,
            logged: 0,
        }
    }

    /// Starts it behind what the lane does else: it may wait for its store.
    pub(crate) fn start(&mut self, folder: &Path) {
        if self.node.is_some() || self.starting.is_some() {
            return;
        }
        let (name, store, policy) = (self.name.clone(), self.store.clone(), self.policy);
        let folder = folder.to_owned();
        self.starting = Some(spawn_blocking(move || {
            Node::start(Start {
                name,
                folder: &folder,
                store,
                way: None,
                policy,
                habits: Habits::default(),
                visitors: 0,
            })
        }));
    }

    /// Takes over what was started. Says whether that has changed who there is.
    pub(crate) async fn look(&mut self, met: &Met) -> Result<bool, Failure> {
        let Some(starting) = self.starting.take_if(|starting| starting.is_finished()) else {
            return Ok(false);
        };
        let node = starting.await.map_err(because("cannot start a node"))??;
        let visitors = Visitors::of(&self.name, node.address, met);
        self.node = Some((node, visitors));
        Ok(true)
    }

    pub(crate) fn kill(&mut self) {
        if let Some((mut node, _)) = self.node.take() {
            node.kill();
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some((node, _)) = &mut self.node {
            node.stop();
        }
    }

    pub(crate) fn go_on(&mut self) {
        if let Some((node, _)) = &mut self.node {
            node.go_on();
        }
    }

    pub(crate) fn way_is(&self, state: State) {
        if let Some(way) = &self.way {
            way.is(state);
        }
    }

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.node.as_ref().map(|(node, _)| node.address)
    }

    /// Whether it lets a visitor in now.
    pub(crate) async fn is_open(&self) -> bool {
        let Some(address) = self.address() else {
            return false;
        };
        matches!(timeout(ANSWER, visit(address, PAGE)).await, Ok(Ok(200)))
    }

    /// What it has logged in this round.
    pub(crate) fn log(&self, folder: &Path) -> String {
        // Nothing, where it cannot be read.
        let log = fs::read(Node::log(folder, &self.name)).unwrap_or_default();
        let of_round = log.get(self.logged..).unwrap_or_default();
        String::from_utf8_lossy(of_round).into_owned()
    }

    /// A round begins.
    pub(crate) fn forget_log(&mut self, folder: &Path) {
        let length = fs::metadata(Node::log(folder, &self.name)).map_or(0, |log| log.len());
        self.logged = usize::try_from(length).unwrap_or(usize::MAX);
    }
}
