//! Hints.

use std::{
    future::poll_fn,
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

use super::{Check, Finding, Suite, ensure, load, shown_loaded, stored};
use crate::store::{Hint, Hints, Store};

/// How long to listen to a store that nobody changes.
const QUIET: Duration = Duration::from_secs(1);
/// More hints than these without a change would keep every node busy.
const TOO_MANY: usize = 100;

pub(super) fn checks(suite: &Suite) -> [(&'static str, Check<'_>); 3] {
    [
        (
            "every watcher is told of every opening's changes",
            Box::pin(tells_of_changes(suite)),
        ),
        (
            "a watch that was dropped disturbs nobody",
            Box::pin(can_be_dropped(suite)),
        ),
        (
            "a store that nobody changes is quiet",
            Box::pin(is_quiet(suite)),
        ),
    ]
}

async fn next(hints: &mut Hints) -> Option<Hint> {
    poll_fn(|context| hints.as_mut().poll_next(context)).await
}

/// Looks again at each hint until this is what is stored, as the driver does.
async fn follow(
    suite: &Suite,
    who: &str,
    store: &dyn Store,
    hints: &mut Hints,
    document: &[u8],
) -> Finding {
    let followed = async {
        loop {
            if next(hints).await.is_none() {
                return Err(format!("the watch of {who} ends"));
            }
            if load(store).await?.is_some_and(|it| it.document == document) {
                return Ok(());
            }
        }
    };
    match timeout(suite.patience, followed).await {
        Ok(finding) => finding,
        Err(_) => Err(format!(
            "{who} gets no hint after which it finds what was saved {:?} ago; the store holds {}",
            suite.patience,
            shown_loaded(load(store).await?.as_ref())
        )),
    }
}

async fn tells_of_changes(suite: &Suite) -> Finding {
    let place = suite.place();
    let (one, two) = (suite.open(&place).await?, suite.open(&place).await?);
    let mut of_one = one.watch();
    let mut of_two = two.watch();
    let mut version = None;
    for (round, pause) in [0, 50, 0, 300].into_iter().enumerate() {
        sleep(Duration::from_millis(pause)).await;
        let writer = [&one, &two][round % 2];
        let document = format!("change {round}");
        version = Some(stored(&**writer, document.as_bytes(), version.as_ref()).await?);
        follow(suite, "one", &*one, &mut of_one, document.as_bytes()).await?;
        follow(suite, "the other", &*two, &mut of_two, document.as_bytes()).await?;
    }
    Ok(())
}

async fn can_be_dropped(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    drop(store.watch());
    let mut watched = store.watch();
    // Polled once, so that it has begun whatever it begins.
    let _ = timeout(Duration::from_millis(20), next(&mut watched)).await;
    drop(watched);
    let mut hints = store.watch();
    stored(&*store, b"on", None).await?;
    follow(suite, "the last watcher", &*store, &mut hints, b"on").await
}

async fn is_quiet(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    stored(&*store, b"off", None).await?;
    let mut hints = store.watch();
    let mut count = 0;
    let begin = Instant::now();
    while let Some(left) = QUIET.checked_sub(begin.elapsed()) {
        match timeout(left, next(&mut hints)).await {
            Ok(Some(Hint)) => count += 1,
            Ok(None) => return Err("the watch ends".to_owned()),
            Err(_) => break,
        }
        if count > TOO_MANY {
            break;
        }
    }
    ensure(count <= TOO_MANY, || {
        format!("{count} hints in {:?} without a change", begin.elapsed())
    })
}
