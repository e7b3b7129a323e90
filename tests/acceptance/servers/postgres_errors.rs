//! What a Postgres server refuses, in words that help; how one logs in, and TLS.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use actix_maintenance_mode::store::{PostgresStore, Saved, Store};

use crate::{
    certificates::certificates,
    postgres_server::{PostgresServer, url},
    redis_server::free_port,
};

/// What saving says where it fails, and whether trying again cannot help.
async fn fault(url: &str) -> (String, bool) {
    let store = PostgresStore::new(url).unwrap();
    let error = store.save(b"on", None).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&store.url()), "{text}");
    assert!(!text.contains("geheim"), "{text}");
    (text, error.is_permanent())
}

async fn refuses(url: &str, part: &str, is_permanent: bool) {
    let (text, permanent) = fault(url).await;
    assert!(text.contains(part), "{text}");
    assert_eq!(permanent, is_permanent, "{text}");
}

/// Has the server ask for passwords by TCP.
fn with_passwords(server: &PostgresServer) {
    server.ask("CREATE ROLE shop LOGIN PASSWORD 'ge heim#1'");
    server.put(
        "pg_hba.conf",
        "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
    );
    server.reload();
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_wrong_log_in_and_a_database_that_is_not_there_are_told() {
    let server = PostgresServer::start();
    let port = server.port();
    let no_database = format!("postgres://postgres@127.0.0.1:{port}/nowhere");
    refuses(&no_database, "make it, or name another one", true).await;
    with_passwords(&server);
    let of = |login: &str| format!("postgres://{login}@127.0.0.1:{port}/postgres");
    refuses(&of("shop:geheim"), "lets nobody in so", true).await;
    refuses(&of("nobody:geheim"), "lets nobody in so", true).await;
    refuses(&of("shop"), "asks for a password; give the user", true).await;
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_user_who_may_not_make_the_table_is_told_and_one_that_is_made_will_do() {
    let server = PostgresServer::start();
    server.ask("CREATE ROLE shop LOGIN");
    server.ask("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let url = format!("postgres://shop@127.0.0.1:{}/postgres", server.port());
    refuses(&url, "`maintenance export postgres` prints", true).await;
    // By somebody else, as it is printed.
    let printed = include_str!("../../../src/store/postgres/table.sql");
    server.ask(printed);
    refuses(&url, "permission denied for table maintenance", true).await;
    server.ask("GRANT SELECT, INSERT, UPDATE, DELETE ON maintenance TO shop");
    let store = PostgresStore::new(&url).unwrap();
    assert!(matches!(
        store.save(b"on", None).await.unwrap(),
        Saved::Stored(_)
    ));
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_foreign_table_is_left_alone_and_a_schema_helps() {
    let server = PostgresServer::start();
    server.ask("CREATE TABLE maintenance (car text); CREATE SCHEMA ops");
    refuses(&server.url(), "is another's; give the store a schema", true).await;
    let store = format!("{}?options=-csearch_path%3Dops", server.url());
    let store = PostgresStore::new(&store).unwrap();
    store.save(b"on", None).await.unwrap();
    assert_eq!(server.ask("SELECT count(*) FROM ops.maintenance"), "1");
    assert_eq!(server.ask("SELECT count(*) FROM maintenance"), "0");
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_standby_and_a_database_that_is_read_only_are_told_apart_and_the_primary_is_found() {
    let server = PostgresServer::start();
    let standby = server.standby();
    refuses(&standby.url(), "it is a standby", false).await;
    let both = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres",
        standby.port(),
        server.port()
    );
    let store = PostgresStore::new(&both).unwrap();
    store.save(b"on", None).await.unwrap();
    assert_eq!(server.document(), "on");
    server.ask("ALTER DATABASE postgres SET default_transaction_read_only = on");
    refuses(&server.url(), "is set to read-only", false).await;
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn nothing_too_much_and_something_else_at_the_address_are_told() {
    refuses(&url(free_port()), "nothing listens there", false).await;
    let no_socket = "postgres://postgres@/postgres?host=/no/such/folder";
    refuses(no_socket, "nothing listens there", false).await;
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
    refuses(&url(port), "check the address", false).await;
    let server = PostgresServer::start();
    server.ask("CREATE ROLE shop LOGIN CONNECTION LIMIT 0");
    let shop = format!("postgres://shop@127.0.0.1:{}/postgres", server.port());
    refuses(&shop, "too many connections", false).await;
    let tls = format!("{}?sslmode=require", server.url());
    refuses(&tls, "does not support TLS", false).await;
}

/// Runs this test once more, as a process with these variables.
fn again(test: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .envs(variables.iter().copied());
    command.output().unwrap()
}

/// Where a process is told its store.
const CHILD: &str = "TEST_POSTGRES_STORE";

async fn child() -> bool {
    let Ok(url) = std::env::var(CHILD) else {
        return false;
    };
    let store = PostgresStore::new(&url).unwrap();
    let loaded = store.load().await.unwrap_or_else(|error| panic!("{error}"));
    if loaded.is_none() {
        store.save(b"on", None).await.unwrap();
    }
    true
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_log_in_is_taken_from_the_url_the_environment_the_file_or_the_socket() {
    const TEST: &str =
        "postgres_errors::a_log_in_is_taken_from_the_url_the_environment_the_file_or_the_socket";
    if child().await {
        return;
    }
    let server = PostgresServer::start();
    with_passwords(&server);
    server.ask("GRANT CREATE ON SCHEMA public TO shop");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".pgpass");
    fs::write(
        &file,
        format!("127.0.0.1:{}:postgres:shop:ge heim#1\n", server.port()),
    )
    .unwrap();
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o600);
    let port = server.port();
    let bare = format!("postgres://127.0.0.1:{port}/postgres");
    let named = format!("postgres://shop@127.0.0.1:{port}/postgres");
    let whole = format!("postgres://shop:ge%20heim%231@127.0.0.1:{port}/postgres");
    let socket = format!(
        "postgres://shop@/postgres?host={}&port={port}",
        server.socket()
    );
    let home = folder.path().to_str().unwrap();
    let succeeds = |variables: &[(&str, &str)]| {
        let output = again(TEST, variables);
        assert!(output.status.success(), "{variables:?} {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    };
    succeeds(&[(CHILD, &whole), ("HOME", "/")]);
    succeeds(&[
        (CHILD, &bare),
        ("PGUSER", "shop"),
        ("PGPASSWORD", "ge heim#1"),
        ("HOME", "/"),
    ]);
    succeeds(&[(CHILD, &named), ("HOME", home)]);
    succeeds(&[
        (CHILD, &named),
        ("HOME", "/"),
        ("PGPASSFILE", file.to_str().unwrap()),
    ]);
    succeeds(&[(CHILD, &socket), ("HOME", "/")]);
    // As libpq: a file that others read is no secret.
    mode(0o644);
    let output = again(TEST, &[(CHILD, &named), ("HOME", home)]);
    assert!(!output.status.success());
}

#[tokio::test]
#[ignore = "needs postgres and openssl"]
async fn a_server_by_tls_is_trusted_as_far_as_is_asked() {
    const TEST: &str = "postgres_errors::a_server_by_tls_is_trusted_as_far_as_is_asked";
    if child().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let server = PostgresServer::start();
    server.put("server.crt", &read("cert.pem"));
    server.put("server.key", &read("key.pem"));
    server.put(
        "pg_hba.conf",
        "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
    );
    server.ask("ALTER SYSTEM SET ssl = on");
    server.reload();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (ca, other) = (path("ca.pem"), path("other.pem"));
    // The certificate is for `localhost`.
    let by = |host: &str, query: &str| {
        format!(
            "postgres://postgres@{host}:{}/postgres?{query}",
            server.port()
        )
    };
    let open = |url: String, authority: &Path| {
        let variables = [
            (CHILD, url.as_str()),
            ("SSL_CERT_FILE", authority.to_str().unwrap()),
        ];
        again(TEST, &variables)
    };
    for (host, query, authority, is_right) in [
        ("127.0.0.1", String::new(), &other, true),
        ("127.0.0.1", "sslmode=require".to_owned(), &other, true),
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={ca}"),
            &other,
            true,
        ),
        (
            "127.0.0.1",
            format!("sslmode=require&sslrootcert={other}"),
            &ca,
            false,
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-full&sslrootcert={ca}"),
            &ca,
            false,
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={ca}"),
            &other,
            true,
        ),
        ("localhost", "sslmode=verify-full".to_owned(), &ca, true),
        ("localhost", "sslmode=verify-full".to_owned(), &other, false),
    ] {
        let output = open(by(host, &query), Path::new(authority));
        assert_eq!(
            output.status.success(),
            is_right,
            "{host} {query} {output:?}"
        );
        if !is_right {
            let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
            assert!(text.contains("certificate"), "{text}");
        }
    }
    let (text, _) = fault(&by("127.0.0.1", "sslmode=disable")).await;
    assert!(text.contains("no encryption"), "{text}");
}
