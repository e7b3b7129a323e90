//! A site by https: whose certificate is trusted, and what is sent to one whose is not.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{Operator, Ran};
use crate::certificates::certificates;

const SECRET: &str = "mmt_geheim";

/// Refuses everybody by https, and keeps what it has heard.
fn listener(folder: &Path) -> (u16, Arc<Mutex<Vec<String>>>) {
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem")).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let keeps = Arc::clone(&heard);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, connection.unwrap());
            let mut request = [0; 4096];
            // Whoever does not trust it goes away.
            let Ok(read) = stream.read(&mut request) else {
                continue;
            };
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            keeps.lock().unwrap().push(request);
            let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (port, heard)
}

#[test]
#[ignore = "needs openssl"]
fn a_site_is_trusted_by_its_certificate_alone() {
    let operator = Operator::new();
    certificates(operator.path());
    let (port, heard) = listener(operator.path());
    let run = |host: &str, authority: &[&str]| {
        let url = format!("https://{host}:{port}/maintenance-mode");
        let mut command = operator.command(&[&["--url", &url], authority, &["status"]].concat());
        command.env("MAINTENANCE_TOKEN", SECRET);
        let ran = Ran::of(command);
        assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
        ran
    };
    // The system does not know the authority, the file has another, the name is another.
    for (host, authority) in [
        ("localhost", &[][..]),
        ("localhost", &["--ca-file", "other.pem"]),
        ("127.0.0.1", &["--ca-file", "ca.pem"]),
    ] {
        let ran = run(host, authority);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.err.contains("certificate"), "{ran:?}");
        assert!(ran.err.contains("--ca-file"), "{ran:?}");
    }
    assert_eq!(*heard.lock().unwrap(), [""; 0]);

    let ran = run("localhost", &["--ca-file", "ca.pem"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("refuses the token (403)"), "{ran:?}");
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    assert!(
        heard[0].starts_with("GET /maintenance-mode/status ") && heard[0].contains(SECRET),
        "{heard:?}"
    );
}

#[test]
fn authorities_that_are_none_are_told() {
    let operator = Operator::new();
    operator.write("empty.pem", "");
    let damaged = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    operator.write("damaged.pem", damaged);
    for (file, says) in [
        ("missing.pem", "cannot be read"),
        ("empty.pem", "holds no certificate"),
        ("damaged.pem", "damaged"),
    ] {
        let url = "https://localhost:1/maintenance-mode";
        let ran = operator.fails(1, &["--url", url, "--ca-file", file, "status"]);
        assert!(ran.err.contains(says) && ran.err.contains(file), "{ran:?}");
    }
}
