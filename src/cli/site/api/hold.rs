//! A mode that is closed for as long as a command runs, by a lease that the site keeps and this program
//! renews.

use std::{sync::Arc, time::Duration};

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
};

/// How long the site believes that this program lives, unless it is said: it calls over a network.
const TIME_TO_LIVE: Duration = Duration::from_secs(30);
/// The pause after a renewal that has not reached the site.
const RETRY: Duration = Duration::from_millis(500);

/// What this program holds.
#[derive(Debug)]
pub(in crate::cli) struct ApiHold {
    site: Arc<ApiSite>,
    mode: String,
    /// By what the site knows it.
    id: Secret,
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
        let renewing = tokio::spawn(async move {
            loop {
                sleep(time_to_live / 4).await;
                while let Err(failure) = site.renew(&mode, &own, time_to_live / 4).await {
                    let how = match failure.of_hold {
                        Some(OfHold::Lost) => Gone::Lost,
                        Some(OfHold::TakenAway) => Gone::TakenAway,
                        _ => {
                            tracing::debug!(why = failure.message, "the hold is not renewed");
                            sleep(RETRY.min(time_to_live / 12)).await;
                            continue;
                        }
                    };
                    tell.send_replace(Some((how, failure.message)));
                    return;
                }
            }
        });
        Ok(ApiHold {
            site: self,
            mode: wishes.mode.clone(),
            id,
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
            // It is as it was to be, by somebody else.
            Err(failure) if failure.of_hold == Some(OfHold::TakenAway) => {}
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
