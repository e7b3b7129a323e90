//! Requests of HTTP/2 that wait for the reopening.

use std::time::Duration;

use actix_http::HttpService;
use actix_maintenance_mode::Maintenance;
use actix_service::{ServiceFactory as _, map_config};
use actix_web::{
    App, HttpResponse,
    dev::{AppConfig, Service as _},
    http::Method,
    rt, web,
    web::Bytes,
};
use h2::client::{ResponseFuture, SendRequest, handshake};
use http::Request;
use tokio::net::{TcpListener, TcpStream};

use crate::{eventually::eventually, test_app::maintenance};

const LONG: Duration = Duration::from_secs(30);

async fn echo(body: Bytes) -> String {
    format!("{} bytes", body.len())
}

/// A connection of HTTP/2 to an app.
async fn connect(maintenance: &Maintenance) -> (SendRequest<Bytes>, rt::task::JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let maintenance = maintenance.clone();
    rt::spawn(async move {
        let app = App::new()
            .route("/echo", web::post().to(echo))
            .default_service(web::to(async || HttpResponse::Ok().body("served")))
            .wrap(maintenance.middleware());
        let service = HttpService::build().h2(map_config(app, |_| AppConfig::default()));
        let service = service.new_service(()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        // How a connection ends is the client's.
        let _ = service.call((stream, Some(peer))).await;
        // Requests outlive it.
        std::future::pending::<()>().await;
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = handshake(stream).await.unwrap();
    let connection = rt::spawn(async move {
        let _ = connection.await;
    });
    (client, connection)
}

/// Sends a request; `length` is what it says of its body.
async fn send(
    client: &mut SendRequest<Bytes>,
    method: Method,
    body: Option<&'static str>,
    length: Option<usize>,
) -> ResponseFuture {
    let mut ready = client.clone().ready().await.unwrap();
    let path = if method == Method::GET { "" } else { "echo" };
    let uri = format!("http://x/{path}");
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    let request = request.body(()).unwrap();
    let (answer, mut sends) = ready.send_request(request, body.is_none()).unwrap();
    if let Some(body) = body {
        sends
            .send_data(Bytes::from_static(body.as_bytes()), true)
            .unwrap();
    }
    answer
}

async fn read(answer: ResponseFuture) -> (u16, String) {
    let (head, mut body) = answer.await.unwrap().into_parts();
    let mut text = Vec::new();
    while let Some(chunk) = body.data().await {
        text.extend_from_slice(&chunk.unwrap());
    }
    (head.status.as_u16(), String::from_utf8(text).unwrap())
}

async fn wait_for(maintenance: &Maintenance, count: u64) {
    let what = format!("{count} requests wait");
    eventually(&what, || maintenance.status().parked == Some(count)).await;
}

#[actix_web::test]
async fn what_has_no_body_or_a_small_one_waits_and_what_does_not_say_is_refused() {
    let maintenance = maintenance(|builder| builder).await;
    let (mut client, _connection) = connect(&maintenance).await;
    assert_eq!(
        read(send(&mut client, Method::GET, None, None).await)
            .await
            .0,
        200
    );
    maintenance.turn_on().park(LONG).await.unwrap();
    let reads = send(&mut client, Method::GET, None, None).await;
    let empty = send(&mut client, Method::POST, None, None).await;
    let small = send(&mut client, Method::POST, Some("1234567"), Some(7)).await;
    wait_for(&maintenance, 3).await;
    let unknown = send(&mut client, Method::POST, Some("1234567"), None).await;
    assert_eq!(read(unknown).await.0, 503);
    maintenance.turn_off().await.unwrap();
    assert_eq!(read(reads).await.0, 200);
    assert_eq!(read(empty).await, (200, "0 bytes".to_owned()));
    assert_eq!(read(small).await, (200, "7 bytes".to_owned()));
    assert_eq!(maintenance.status().parked, Some(0));
}

#[actix_web::test]
async fn a_client_that_gives_up_or_goes_away_frees_its_place() {
    let maintenance = maintenance(|builder| builder).await;
    let (mut client, connection) = connect(&maintenance).await;
    maintenance.turn_on().park(LONG).await.unwrap();
    let given_up = send(&mut client, Method::GET, None, None).await;
    let stays = send(&mut client, Method::GET, None, None).await;
    wait_for(&maintenance, 2).await;
    drop(given_up);
    wait_for(&maintenance, 1).await;
    connection.abort();
    wait_for(&maintenance, 0).await;
    drop(stays);
}
