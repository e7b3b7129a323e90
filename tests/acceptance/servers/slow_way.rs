//! A way to the server on which an answer takes two seconds.

use std::time::{Duration, Instant};

use crate::{
    eventually::within,
    nodes::{SOON, node},
    proxy::{Proxy, Way},
    redis_server::RedisServer,
};

/// What arrives takes so long, there and back again.
const EACH_WAY: Duration = Duration::from_millis(900);

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn changes_are_made_although_each_answer_takes_two_seconds() {
    let server = RedisServer::start();
    let near = node(&server.url()).await;
    let proxy = Proxy::to(server.port());
    proxy.is(Way::Slow(EACH_WAY));
    let far = node(&proxy.url()).await;
    for number in 1..=3 {
        let reason = number.to_string();
        let change = far.turn_on().reason(&reason).await;
        assert!(
            change
                .unwrap_or_else(|error| panic!("{number}: {error}"))
                .changed
        );
        within(SOON, "the other node has it", || {
            near.status().modes[0].reason.as_ref() == Some(&reason)
        })
        .await;
        assert!(far.turn_off().await.unwrap().changed);
    }
    assert_eq!(far.status().store.error, None);

    // One that answers no more at all is still found out.
    proxy.is(Way::BlackHole);
    let begin = Instant::now();
    let error = far.turn_on().await.unwrap_err().to_string();
    assert!(
        begin.elapsed() < Duration::from_secs(75),
        "{:?}",
        begin.elapsed()
    );
    assert!(error.contains("redis://"), "{error}");
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn where_answers_are_quick_one_that_is_gone_is_found_out_soon() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let node = node(&proxy.url()).await;
    node.turn_on().await.unwrap();
    proxy.is(Way::BlackHole);
    let begin = Instant::now();
    node.turn_off().await.unwrap_err();
    assert!(
        begin.elapsed() < Duration::from_secs(8),
        "{:?}",
        begin.elapsed()
    );
}
