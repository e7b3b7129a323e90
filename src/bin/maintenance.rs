//! The program `maintenance`: takes a site out of service and brings it back.

use std::process::ExitCode;

fn main() -> ExitCode {
    actix_maintenance_mode::cli::main()
}
