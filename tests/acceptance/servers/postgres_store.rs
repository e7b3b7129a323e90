//! A Postgres database as a store.

use std::time::Duration;

use actix_maintenance_mode::{
    Maintenance,
    store::{Lease, LeaseCondition, PostgresStore, PutLease, Store, conformance::Suite},
};

use crate::{
    eventually::{eventually, within},
    nodes::{SOON, node, stored, tells_the_clock},
    postgres_server::{Pooler, PostgresServer},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Runs the suite against the places in one database, which the URL leads to.
async fn is_a_store(test: &str, mut url: impl FnMut() -> String + Send + 'static) {
    let mut count = 0;
    let fresh = move || {
        count += 1;
        format!("{}?prefix=place-{count}", url())
    };
    let forget = move |place: String| async move {
        let url = place.split('?').next().unwrap();
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("DROP TABLE IF EXISTS maintenance")
            .await
            .unwrap();
    };
    Suite::new(fresh, |url| async move { PostgresStore::new(&url) })
        .forget(forget)
        .processes(test)
        .check()
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_postgres_database_is_a_store() {
    let mut server = None;
    let url = move || server.get_or_insert_with(PostgresServer::start).url();
    is_a_store("postgres_store::a_postgres_database_is_a_store", url).await;
}

#[tokio::test]
#[ignore = "needs postgres and pgbouncer"]
async fn a_database_behind_a_pooler_is_a_store() {
    let mut servers = None;
    let url = move || {
        let (_, pooler) = servers.get_or_insert_with(|| {
            let server = PostgresServer::start();
            let pooler = Pooler::to(&server);
            (server, pooler)
        });
        pooler.url()
    };
    is_a_store("postgres_store::a_database_behind_a_pooler_is_a_store", url).await;
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_database_that_serializes_is_a_store() {
    let mut server = None;
    let url = move || {
        let options = ["default_transaction_isolation=serializable"];
        server
            .get_or_insert_with(|| PostgresServer::start_with(&options))
            .url()
    };
    is_a_store("postgres_store::a_database_that_serializes_is_a_store", url).await;
}

async fn agree(one: &Maintenance, two: &Maintenance) {
    for round in 0..20 {
        let (switch, follow) = if round % 2 == 0 {
            (one, two)
        } else {
            (two, one)
        };
        switch.turn_on().await.unwrap();
        within(SOON, "it is on", || follow.is_on()).await;
        switch.turn_off().await.unwrap();
        within(SOON, "it is off", || !follow.is_on()).await;
    }
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn nodes_see_each_others_changes_at_once_and_what_is_set_by_hand_soon() {
    let server = PostgresServer::start();
    let (one, two) = (node(&server.url()).await, node(&server.url()).await);
    agree(&one, &two).await;
    server.ask("UPDATE maintenance SET content = 'on' WHERE name = ''");
    eventually("what is set by hand is seen", || one.is_on() && two.is_on()).await;
    assert!(one.turn_off().await.unwrap().changed);
    // As the docs have it.
    server.ask(
        "INSERT INTO maintenance (prefix, name, content) VALUES ('maintenance', '', 'on')
         ON CONFLICT (prefix, name) DO UPDATE SET content = 'on'",
    );
    eventually("what is set by hand is seen", || one.is_on() && two.is_on()).await;
}

#[actix_web::test]
#[ignore = "needs postgres and pgbouncer"]
async fn nodes_behind_a_pooler_see_changes_by_looking_and_say_so_once() {
    let server = PostgresServer::start();
    let pooler = Pooler::to(&server);
    let (near, far) = (node(&server.url()).await, node(&pooler.url()).await);
    agree(&near, &far).await;
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn a_node_has_two_connections_at_most_and_asks_little_when_nothing_happens() {
    let server = PostgresServer::start();
    let nodes = [node(&server.url()).await, node(&server.url()).await];
    let connections = || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'maintenance'";
        server.ask(sql).parse::<usize>().unwrap()
    };
    for round in 0..10 {
        nodes[round % 2].turn_on().await.unwrap();
        nodes[1 - round % 2].turn_off().await.unwrap();
        assert!(connections() <= 4, "{}", connections());
    }
    eventually("both listen", || connections() == 4).await;
    let transactions = || {
        server.ask("SELECT pg_stat_clear_snapshot()");
        let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'";
        server.ask(sql).parse::<u64>().unwrap()
    };
    // What an idle connection has done, the server's figures tell ten seconds later.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let before = transactions();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let each = (transactions() - before) / 2;
    println!("{each} transactions a node in 20 s");
    assert!(each < 40, "{each}");
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_clock_is_compared_with_the_servers() {
    let server = PostgresServer::start();
    tells_the_clock(PostgresStore::new(&server.url()).unwrap(), &server.url()).await;
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_database_that_was_read_has_no_table_and_one_that_was_written_to_has_one() {
    let server = PostgresServer::start();
    let store = PostgresStore::new(&server.url()).unwrap();
    assert!(store.load().await.unwrap().is_none());
    assert!(store.leases("").await.unwrap().is_empty());
    let lease = Lease::new("node/a", "me", "").unwrap();
    assert!(!store.renew_lease(&lease, MINUTE).await.unwrap());
    store.drop_lease(&lease).await.unwrap();
    store.life().await.unwrap().unwrap();
    let table = || server.ask("SELECT to_regclass('maintenance')");
    assert_eq!(table(), "");
    stored(store.save(b"on", None).await.unwrap());
    assert_eq!(
        (table(), server.document()),
        ("maintenance".into(), "on".into())
    );
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_document_or_a_lease_that_is_far_too_large_is_refused_and_not_read() {
    let server = PostgresServer::start();
    let store = PostgresStore::new(&server.url()).unwrap();
    stored(store.save(b"on", None).await.unwrap());
    let fill = |name: &str, bytes: usize| {
        server.ask(&format!(
            "UPDATE maintenance SET content = convert_to(repeat('x', {bytes}), 'UTF8')
             WHERE name = '{name}'"
        ));
    };
    fill("", 100_000_000);
    for error in [
        store.load().await.unwrap_err(),
        store.save(b"on", None).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("100000000 bytes"), "{text}");
        assert!(text.contains("more than 16 MiB"), "{text}");
    }
    fill("", 0);
    assert_eq!(store.load().await.unwrap().unwrap().document, b"");

    let lease = Lease::new("node/a", "me", "mine").unwrap();
    let put = store.put_lease(&lease, MINUTE, LeaseCondition::Always);
    put.await.unwrap();
    fill("node/a", 2 * 1024 * 1024);
    let listed = store.leases("").await.unwrap();
    assert_eq!((listed.len(), listed[0].lease.holder()), (1, "?"));
    assert_eq!(listed[0].lease.content(), b"");
    let other = Lease::new("node/a", "other", "").unwrap();
    let put = store
        .put_lease(&other, MINUTE, LeaseCondition::IfAbsent)
        .await
        .unwrap();
    assert!(matches!(put, PutLease::Taken(theirs) if theirs.lease.holder() == "?"));
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn lapsed_leases_leave_in_the_end() {
    let server = PostgresServer::start();
    let store = PostgresStore::new(&server.url()).unwrap();
    for number in 0..6 {
        let lease = Lease::new(format!("node/{number}"), "me", "").unwrap();
        let short = Duration::from_millis(50);
        store
            .put_lease(&lease, short, LeaseCondition::Always)
            .await
            .unwrap();
    }
    server.ask("UPDATE maintenance SET expires_at = expires_at - interval '2 minutes'");
    let lease = Lease::new("node/live", "me", "").unwrap();
    for _ in 0..3 {
        store
            .put_lease(&lease, MINUTE, LeaseCondition::Always)
            .await
            .unwrap();
    }
    assert_eq!(server.ask("SELECT count(*) FROM maintenance"), "1");
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn another_life_is_another_start_or_another_table() {
    let mut server = PostgresServer::start();
    let store = PostgresStore::new(&server.url()).unwrap();
    stored(store.save(b"on", None).await.unwrap());
    let mut lives = vec![store.life().await.unwrap().unwrap()];
    assert_eq!(store.life().await.unwrap().as_ref(), lives.last());
    let dump = server.dump();
    server.restore(&dump);
    lives.push(store.life().await.unwrap().unwrap());
    server.stop();
    server.run();
    lives.push(store.life().await.unwrap().unwrap());
    server.ask("TRUNCATE maintenance");
    lives.push(store.life().await.unwrap().unwrap());
    lives.dedup();
    assert_eq!(lives.len(), 4, "{lives:?}");
}

#[actix_web::test]
#[ignore = "needs postgres"]
async fn idle_connections_that_the_server_closes_are_no_failure() {
    let server = PostgresServer::start();
    let maintenance = node(&server.url()).await;
    maintenance.turn_on().await.unwrap();
    let close_all = || {
        server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'maintenance'",
        );
    };
    for _ in 0..5 {
        close_all();
        assert!(maintenance.turn_off().await.unwrap().changed);
        close_all();
        assert!(maintenance.turn_on().await.unwrap().changed);
    }
    assert_eq!(maintenance.status().store.error, None);
}
