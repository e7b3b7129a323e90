//! An app behind a socket, for what only the wire shows.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    Error, HttpServer,
    body::MessageBody,
    dev::{AppConfig, ServerHandle, ServiceFactory},
    rt,
};

/// How long anything on loopback may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with one worker on a free loopback port.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl TestServer {
    pub(crate) fn start<F, I, S, B>(app: F) -> Self
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error>,
        S::InitError: std::fmt::Debug,
        S::Response: Into<actix_http::Response<B>>,
        B: MessageBody + 'static,
    {
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self { address, handle }
    }

    /// Sends a request without a body and reads all that comes back.
    pub(crate) async fn send(&self, request_line: &str, headers: &str) -> WireAnswer {
        send(self.address, request_line, headers).await
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// Sends a request without a body to any server and reads all that comes back.
pub(crate) async fn send(address: SocketAddr, request_line: &str, headers: &str) -> WireAnswer {
    let request =
        format!("{request_line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    rt::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        WireAnswer(String::from_utf8_lossy(&answer).into_owned())
    })
    .await
    .unwrap()
}

/// A response as it went over the wire.
#[derive(Debug)]
pub(crate) struct WireAnswer(String);

impl WireAnswer {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.0.split_once("\r\n\r\n")?;
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }
}
