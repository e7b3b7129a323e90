//! Hears that the process is asked to stop.

#[cfg(target_os = "linux")]
use actix_web::rt;

/// Ends when the process is asked to stop. A server that stops gracefully waits for its connections,
/// and live ones, and requests that wait for a mode to open, would have it wait in vain.
///
/// Listens only where somebody in this process listens already, as actix's own server does: to be
/// the first would take from the signal what it does by itself, which is to end the process.
pub(crate) async fn terminated() {
    #[cfg(target_os = "linux")]
    if is_termination_caught()
        && let Ok(mut signal) = rt::signal::unix::signal(rt::signal::unix::SignalKind::terminate())
    {
        signal.recv().await;
        return;
    }
    std::future::pending::<()>().await;
}

/// Whether this process has a handler for SIGTERM, as the kernel knows (proc(5), `SigCgt`).
#[cfg(target_os = "linux")]
fn is_termination_caught() -> bool {
    use std::sync::OnceLock;

    const SIGTERM: u32 = 15;
    static IS_CAUGHT: OnceLock<bool> = OnceLock::new();
    *IS_CAUGHT.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))
            .and_then(|caught| u64::from_str_radix(caught.trim(), 16).ok())
            .is_some_and(|caught| caught & (1 << (SIGTERM - 1)) != 0)
    })
}
