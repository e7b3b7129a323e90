//! A Redis server by TLS, with a certificate of an authority of this test's own.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use actix_maintenance_mode::store::{RedisStore, Saved, Store};

use crate::{certificates::certificates, eventually::within, redis_server::free_port};

/// Where the port is told to the process that has the authority in its environment, by
/// `SSL_CERT_FILE`, which must be there before the first thread.
const PORT: &str = "TEST_TLS_PORT";

#[tokio::test]
#[ignore = "needs redis-server and openssl"]
async fn a_server_by_tls_is_trusted_by_its_certificate_alone() {
    if let Ok(port) = std::env::var(PORT) {
        return child(&port).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificates(folder);
    let port = free_port();
    let mut server = Command::new("redis-server")
        .current_dir(folder)
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
            "--tls-port",
            &port.to_string(),
        ])
        .args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"])
        .args([
            "--tls-ca-cert-file",
            "ca.pem",
            "--tls-auth-clients",
            "no",
            "--save",
            "",
        ])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    within(Duration::from_secs(20), "the server starts", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    let run = |authority: &Path| {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "redis_tls::a_server_by_tls_is_trusted_by_its_certificate_alone",
                "--exact",
            ])
            .args(["--include-ignored", "--nocapture"])
            .env(PORT, port.to_string())
            .env("SSL_CERT_FILE", authority)
            .output()
            .unwrap()
    };
    let trusted = run(&folder.join("ca.pem"));
    // Another authority, which has nothing to do with the server.
    let untrusted = run(&folder.join("other.pem"));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(trusted.status.success(), "{trusted:?}");
    assert!(String::from_utf8_lossy(&trusted.stdout).contains("1 passed"));
    assert!(!untrusted.status.success());
    let text = String::from_utf8_lossy(&untrusted.stderr);
    assert!(text.contains("the connection failed"), "{text}");
    assert!(text.to_lowercase().contains("certificate"), "{text}");
}

async fn child(port: &str) {
    let store = RedisStore::new(&format!("rediss://localhost:{port}")).unwrap();
    let saved = store.save(b"on", None).await;
    assert!(matches!(saved.unwrap(), Saved::Stored(_)));
    assert_eq!(store.load().await.unwrap().unwrap().document, b"on");
    let by_address = RedisStore::new(&format!("rediss://127.0.0.1:{port}")).unwrap();
    let text = by_address.load().await.unwrap_err().to_string();
    assert!(text.contains("the connection failed"), "{text}");
}
