//! A mode that is closed for as long as a command runs, by a lease that the site keeps and this program
//! renews.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use ureq::http::Method;

use super::{
    ApiSite, Changed, aside,
    request::{body_of, path_of},
};
use crate::{
    cli::{
        failure::{Failure, OfHold},
        site::{Gone, HoldWishes, Wishes},
    },
    core::secret::Secret,
    engine::change_error::ChangeError,
};

/// How long the site believes that this program lives, unless it is said: it calls over a network.
const TIME_TO_LIVE: Duration = Duration::from_secs(30);
/// The pause after a renewal that has not reached the site.
const RETRY: Duration = Duration::from_millis(500);

/// Until when the site believes that this program lives.
///
/// A loss that another job has taken over, or that somebody has switched off since, the site does not
/// remember: that it was one, this program knows by the time that has passed.
#[derive(Debug)]
struct Lives {
    time_to_live: Duration,
    renewed_at: Mutex<Instant>,
}

impl Lives {
    fn new(time_to_live: Duration, renewed_at: Instant) -> Self {
        Self {
            time_to_live,
            renewed_at: Mutex::new(renewed_at),
        }
    }

    fn renew(&self, asked_at: Instant) {
        *self.renewed_at.lock() = asked_at;
    }

    /// What it means that the hold is gone, by what the site says of it.
    fn gone(&self, mode: &str, of_hold: OfHold, why: String) -> (Gone, String) {
        let has_lapsed = self.renewed_at.lock().elapsed() > self.time_to_live;
        match of_hold {
            OfHold::Lost => (Gone::Lost, why),
            OfHold::TakenAway | OfHold::Taken if has_lapsed => {
                let lost = ChangeError::HolderLost(mode.to_owned());
                (Gone::Lost, lost.to_string())
            }
            OfHold::TakenAway | OfHold::Taken => (Gone::TakenAway, why),
        }
    }
}

/// What this program holds.
#[derive(Debug)]
pub(in crate::cli) struct ApiHold {
    site: Arc<ApiSite>,
    mode: String,
    /// By what the site knows it.
    id: Secret,
    lives: Arc<Lives>,
    gone: watch::Receiver<Option<(Gone, String)>>,
    renewing: JoinHandle<()>,
}

impl ApiSite {
    /// Closes a mode until the hold is given back.
    pub(in crate::cli) async fn hold(
        self: Arc<Self>,
        wishes: &Wishes,
        how: &HoldWishes,
    ) -> Result<ApiHold, Failure> {
        let time_to_live = how.lost_after.unwrap_or(TIME_TO_LIVE);
        let asked_at = Instant::now();
        let mut held = json!({
            "name": how.name,
            "ttl": time_to_live.as_secs(),
            "if_lost": how.if_lost.as_str(),
        });
        if let Some(within) = &how.within {
            held["within"] = json!(within);
        }
        let mut body = body_of(wishes);
        body["held"] = held;
        let path = path_of(&wishes.mode);
        let changed: Changed = self.change(Method::PUT, path, Some(body)).await?;
        let Some(id) = changed.held.as_ref().map(|held| held.id.clone()) else {
            return Err(Failure::failed(
                "the site has closed the mode and does not hold it: it runs an older version; \
                 update it, or run this where its store is",
            ));
        };
        self.change_of(changed);
        let (tell, gone) = watch::channel(None);
        let (site, mode) = (Arc::clone(&self), wishes.mode.clone());
        let own = id.clone();
        let lives = Arc::new(Lives::new(time_to_live, asked_at));
        let renewed = Arc::clone(&lives);
        let renewing = tokio::spawn(async move {
            loop {
                sleep(time_to_live / 4).await;
                loop {
                    let asked_at = Instant::now();
                    let Err(failure) = site.renew(&mode, &own, time_to_live / 4).await else {
                        renewed.renew(asked_at);
                        break;
                    };
                    let Some(of_hold) = failure.of_hold else {
                        tracing::debug!(why = failure.message, "the hold is not renewed");
                        sleep(RETRY.min(time_to_live / 12)).await;
                        continue;
                    };
                    tell.send_replace(Some(renewed.gone(&mode, of_hold, failure.message)));
                    return;
                }
            }
        });
        Ok(ApiHold {
            site: self,
            mode: wishes.mode.clone(),
            id,
            lives,
            gone,
            renewing,
        })
    }

    /// Renews what is held. It can be said again, perhaps to another node: an answer that does not come
    /// is not waited for until it is too late.
    async fn renew(&self, mode: &str, id: &Secret, at_most: Duration) -> Result<(), Failure> {
        let client = Arc::clone(&self.client);
        let (path, body) = (path_of_hold(mode), json!({ "id": id }));
        aside(move || {
            let answer = client.change_within(at_most, &Method::POST, &path, Some(&body));
            client.done(answer)
        })
        .await
    }

    /// Lets go of what is held.
    async fn let_go(&self, mode: &str, id: &Secret, done: &'static str) -> Result<(), Failure> {
        let client = Arc::clone(&self.client);
        let (path, body) = (path_of_hold(mode), json!({ "id": id, "done": done }));
        aside(move || {
            let answer = client.change(&Method::POST, &path, Some(&body));
            client.done(answer)
        })
        .await
    }
}

impl ApiHold {
    /// Waits until it is gone, and says what that means.
    pub(in crate::cli) async fn gone(&self) -> (Gone, String) {
        let mut gone = self.gone.clone();
        let told = gone.wait_for(Option::is_some).await.ok();
        match told.and_then(|told| told.clone()) {
            Some(gone) => gone,
            None => std::future::pending().await,
        }
    }

    pub(in crate::cli) fn id(&self) -> &str {
        self.id.reveal()
    }

    /// Puts back what was before, or keeps what is.
    pub(in crate::cli) async fn give_back(&self, keep: bool) -> Result<(), Failure> {
        let done = if keep { "keep" } else { "put-back" };
        match self.site.let_go(&self.mode, &self.id, done).await {
            Err(failure) if failure.of_hold == Some(OfHold::TakenAway) => {
                let (how, why) = self
                    .lives
                    .gone(&self.mode, OfHold::TakenAway, failure.message);
                if how == Gone::Lost {
                    return Err(Failure {
                        of_hold: Some(OfHold::Lost),
                        ..Failure::failed(why)
                    });
                }
                // It is as it was to be, by somebody else.
            }
            given_back => given_back?,
        }
        self.renewing.abort();
        // What is now is told afterwards.
        let _ = self.site.ask_status().await;
        Ok(())
    }
}

fn path_of_hold(mode: &str) -> String {
    format!("{}/held", path_of(mode))
}

impl Drop for ApiHold {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_silent_for_longer_than_it_is_believed_to_live_has_lost_the_hold() {
        let now = Instant::now();
        let gone = |renewed_at, of_hold| {
            let lives = Lives::new(Duration::from_secs(10), renewed_at);
            lives.gone("site", of_hold, "the site says so".to_owned())
        };
        let long_ago = now.checked_sub(Duration::from_secs(11)).unwrap();
        assert_eq!(gone(now, OfHold::TakenAway).0, Gone::TakenAway);
        assert_eq!(gone(now, OfHold::Lost).0, Gone::Lost);
        let (how, why) = gone(long_ago, OfHold::TakenAway);
        assert_eq!(how, Gone::Lost);
        assert!(why.contains("site"), "{why}");
    }
}
