//! The program `maintenance`, and its commands for an app's own command line (feature `cli`).
//!
//! The program uses the same settings and the same store as the app, whether the app runs or not:
//!
//! ```sh
//! cargo install actix-maintenance-mode --features cli
//! maintenance on --message 'Back at noon.' --for '2h 30m'
//! maintenance status
//! maintenance off
//! ```
//!
//! With `--url https://shop.example/maintenance-mode` and a token in `MAINTENANCE_TOKEN` the same commands go
//! to a running site by the API of its admin scope, from anywhere.
//!
//! It runs on Unix. An app that has closures or a store of its own takes the commands into its own
//! command line instead, with its own builder:
//!
//! ```
//! use actix_maintenance_mode::{Maintenance, cli};
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! enum Shop {
//!     /// Serve the shop
//!     Serve,
//!     /// Take the shop out of service and bring it back
//!     Maintenance(cli::Arguments),
//! }
//!
//! # #[actix_web::main]
//! # async fn main() {
//! # let folder = tempfile::tempdir().unwrap();
//! # let store = format!("file:{}", folder.path().join("maintenance.state").display());
//! match Shop::parse_from(["shop", "maintenance", "status"]) {
//!     Shop::Serve => { /* … */ }
//!     Shop::Maintenance(arguments) => {
//!         let builder = Maintenance::builder();
//!         # let builder = builder.settings(Default::default()).store(store);
//!         let code = arguments.run_with(builder).await;
//!         assert_eq!(code, std::process::ExitCode::SUCCESS);
//!     }
//! }
//! # }
//! ```
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, or so already |
//! | 1 | failed: forced by the settings, settings that cannot be used, no such window, … |
//! | 2 | usage: what was asked for makes no sense, or names a mode that there is not |
//! | 3 | the store or the site is out of reach, or what the store holds cannot be used |
//! | 4 | timed out or cancelled |
//!
//! `status --exit-code` has codes of its own: 0 online, 10 scheduled, 11 pending, 12 offline, 13
//! offline and its job is lost, 14 opening.
//! `during` and `task` end with the exit code of the command that they run, as a shell does: 128 and
//! the signal's number of a command that a signal ended, 127 where there is no such command, 126
//! where it cannot be run.

use std::process::ExitCode;

use clap::{Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::{
    audit::ShowAudit,
    completions::Completions,
    doctor::Doctor,
    during::During,
    explain::Explain,
    export::{Export, Render},
    failure::{Exit, Failure},
    forget::Forget,
    grant::GrantCommand,
    history::History,
    man::Man,
    off::Off,
    on::On,
    options::{OPTIONS_HELP, Options},
    output::Output,
    status::ShowStatus,
    task::TaskCommand,
    token::TokenCommand,
    window::WindowCommand,
};
use crate::{
    core::text::without_passwords,
    web::{maintenance::Maintenance, setup::builder::Builder},
};

mod audit;
mod child;
mod completions;
mod confirm;
mod context;
mod doctor;
mod during;
mod explain;
mod export;
mod failure;
mod forget;
mod grant;
mod history;
mod man;
mod off;
mod on;
mod options;
mod outcome;
mod output;
mod reach;
mod signals;
mod site;
mod status;
mod status_text;
mod table;
mod task;
mod texts;
mod token;
mod waiting;
mod window;
mod wording;
mod wrapping;

/// The options and commands of `maintenance`, for a place in an app's own command line.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    help_template = "{about}\n{usage-heading} {usage}\n\nCommands:\n{subcommands}{after-help}",
    after_help = OPTIONS_HELP,
)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

impl Arguments {
    /// Runs the command with the settings that [`Settings::load`](crate::Settings::load) finds.
    ///
    /// What it has to say goes to the standard output and the standard error output. Runs on a Tokio
    /// runtime with time and I/O enabled, as that of Actix is.
    pub async fn run(self) -> ExitCode {
        self.run_with(Maintenance::builder()).await
    }

    /// Runs the command with an app's own settings, store and closures. The options `--settings`
    /// and `--store` win over them.
    pub async fn run_with(self, builder: Builder) -> ExitCode {
        let output = Output::new(self.options.json);
        let outcome = self.command.run(&self.options, builder, &output).await;
        output.exit(outcome)
    }
}

// The command line of the program; a documenting comment would be its help.
#[derive(Debug, Parser)]
#[command(
    name = "maintenance",
    version,
    about = "Take a site out of service and bring it back",
    override_usage = "maintenance [OPTIONS] <COMMAND>"
)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(alias = "down")]
    On(On),
    #[command(alias = "up")]
    Off(Off),
    Status(ShowStatus),
    #[command(subcommand)]
    Window(WindowCommand),
    History(History),
    #[command(subcommand)]
    Grant(GrantCommand),
    Audit(ShowAudit),
    During(During),
    Task(TaskCommand),
    Doctor(Doctor),
    Explain(Explain),
    Export(Export),
    Render(Render),
    Forget(Forget),
    Completions(Completions),
    Man(Man),
    Token(TokenCommand),
}

impl Command {
    async fn run(
        self,
        options: &Options,
        builder: Builder,
        output: &Output,
    ) -> Result<u8, Failure> {
        if matches!(self, Self::Task(_) | Self::Export(_) | Self::Render(_)) {
            options.are_of_the_store()?;
        }
        let has_settings = builder.has_settings();
        // Not every command needs settings and a store: nothing happens until it is awaited.
        let connecting = options.connect(builder, output);
        match self {
            Self::On(on) => on.run(&connecting.await?).await,
            Self::Off(off) => off.run(&connecting.await?).await,
            Self::Status(status) => status.run(&connecting.await?).await,
            Self::Window(window) => window.run(&connecting.await?).await,
            Self::History(history) => history.run(&connecting.await?).await,
            Self::Grant(grant) => grant.run(&connecting.await?).await,
            Self::Audit(audit) => audit.run(&connecting.await?).await,
            Self::During(during) => during.run(&connecting.await?).await,
            Self::Task(task) => task.run(&connecting.await?).await,
            Self::Doctor(doctor) => {
                let source = options.settings_file(has_settings)?;
                doctor.run(connecting, source, output).await
            }
            Self::Explain(explain) => explain.run(&connecting.await?).await,
            Self::Export(export) => export.run(&connecting.await?),
            Self::Render(render) => render.run(&connecting.await?),
            Self::Forget(forget) => forget.run(&connecting.await?).await,
            Self::Completions(completions) => completions.run(output),
            Self::Man(man) => man.run(output),
            Self::Token(token) => token.run(output),
        }
    }
}

/// Shows the help that was asked for, or what is wrong with the command line, which may hold
/// anything.
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.render().to_string();
    let text = text.trim_end();
    let output = Output::new(false);
    match text.strip_prefix("error: ") {
        Some(text) => output.error(&without_passwords(text)),
        // The help, which is shown where a command is missing.
        None => error.exit(),
    }
    ExitCode::from(Exit::Usage as u8)
}

/// The whole program `maintenance`: reads the command line, runs the command and returns its exit
/// code.
pub fn main() -> ExitCode {
    // Usage errors, `--help` and `--version` end here.
    // clap alone takes a variable `CI` for a wish for colours, on a dumb terminal as well.
    let colours = match output::are_colours_welcome() {
        true => ColorChoice::Auto,
        false => ColorChoice::Never,
    };
    let matches = Program::command().color(colours).try_get_matches();
    let program = matches.and_then(|matches| Program::from_arg_matches(&matches));
    let program = match program {
        Ok(program) => program,
        Err(error) => return misused(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(program.arguments.run());
            // A store or a terminal that hangs must not keep the program from ending.
            runtime.shutdown_background();
            code
        }
        Err(error) => Output::new(false).exit(Err(Failure::failed(format!(
            "the program cannot start: {error}"
        )))),
    }
}
