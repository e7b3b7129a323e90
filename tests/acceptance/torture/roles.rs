//! What this program does when it is run as one of its own children.

use std::{
    env,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use actix_maintenance_mode::{Maintenance, Settings, cli, settings::TokenSettings};
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use clap::{Parser, ValueEnum as _};

use crate::{arguments::Policy, during::PAGE, marks::Marks};

/// Says which role a process has; none of them are settings, which begin with `MAINTENANCE_`.
pub(crate) const ROLE: &str = "TORTURE_ROLE";
pub(crate) const STORE: &str = "TORTURE_STORE";
pub(crate) const POLICY: &str = "TORTURE_POLICY";
pub(crate) const MARKS: &str = "TORTURE_MARKS";
pub(crate) const NAME: &str = "TORTURE_NAME";
/// Where the node keeps its copy; unset: where it does by itself.
pub(crate) const MEMORY: &str = "TORTURE_MEMORY";

/// What opens the API of a node, and how its settings have it.
pub(crate) const TOKEN: &str = "torture-secret";
const TOKEN_HASH: &str = "sha256:3924c9cc24c0669c59f86ed583133c56fb7a90080895f46878f4b9ac28304d11";

pub(crate) const NODE: &str = "node";
pub(crate) const OPERATOR: &str = "operator";

/// How long a step of a request takes.
const STEP: Duration = Duration::from_millis(20);
/// How many steps a request has.
const STEPS: std::ops::Range<u32> = 1..12;

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn text(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not given"))
}

fn settings() -> Result<Settings, String> {
    let policy = Policy::from_str(&text(POLICY)?, false)?;
    Ok(policy.settings())
}

/// A process that serves requests of some steps each.
pub(crate) fn serve() -> Outcome {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
    // Nothing comes that way: its end is that of whoever has started this.
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    rt::System::new().block_on(async {
        let mut settings = settings()?;
        settings.node.id = Some(text(NAME)?);
        settings.node.memory = env::var_os(MEMORY).map(PathBuf::from);
        settings.admin.tokens = vec![TokenSettings::new("torture", TOKEN_HASH)];
        let maintenance = Maintenance::builder()
            .settings(settings)
            .store(text(STORE)?)
            .build()
            .await?;
        let marks = Arc::new(Marks::create(Path::new(&text(MARKS)?))?);
        let number = Arc::new(AtomicU32::new(0));
        let shared = maintenance.clone();
        let server = HttpServer::new(move || {
            let (marks, number) = (Arc::clone(&marks), Arc::clone(&number));
            App::new()
                .route(
                    "/",
                    web::get().to(move || some_steps(Arc::clone(&marks), Arc::clone(&number))),
                )
                .route(PAGE, web::get().to(HttpResponse::Ok))
                .service(shared.admin())
                .wrap(shared.middleware())
        })
        .workers(1)
        .shutdown_timeout(1)
        .bind(("127.0.0.1", 0))?;
        println!("{}", server.addrs()[0]);
        server.run().await?;
        maintenance.leave().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn some_steps(marks: Arc<Marks>, number: Arc<AtomicU32>) -> HttpResponse {
    let request = number.fetch_add(1, Ordering::SeqCst);
    for step in 0..fastrand::u32(STEPS) {
        if let Err(error) = marks.step(request, step) {
            return HttpResponse::InternalServerError().body(error.to_string());
        }
        rt::time::sleep(STEP).await;
    }
    HttpResponse::Ok().body("done")
}

#[derive(Debug, Parser)]
struct Operator {
    #[command(flatten)]
    arguments: cli::Arguments,
}

/// The program `maintenance`.
pub(crate) fn operate() -> Outcome {
    let operator = Operator::parse();
    rt::System::new().block_on(async {
        let builder = Maintenance::builder()
            .settings(settings()?)
            .store(text(STORE)?);
        Ok(operator.arguments.run_with(builder).await)
    })
}
