//! A request that asks for a WebSocket and is answered by a handler that reads a body.
//!
//! What is its body? To actix it is all that its client ever sends. So the handler waits for the end
//! of it, with this crate as without.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use actix_maintenance_mode::{Maintenance, Phase};
use actix_web::{App, web};

use crate::{eventually::eventually, test_app::maintenance, test_server::TestServer};

// A `Content-Length` would change nothing: actix does not look at it here.
const ASKS: &str = "POST /items HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\n\r\n";

async fn items(body: web::Bytes) -> String {
    format!("{} bytes", body.len())
}

fn ask(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(ASKS.as_bytes()).unwrap();
    client
}

/// What comes back within a moment.
fn answer(client: &mut TcpStream, moment: Duration) -> String {
    client.set_read_timeout(Some(moment)).unwrap();
    let mut buffer = [0; 1024];
    let length = client.read(&mut buffer).unwrap_or(0);
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[actix_web::test]
async fn actix_itself_waits_until_the_client_leaves() {
    let server = TestServer::start(|| App::new().route("/items", web::post().to(items)));
    let mut client = ask(server.address);
    assert_eq!(answer(&mut client, Duration::from_secs(1)), "");
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let answered = answer(&mut client, Duration::from_secs(20));
    assert!(
        answered.contains("0 bytes") || answered.is_empty(),
        "{answered}"
    );
    server.stop().await;
}

fn serve(maintenance: &Maintenance) -> TestServer {
    let maintenance = maintenance.clone();
    TestServer::start(move || {
        App::new()
            .route("/items", web::post().to(items))
            .wrap(maintenance.middleware())
    })
}

#[actix_web::test]
async fn such_a_request_is_counted_apart_and_holds_up_no_drain() {
    let maintenance = maintenance(|builder| builder).await;
    let server = serve(&maintenance);
    let mut client = ask(server.address);
    eventually("it is counted apart", || {
        maintenance.status().endless == Some(1)
    })
    .await;
    assert_eq!(maintenance.status().in_flight, Some(0));
    assert_eq!(answer(&mut client, Duration::from_millis(300)), "");

    let turn_on = maintenance
        .turn_on()
        .drain()
        .drain_timeout(Duration::from_secs(600));
    turn_on.await.unwrap();
    eventually("the drain is over", || {
        maintenance.phase() == Phase::Offline
    })
    .await;
    assert_eq!(
        maintenance.status().endless,
        Some(1),
        "it is there all the while"
    );
    drop(client);
    eventually("it is gone", || maintenance.status().endless == Some(0)).await;
    server.stop().await;
}

#[actix_web::test]
async fn one_whose_body_has_an_end_is_a_request_as_any_other() {
    let maintenance = maintenance(|builder| builder).await;
    let server = serve(&maintenance);
    let mut client = TcpStream::connect(server.address).unwrap();
    let head = ASKS.trim_end();
    let chunked = format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.write_all(chunked.as_bytes()).unwrap();
    eventually("it is inside", || maintenance.status().in_flight == Some(1)).await;
    assert_eq!(maintenance.status().endless, Some(0));
    client.write_all(b"0\r\n\r\n").unwrap();
    let answered = answer(&mut client, Duration::from_secs(20));
    assert!(answered.contains("200 OK"), "{answered}");
    server.stop().await;
}
