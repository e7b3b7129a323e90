//! What a Redis server refuses, in words that help.

use std::time::Duration;

use actix_maintenance_mode::store::{Lease, LeaseCondition, RedisStore, Store};

use crate::redis_server::{RedisServer, free_port};

/// What saving says where it fails.
async fn fault(url: &str) -> String {
    let store = RedisStore::new(url).unwrap();
    let text = store.save(b"on", None).await.unwrap_err().to_string();
    assert!(text.contains(&store.url()), "{text}");
    assert!(!text.contains("geheim"), "{text}");
    text
}

fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "{text}");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_wrong_log_in_is_told() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let port = server.port();
    for login in ["", ":geheim@", "nobody:geheim@"] {
        let text = fault(&format!("redis://{login}127.0.0.1:{port}")).await;
        contains(&text, "does not accept the user and password");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn rules_that_forbid_something_are_told_and_publishing_is_not_needed() {
    let server = RedisServer::start();
    let user = |rules: &[&str]| {
        server.ask(&[&["ACL", "SETUSER", "u", "reset", "on", ">geheim"], rules].concat());
        format!("redis://u:geheim@127.0.0.1:{}", server.port())
    };
    let text = fault(&user(&["~other:*", "+@all"])).await;
    contains(&text, "access rules forbid it");
    contains(&text, "`maintenance:*`");
    let text = fault(&user(&["~*", "+get"])).await;
    contains(&text, "access rules forbid it");

    // What the error names is enough.
    let (_, named) = text.split_once("allow the user ").unwrap();
    let (named, _) = named.split_once(" on the keys").unwrap();
    let named = named.replace(" and ", ", ");
    let commands: Vec<String> = named.split(", ").map(|name| format!("+{name}")).collect();
    let mut rules = vec!["~maintenance:*", "&maintenance:*"];
    rules.extend(commands.iter().map(String::as_str));
    let url = user(&rules);
    let store = RedisStore::new(&url).unwrap();
    store.save(b"on", None).await.unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().document, b"on");
    let lease = Lease::new("node/a", "me", "").unwrap();
    let minute = Duration::from_secs(60);
    let put = store.put_lease(&lease, minute, LeaseCondition::IfAbsent);
    put.await.unwrap();
    assert!(store.renew_lease(&lease, minute).await.unwrap());
    assert_eq!(store.leases("").await.unwrap().len(), 1);
    store.drop_lease(&lease).await.unwrap();
    assert!(store.clock().await.unwrap().is_some());
    assert!(store.life().await.unwrap().is_some());

    let url = user(&["~maintenance:*", "resetchannels", "+@all"]);
    let store = RedisStore::new(&url).unwrap();
    let version = store.load().await.unwrap().unwrap().version;
    store.save(b"off", Some(&version)).await.unwrap();
    assert_eq!(server.get("maintenance:state").as_deref(), Some("off"));
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_replica_a_cluster_and_a_sentinel_are_refused() {
    let primary = RedisServer::start();
    let port = primary.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
    contains(
        &fault(&replica.url()).await,
        "read-only replica; give the address of the primary",
    );

    let cluster = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    contains(&fault(&cluster.url()).await, "a node of a Redis Cluster");

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sentinel.conf");
    std::fs::write(&config, "").unwrap();
    let port = free_port();
    let mut sentinel = std::process::Command::new("redis-server")
        .arg(&config)
        .args([
            "--sentinel",
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut text = String::new();
    for _ in 0..1000 {
        text = fault(&format!("redis://127.0.0.1:{port}")).await;
        if !text.contains("nothing listens") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sentinel.kill().unwrap();
    sentinel.wait().unwrap();
    contains(&text, "it is a Sentinel");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_primary_that_becomes_a_replica_is_left_and_a_new_one_is_found_at_its_address() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    store.save(b"on", None).await.unwrap();
    let other = free_port().to_string();
    server.ask(&["REPLICAOF", "127.0.0.1", &other]);
    let version = store.load().await.map(|it| it.map(|it| it.version));
    let text = match version {
        Ok(version) => store.save(b"off", version.as_ref()).await.unwrap_err(),
        Err(error) => error,
    };
    contains(&text.to_string(), "read-only replica");
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    let version = store.load().await.unwrap().unwrap().version;
    store.save(b"off", Some(&version)).await.unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_full_server_and_foreign_keys_are_told() {
    let server = RedisServer::start();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    contains(
        &fault(&server.url()).await,
        "out of memory; raise its `maxmemory`",
    );
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);

    server.ask(&["LPUSH", "maintenance:state", "x"]);
    contains(&fault(&server.url()).await, "give another `?prefix=`");
    let store = RedisStore::new(&server.url()).unwrap();
    let text = store.load().await.unwrap_err().to_string();
    contains(&text, "holds something else");

    server.ask(&["ZADD", "maintenance:leases", "0", "node/a"]);
    server.ask(&["SET", "maintenance:lease:node/a", "foreign"]);
    let text = store.leases("node/").await.unwrap_err().to_string();
    contains(&text, "was not written by this crate");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn nothing_and_something_else_at_the_address_are_told() {
    let port = free_port();
    contains(
        &fault(&format!("redis://127.0.0.1:{port}")).await,
        "nothing listens there",
    );
    contains(
        &fault("redis+unix:///no/such.sock").await,
        "nothing listens there",
    );

    // Another kind of server, which answers and hangs up.
    let other = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in other.incoming() {
            use std::io::Write as _;
            // It may have hung up.
            let _ = client
                .unwrap()
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let text = fault(&format!("redis://127.0.0.1:{port}")).await;
    contains(&text, "check the address");

    // A server that speaks no TLS.
    let server = RedisServer::start();
    let text = fault(&format!("rediss://127.0.0.1:{}", server.port())).await;
    contains(&text, "check");
}
