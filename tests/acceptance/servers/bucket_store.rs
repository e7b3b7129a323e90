//! A bucket of an object store as a store: S3, by moto's server.

use std::{
    io::{BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, Settings,
    store::{BucketStore, Store, conformance::Suite},
};

use crate::{eventually::within, redis_server::free_port};

const PATIENCE: Duration = Duration::from_secs(60);

/// Says where the server is to the processes that take part: the settings of S3 come from the
/// environment, which must be there before the first thread. So each test runs again as a child.
const ENDPOINT: &str = "AWS_ENDPOINT";

/// An S3 that keeps nothing. It ends when this is dropped.
struct S3 {
    process: Child,
    /// Where requests go one after the other.
    address: String,
}

impl S3 {
    fn start() -> Self {
        let port = free_port();
        let process = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start moto_server");
        let server = Self {
            process,
            address: one_at_a_time(port),
        };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < PATIENCE, "moto_server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        server.put("/bucket");
        server
    }

    /// A request as curl makes it: the emulator asks for no signature.
    fn put(&self, path: &str) {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "PUT {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        );
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Passes requests on one after the other. The emulator compares a tag and writes in two steps,
/// between which another request can come; S3 itself does both in one.
fn one_at_a_time(port: u16) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let turn = Arc::new(Mutex::new(()));
    // Ends with the process.
    thread::spawn(move || {
        for client in listener.incoming() {
            let turn = Arc::clone(&turn);
            thread::spawn(move || serve(client.unwrap(), port, &turn));
        }
    });
    address
}

fn serve(client: TcpStream, port: u16, turn: &Mutex<()>) -> Option<()> {
    let mut requests = BufReader::new(client.try_clone().ok()?);
    let mut client = client;
    loop {
        let request = message(&mut requests, false)?;
        let _turn = turn.lock().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
        server.write_all(&request).ok()?;
        let is_head = request.starts_with(b"HEAD");
        let answer = message(&mut BufReader::new(server), is_head)?;
        client.write_all(&answer).ok()?;
        if String::from_utf8_lossy(&request).contains("Connection: close") {
            return Some(());
        }
    }
}

/// Reads one message of HTTP, headers and body.
fn message(from: &mut impl std::io::BufRead, is_head: bool) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut length = Some(0);
    loop {
        let begin = message.len();
        from.read_until(b'\n', &mut message)
            .ok()
            .filter(|it| *it > 0)?;
        let line = String::from_utf8_lossy(&message[begin..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; if is_head { 0 } else { length? }];
    from.read_exact(&mut body).ok()?;
    message.extend(body);
    Some(message)
}

/// Runs this test once more, in a process that knows the server by its environment. `None` in that
/// process: there the test goes on.
fn run_with_s3(test: &str) -> Option<()> {
    if std::env::var(ENDPOINT).is_ok() {
        return None;
    }
    let server = S3::start();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(ENDPOINT, format!("http://{}", server.address))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "geheim")
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    Some(())
}

#[tokio::test]
#[ignore = "needs moto_server"]
async fn a_bucket_of_s3_is_a_store() {
    const TEST: &str = "bucket_store::a_bucket_of_s3_is_a_store";
    if run_with_s3(TEST).is_some() {
        return;
    }
    let mut count = 0;
    let fresh = move || {
        count += 1;
        format!("s3://bucket/place/{count}")
    };
    Suite::new(fresh, |url| async move { BucketStore::new(&url) })
        .processes(TEST)
        .lease_time(Duration::from_secs(4))
        .check()
        .await
        .unwrap();
}

#[actix_web::test]
#[ignore = "needs moto_server"]
async fn nodes_agree_by_a_bucket_and_its_faults_are_told() {
    if run_with_s3("bucket_store::nodes_agree_by_a_bucket_and_its_faults_are_told").is_some() {
        return;
    }
    let node = async || {
        let mut settings = Settings::default();
        settings.store = "s3://bucket/shop".to_owned();
        Maintenance::builder()
            .settings(settings)
            .build()
            .await
            .unwrap()
    };
    let (one, two) = (node().await, node().await);
    one.turn_on().reason("disks").await.unwrap();
    within(PATIENCE, "the other finds it", || two.is_on()).await;
    two.turn_off().await.unwrap();
    within(PATIENCE, "the other finds it", || !one.is_on()).await;

    let store = BucketStore::new("s3://no-such-bucket/a").unwrap();
    for error in [
        store.load().await.unwrap_err(),
        store.save(b"on", None).await.unwrap_err(),
        store.leases("").await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("there is no such bucket; make it"), "{text}");
        assert!(text.contains("s3://no-such-bucket/a"), "{text}");
        assert!(!text.contains("geheim"), "{text}");
    }
}
