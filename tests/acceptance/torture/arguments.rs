//! The command line.

use std::{path::PathBuf, time::Duration};

use actix_maintenance_mode::{Settings, settings::WhenCutOff};
use clap::{Parser, ValueEnum};

/// How long a node lives in its store without being heard of: the shortest that settings take.
const TIME_TO_LIVE: Duration = Duration::from_secs(1);

/// Where the state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// A file on this machine; with root's rights on a small disk of its own, which fills up
    File,
    /// A redis-server of its own for each lane, with a way to it that fails for each node
    Redis,
}

/// What the rounds are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubjectKind {
    /// Whoever waits for maintenance: it is not called safe while somebody is served
    Barrier,
    /// A job that holds the site: it stays closed while the job lives, and no death goes untold
    During,
}

/// How a job reaches the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// By its store
    Store,
    /// By the API of its nodes, behind a load balancer
    Http,
}

/// What follows the death of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IfLost {
    /// The site stays closed until the announced end, or until somebody opens it
    Stay,
    /// The site opens
    Reopen,
}

/// What a node does that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// `when_cut_off = "close"`: never may somebody be inside who was said not to be
    Close,
    /// `when_cut_off = "keep-last"`: only by a node that the answer names
    KeepLast,
}

/// Play rounds of what may go wrong while somebody waits for maintenance
///
/// Several real processes serve requests all the time and share a store. In each round somebody
/// switches the site off and waits until it is safe, by the Rust API or by the program, while random
/// things go wrong: nodes are killed, stopped, started and ended, ways to the store are cut, slow or
/// swallow everything, the store hangs, restarts, forgets, has old data or no room, clocks are wrong.
/// When it is said to be safe, every node is asked at once, stopped ones go on, and nobody may be
/// inside or let in.
///
/// Rounds that end without that word are counted, too: it need not be safe, and nobody was told so.
///
/// With `--subject during` somebody runs `maintenance during` in each round, and the holder, the nodes or
/// the store are killed, stopped or cut off. Visitors come all the time: nobody may be let in while the
/// holder lives, is not stopped for longer than its lease, and its command runs. When it has died, the
/// site opens or the loss is told, as `--if-lost` says.
///
/// Ctrl-C ends it with the table of what was played.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "torture",
    after_help = "\
Exit: 0 all went well; 1 somebody was inside who should not have been, or a death was not told, or a node did not come back.

Examples:
  cargo run -p acceptance --bin torture -- --rounds 10000 --store redis --policy close
  cargo run -p acceptance --bin torture -- --rounds 10000 --subject during --transport http"
)]
pub(crate) struct Arguments {
    /// How many rounds
    #[arg(long, default_value_t = 100)]
    pub(crate) rounds: u64,
    /// End after so many minutes, whatever was played
    #[arg(long, value_name = "NUMBER")]
    pub(crate) minutes: Option<u64>,
    /// What the rounds are about
    #[arg(long, value_enum, default_value_t = SubjectKind::Barrier)]
    pub(crate) subject: SubjectKind,
    /// How the job reaches the site, of the subject `during`
    #[arg(long, value_enum, default_value_t = Transport::Store)]
    pub(crate) transport: Transport,
    /// What follows the death of the job, of the subject `during`
    #[arg(long, value_enum, default_value_t = IfLost::Stay)]
    pub(crate) if_lost: IfLost,
    /// Where the state is kept
    #[arg(long, value_enum, default_value_t = StoreKind::Redis)]
    pub(crate) store: StoreKind,
    /// What a node does that is cut off
    #[arg(long, value_enum, default_value_t = Policy::Close)]
    pub(crate) policy: Policy,
    /// What the rounds are drawn by: the same number draws the same things [default: random]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// How many fleets play beside each other, each with a store of its own
    #[arg(long, default_value_t = 4)]
    pub(crate) lanes: u64,
    /// How many nodes a fleet has, about
    #[arg(long, default_value_t = 3)]
    pub(crate) nodes: usize,
    /// Tell of each round
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Where to keep logs and stores of rounds that went wrong [default: none]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
}

impl Policy {
    pub(crate) fn settings(self) -> Settings {
        let mut settings = Settings::default();
        settings.when_cut_off = match self {
            Self::Close => WhenCutOff::Close,
            Self::KeepLast => WhenCutOff::KeepLast,
        };
        settings.node.time_to_live = TIME_TO_LIVE;
        settings
    }
}

/// The name of a value as it is given.
pub(crate) fn word(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
