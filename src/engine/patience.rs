//! How long the store is waited for.
//!
//! A store that measures how long its answers take says how long they may take at present. What is
//! found out while somebody waits counts for them, too.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::store::Store;

/// How long the store may take to answer once, at least.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// What is left to a store to say by itself that it does not answer.
const MARGIN: Duration = Duration::from_secs(1);

/// How long the store may take to answer once.
pub(crate) fn of_answer(store: &dyn Store) -> Duration {
    let measured = store.answers_within().unwrap_or_default();
    measured.saturating_add(MARGIN).max(STORE_TIMEOUT)
}

/// How long a change may take, which is at least to read and to write.
pub(crate) fn of_change(store: &dyn Store) -> Duration {
    of_answer(store) * 2
}

/// Waits for something from `since` on as long as may be waited, which may turn out to be longer
/// meanwhile.
///
/// # Errors
///
/// For how long was waited in vain.
pub(crate) async fn within<F: Future>(
    since: Instant,
    patience: impl Fn() -> Duration,
    future: F,
) -> Result<F::Output, Duration> {
    let mut future = std::pin::pin!(future);
    loop {
        let waited = patience();
        if let Ok(output) = timeout_at(since + waited, &mut future).await {
            return Ok(output);
        }
        if patience() <= waited {
            return Err(waited);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_is_found_out_meanwhile_counts() {
        let milliseconds = Duration::from_millis;
        let patience = Cell::new(milliseconds(100));
        let slow = async {
            patience.set(Duration::from_secs(60));
            tokio::time::sleep(milliseconds(300)).await;
        };
        let begin = Instant::now();
        assert_eq!(within(begin, || patience.get(), slow).await, Ok(()));
        assert!(begin.elapsed() >= milliseconds(300));

        patience.set(milliseconds(50));
        let begin = Instant::now();
        let never = std::future::pending::<()>();
        let waited = within(begin, || patience.get(), never).await;
        assert_eq!(waited, Err(milliseconds(50)));
        assert!(begin.elapsed() >= milliseconds(50));
    }
}
