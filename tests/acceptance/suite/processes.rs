//! What this program does when it is run as a child.

use crate::child;

/// Not a test by itself.
#[actix_web::test]
async fn child_role() {
    let Some(role) = child::role() else { return };
    // The test harness has begun a line.
    println!();
    match role.as_str() {
        "silence-sender" => crate::alertmanager::child_silences().await,
        #[cfg(unix)]
        "fleet-node" => crate::fleet::child_serves().await,
        _ => panic!("no role {role}"),
    }
}
