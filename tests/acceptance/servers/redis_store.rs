//! A Redis server as a store.

use actix_maintenance_mode::{
    ChangeError,
    store::{Lease, LeaseCondition, PutLease, RedisStore, Store, conformance::Suite},
};
use std::time::Duration;

use crate::{
    eventually::{eventually, within},
    nodes::{SOON, node, stored, tells_the_clock},
    redis_server::RedisServer,
};

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_lease_that_is_far_too_large_is_not_read_and_is_in_the_way() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    let minute = Duration::from_secs(60);
    let lease = Lease::new("node/a", "me", "mine").unwrap();
    store
        .put_lease(&lease, minute, LeaseCondition::Always)
        .await
        .unwrap();
    let huge = "x".repeat(2 * 1024 * 1024);
    server.ask(&["SET", "maintenance:lease:node/a", &huge, "EX", "60"]);
    let listed = store.leases("").await.unwrap();
    assert_eq!((listed.len(), listed[0].lease.holder()), (1, "?"));
    assert_eq!(listed[0].lease.content(), b"");
    assert!(!store.renew_lease(&lease, minute).await.unwrap());
    store.drop_lease(&lease).await.unwrap();
    let absent = LeaseCondition::IfAbsent;
    let put = store.put_lease(&lease, minute, absent).await.unwrap();
    assert!(matches!(put, PutLease::Taken(theirs) if theirs.lease.holder() == "?"));
    store
        .put_lease(&lease, minute, LeaseCondition::Always)
        .await
        .unwrap();
    assert_eq!(store.leases("").await.unwrap()[0].lease, lease);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_clock_is_compared_with_the_servers() {
    let server = RedisServer::start();
    tells_the_clock(RedisStore::new(&server.url()).unwrap(), &server.url()).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_server_is_a_store() {
    let mut server = None;
    let mut count = 0;
    let fresh = move || {
        count += 1;
        // Here, as a process that takes part uses the server that there is.
        let server = server.get_or_insert_with(RedisServer::start);
        format!("{}/1?prefix=place-{count}", server.url())
    };
    let forget = |url: String| async move {
        let client = redis::Client::open(url.split('?').next().unwrap()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let flush = redis::cmd("FLUSHDB");
        flush.query_async::<()>(&mut connection).await.unwrap();
    };
    Suite::new(fresh, |url| async move { RedisStore::new(&url) })
        .forget(forget)
        .processes("redis_store::a_redis_server_is_a_store")
        .check()
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_document_is_one_key_without_an_expiry() {
    let server = RedisServer::start();
    let store = RedisStore::new(&format!("{}?prefix=shop", server.url())).unwrap();
    let version = stored(store.save(b"off", None).await.unwrap());
    assert_eq!(server.get("shop:state").as_deref(), Some("off"));
    assert_eq!(
        server.ask(&["KEYS", "*"]),
        server.ask(&["KEYS", "shop:state"])
    );
    assert_eq!(server.ask(&["PTTL", "shop:state"]), redis::Value::Int(-1));
    // Also where somebody has given it one.
    server.ask(&["PEXPIRE", "shop:state", "600000"]);
    stored(store.save(b"on", Some(&version)).await.unwrap());
    assert_eq!(server.ask(&["PTTL", "shop:state"]), redis::Value::Int(-1));
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_server_is_reached_by_a_socket_with_a_password_and_a_database() {
    let server = RedisServer::start_with(&["--requirepass", "ge heim#1"]);
    let by_socket = format!("redis+unix://{}?db=3&pass=ge%20heim%231", server.socket());
    let by_network = format!("redis://:ge%20heim%231@127.0.0.1:{}/3", server.port());
    let one = RedisStore::new(&by_socket).unwrap();
    let other = RedisStore::new(&by_network).unwrap();
    stored(one.save(b"on", None).await.unwrap());
    assert_eq!(other.load().await.unwrap().unwrap().document, b"on");
    for url in [one.url(), other.url()] {
        assert!(!url.contains("heim"), "{url}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn scripts_that_the_server_has_forgotten_are_loaded_again() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    let lease = Lease::new("node/a", "me", "").unwrap();
    let mut version = None;
    for round in 0..3 {
        let document = format!("round {round}");
        let saved = store.save(document.as_bytes(), version.as_ref()).await;
        version = Some(stored(saved.unwrap()));
        let minute = Duration::from_secs(60);
        store
            .put_lease(&lease, minute, LeaseCondition::Always)
            .await
            .unwrap();
        assert!(store.renew_lease(&lease, minute).await.unwrap());
        assert_eq!(store.leases("node/").await.unwrap().len(), 1);
        store.drop_lease(&lease).await.unwrap();
        server.ask(&["SCRIPT", "FLUSH"]);
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn lapsed_leases_leave_nothing_behind() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    for number in 0..5 {
        let lease = Lease::new(format!("node/{number}"), "me", "").unwrap();
        let short = Duration::from_millis(50);
        let put = store.put_lease(&lease, short, LeaseCondition::Always);
        put.await.unwrap();
    }
    within(SOON, "all keys are gone", || {
        server.ask(&["DBSIZE"]) == redis::Value::Int(0)
    })
    .await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn nodes_see_each_others_changes_at_once_and_what_is_set_by_hand_soon() {
    let server = RedisServer::start();
    let (one, two) = (node(&server.url()).await, node(&server.url()).await);
    for round in 0..20 {
        let (switch, follow) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        switch.turn_on().await.unwrap();
        within(SOON, "it is on", || follow.is_on()).await;
        switch.turn_off().await.unwrap();
        within(SOON, "it is off", || !follow.is_on()).await;
    }
    server.ask(&["SET", "maintenance:state", "on"]);
    eventually("what is set by hand is seen", || one.is_on() && two.is_on()).await;
    assert!(one.turn_off().await.unwrap().changed);
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn idle_connections_that_the_server_closes_are_no_failure() {
    let server = RedisServer::start();
    let maintenance = node(&server.url()).await;
    maintenance.turn_on().await.unwrap();
    for _ in 0..5 {
        server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert!(maintenance.turn_off().await.unwrap().changed);
        server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert!(maintenance.turn_on().await.unwrap().changed);
    }
    assert_eq!(maintenance.status().store.error, None);
}

/// What wagtail-maintenance kept in the cache alone: the key that is persisted, and the lock.
#[tokio::test]
#[ignore = "needs redis-server"]
async fn cache_only_persisted_key_and_cache_lock_are_the_redis_store() {
    let server = RedisServer::start();
    let url = format!("{}?prefix=shop", server.url());
    let (one, other) = (node(&url).await, node(&url).await);
    let guard = one.while_on().by("ada").exclusive().enter().await.unwrap();
    assert_eq!(server.ask(&["PTTL", "shop:state"]), redis::Value::Int(-1));
    let locked = other.while_on().exclusive().enter().await;
    assert!(matches!(locked, Err(ChangeError::Locked { .. })));
    let status = other.ask_status().await.unwrap();
    let holder = status.modes[0].locked_by.as_ref().unwrap();
    assert!(holder.by.starts_with("ada on "), "{holder:?}");
    guard.release().await.unwrap();
    let waiting = other.while_on().waiting(Duration::from_secs(5));
    waiting.enter().await.unwrap().release().await.unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_document_that_is_far_too_large_is_refused_and_not_read() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    // All zeros; the server makes room for them at once.
    server.ask(&["SETRANGE", "maintenance:state", "200000000", "x"]);
    for error in [
        store.load().await.unwrap_err(),
        store.save(b"on", None).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("200000001 bytes"), "{text}");
        assert!(text.contains("more than 16 MiB"), "{text}");
    }
    server.ask(&["SET", "maintenance:state", ""]);
    assert_eq!(store.load().await.unwrap().unwrap().document, b"");
    server.ask(&["DEL", "maintenance:state"]);
    assert!(store.load().await.unwrap().is_none());
}
