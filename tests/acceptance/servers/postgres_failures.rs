//! Nodes whose database goes away and comes back, or comes back with less than it had.

use std::time::{Duration, Instant};

use actix_maintenance_mode::{
    Maintenance,
    store::{Lease, LeaseCondition, PostgresStore, Saved, Store},
};

use crate::{
    eventually::within,
    nodes::{SOON, agree, fails, node, refuses_a_change, three},
    postgres_server::{PostgresServer, url},
    proxy::{Proxy, Way},
};

/// After how long a node has found a server that is back: the longest pause, an attempt, and some
/// more for a busy machine.
const BACK: Duration = Duration::from_secs(30);

/// The maintenance of the very database: the site is closed, and stays so while the database is
/// stopped, moved and started again.
#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_site_stays_closed_while_its_own_database_is_down_and_is_opened_after() {
    let mut server = PostgresServer::start();
    let nodes = three(&server.url()).await;
    for graceful in [true, false] {
        if graceful {
            server.stop();
        } else {
            server.kill();
        }
        within(BACK, "it is noticed without a question", || {
            nodes.iter().all(fails)
        })
        .await;
        let text = refuses_a_change(&nodes[0], "postgres://").await;
        assert!(text.contains("nothing listens there"), "{text}");
        for node in &nodes {
            assert!(node.is_on(), "the last state is kept");
            assert!(node.status().store.age.is_some());
        }
        server.run();
        server.ask("CREATE TABLE IF NOT EXISTS shop (migrated int)");
        agree(&nodes, BACK).await;
        assert!(nodes.iter().all(Maintenance::is_on));
    }
    nodes[2].turn_off().await.unwrap();
    within(SOON, "all are open", || {
        !nodes.iter().any(Maintenance::is_on)
    })
    .await;
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_server_that_hangs_is_waited_for_by_nobody() {
    let server = PostgresServer::start();
    let nodes = three(&server.url()).await;
    server.pause();
    let text = refuses_a_change(&nodes[1], "postgres://").await;
    assert!(text.contains("in time"), "{text}");
    within(BACK, "all notice it", || nodes.iter().all(fails)).await;
    assert!(nodes.iter().all(Maintenance::is_on));
    server.go_on();
    agree(&nodes, BACK).await;
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_way_that_is_cut_swallows_or_is_slow_loses_nothing() {
    let server = PostgresServer::start();
    let proxy = Proxy::to(server.port());
    let near = node(&server.url()).await;
    let far = three(&url(proxy.address.port())).await;
    proxy.is(Way::BlackHole);
    refuses_a_change(&far[0], "postgres://").await;
    within(BACK, "all notice it", || far.iter().all(fails)).await;
    // Meanwhile it goes on elsewhere.
    near.turn_off().await.unwrap();
    assert!(far.iter().all(Maintenance::is_on), "the last state is kept");
    proxy.is(Way::Cut);
    proxy.is(Way::Open);
    within(BACK, "all have what happened meanwhile", || {
        !far.iter().any(Maintenance::is_on)
    })
    .await;
    agree(&far, BACK).await;
    for _ in 0..2 {
        proxy.is(Way::Cut);
        within(BACK, "all notice it", || far.iter().all(fails)).await;
        proxy.is(Way::Open);
        agree(&far, BACK).await;
    }
    proxy.is(Way::Slow(Duration::from_millis(100)));
    let begin = Instant::now();
    far[0].turn_off().await.unwrap();
    assert!(
        begin.elapsed() >= Duration::from_millis(400),
        "it went the slow way"
    );
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn changes_are_made_although_each_answer_takes_two_seconds() {
    let server = PostgresServer::start();
    let near = node(&server.url()).await;
    let proxy = Proxy::to(server.port());
    proxy.is(Way::Slow(Duration::from_millis(900)));
    let far = node(&url(proxy.address.port())).await;
    for number in 1..=2 {
        let reason = number.to_string();
        let change = far.turn_on().reason(&reason).await;
        let change = change.unwrap_or_else(|error| panic!("{number}: {error}"));
        assert!(change.changed);
        within(SOON, "the other node has it", || {
            near.status().modes[0].reason.as_ref() == Some(&reason)
        })
        .await;
        assert!(far.turn_off().await.unwrap().changed);
    }
    assert_eq!(far.status().store.error, None);
}

/// What waits for a lock and is given up must not happen afterwards.
#[tokio::test]
#[ignore = "needs postgres"]
async fn a_statement_that_nobody_waits_for_any_more_is_cancelled() {
    let server = PostgresServer::start();
    let store = PostgresStore::new(&server.url()).unwrap();
    let Saved::Stored(version) = store.save(b"off", None).await.unwrap() else {
        panic!("a conflict");
    };
    let locker = {
        let url = server.url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("BEGIN; LOCK TABLE maintenance")
            .await
            .unwrap();
        client
    };
    let error = store.save(b"on", Some(&version)).await.unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
    within(BACK, "nobody waits for the lock", || {
        server.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0"
    })
    .await;
    locker.batch_execute("COMMIT").await.unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().document, b"off");
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_table_that_is_dropped_and_a_dump_that_is_restored_get_the_newer_state_back() {
    let server = PostgresServer::start();
    let nodes = three(&server.url()).await;
    nodes[1].turn_off().await.unwrap();
    within(SOON, "all are open", || {
        !nodes.iter().any(Maintenance::is_on)
    })
    .await;
    let open = server.dump();
    nodes[0].turn_on().reason("later").await.unwrap();
    within(SOON, "all are closed", || {
        nodes.iter().all(Maintenance::is_on)
    })
    .await;
    for lose in ["DROP TABLE maintenance", "", "TRUNCATE maintenance"] {
        match lose {
            "" => server.restore(&open),
            lose => drop(server.ask(lose)),
        }
        within(BACK, "the state is put back", || {
            let there = server.ask("SELECT to_regclass('maintenance') IS NOT NULL");
            there == "t" && server.document().contains("\"later\"")
        })
        .await;
        assert!(nodes.iter().all(Maintenance::is_on));
    }
    agree(&nodes, BACK).await;
}

/// The standby is behind when the primary dies: what it lacks is put back by the nodes, which find it
/// by themselves.
#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_fail_over_to_a_standby_that_was_behind_keeps_the_site_closed() {
    let mut server = PostgresServer::start();
    let first = node(&server.url()).await;
    first.turn_on().reason("first").await.unwrap();
    first.turn_off().await.unwrap();
    let standby = server.standby();
    let both = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres",
        server.port(),
        standby.port()
    );
    let nodes = [node(&both).await, node(&both).await];
    within(BACK, "the standby has what was there", || {
        standby.ask("SELECT count(*) > 0 FROM maintenance WHERE name = ''") == "t"
    })
    .await;
    standby.ask("SELECT pg_wal_replay_pause()");
    nodes[0].turn_on().reason("lost").await.unwrap();
    within(SOON, "both are closed", || {
        nodes.iter().all(Maintenance::is_on)
    })
    .await;
    server.kill();
    // What has come and was not replayed is lost with its files, as if it had never come.
    within(BACK, "it is noticed", || nodes.iter().all(fails)).await;
    standby.promote();
    within(BACK, "the nodes find it", || !nodes.iter().any(fails)).await;
    assert!(nodes.iter().all(Maintenance::is_on), "still closed");
    within(BACK, "it has the state", || {
        standby.document().contains("\"lost\"")
    })
    .await;
    nodes[1].turn_off().await.unwrap();
    within(SOON, "both are open", || {
        !nodes.iter().any(Maintenance::is_on)
    })
    .await;
}

/// Each switch in whose middle the server dies is done, not done, or not known; and what is known is
/// true.
#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_switch_in_whose_middle_the_server_is_killed_tells_the_truth() {
    let mut server = PostgresServer::start();
    let observer = PostgresStore::new(&server.url()).unwrap();
    let (mut done, mut failed) = (0, 0);
    for round in 0..8 {
        let store = PostgresStore::new(&server.url()).unwrap();
        let mut version = store.load().await.unwrap().map(|it| it.version);
        let writer = tokio::spawn(async move {
            let mut last = None;
            for number in 0.. {
                let document = format!("{round}/{number}");
                match store.save(document.as_bytes(), version.as_ref()).await {
                    Ok(Saved::Stored(newer)) => version = Some(newer),
                    Ok(Saved::Conflict(newer)) => panic!("nobody else writes: {newer:?}"),
                    Err(_) => return (last, document),
                }
                last = Some(document);
            }
            unreachable!()
        });
        tokio::time::sleep(Duration::from_millis(30 + 13 * round)).await;
        server.kill();
        let (last, tried) = writer.await.unwrap();
        server.run();
        let stored = observer.load().await.unwrap().unwrap().document;
        let stored = String::from_utf8(stored).unwrap();
        // What was confirmed is there, or what came after it, whose answer was lost.
        if last.as_ref() == Some(&stored) {
            failed += 1;
        } else {
            assert_eq!(stored, tried, "{last:?}");
            done += 1;
        }
    }
    println!("{failed} were not done, {done} were done and not known");
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn thirty_nodes_agree_and_are_all_listed() {
    let server = PostgresServer::start();
    let mut nodes = Vec::new();
    for _ in 0..30 {
        nodes.push(node(&server.url()).await);
    }
    for round in 0..5 {
        nodes[round].turn_on().await.unwrap();
        within(SOON, "all are closed", || {
            nodes.iter().all(Maintenance::is_on)
        })
        .await;
        nodes[29 - round].turn_off().await.unwrap();
        within(SOON, "all are open", || {
            !nodes.iter().any(Maintenance::is_on)
        })
        .await;
    }
}

/// Holders who are killed leave locks that lapse by the server's clock, and a restart takes none away.
#[tokio::test]
#[ignore = "needs postgres"]
async fn a_lease_outlives_a_restart_and_lapses_by_the_servers_clock() {
    let mut server = PostgresServer::start();
    let store = PostgresStore::new(&server.url()).unwrap();
    let mine = Lease::new("lock/site", "me", "").unwrap();
    let theirs = Lease::new("lock/site", "they", "").unwrap();
    let lives = Duration::from_secs(20);
    store
        .put_lease(&mine, lives, LeaseCondition::IfAbsent)
        .await
        .unwrap();
    server.kill();
    server.run();
    assert_eq!(store.leases("lock/").await.unwrap()[0].lease, mine);
    let put = store
        .put_lease(&theirs, lives, LeaseCondition::IfAbsent)
        .await
        .unwrap();
    assert!(matches!(
        put,
        actix_maintenance_mode::store::PutLease::Taken(_)
    ));
    assert!(
        store
            .renew_lease(&mine, Duration::from_millis(300))
            .await
            .unwrap()
    );
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!store.renew_lease(&mine, lives).await.unwrap());
    let put = store
        .put_lease(&theirs, lives, LeaseCondition::IfAbsent)
        .await
        .unwrap();
    assert_eq!(put, actix_maintenance_mode::store::PutLease::Held);
}
