use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;

const SHORT: Patience = Patience {
    connect: Duration::from_secs(5),
    reading: Duration::from_millis(300),
    changing: Duration::from_millis(300),
};

/// Something that listens, and counts who comes.
struct Listener {
    address: SocketAddr,
    came: Arc<AtomicUsize>,
}

impl Listener {
    fn new(answer: impl Fn(usize, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let came = Arc::new(AtomicUsize::new(0));
        let address = listener.local_addr().unwrap();
        let counts = Arc::clone(&came);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let number = counts.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4096];
                let _ = connection.read(&mut request);
                answer(number, &mut connection);
            }
        });
        Self { address, came }
    }

    fn client(&self) -> Client {
        let address = Address::parse(&format!("http://{}", self.address)).unwrap();
        let token = Token::new("mmt_secret", "here").unwrap();
        Client::new(address, Some(token), None, SHORT).unwrap()
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

fn answers(text: &'static str) -> impl Fn(usize, &mut TcpStream) + Send {
    move |_, connection| connection.write_all(text.as_bytes()).unwrap()
}

const BAD_GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

#[test]
fn what_only_reads_is_tried_again_and_a_change_is_not() {
    let listener = Listener::new(|number, connection| {
        let text = if number < 2 { BAD_GATEWAY } else { FINE };
        connection.write_all(text.as_bytes()).unwrap();
    });
    assert_eq!(listener.client().get("/status").unwrap().status, 200);
    assert_eq!(listener.came(), 3);

    let listener = Listener::new(answers(BAD_GATEWAY));
    let answer = listener
        .client()
        .change(&Method::DELETE, "/modes/site", None);
    assert_eq!(answer.unwrap().status, 502);
    assert_eq!(listener.came(), 1);
}

#[test]
fn whoever_hangs_is_not_waited_for_for_ever_and_a_change_may_have_been_made() {
    let hangs = |_: usize, connection: &mut TcpStream| {
        let _ = connection.read(&mut [0; 1]);
    };
    let listener = Listener::new(hangs);
    let begin = std::time::Instant::now();
    let unreached = listener.client().get("/status").unwrap_err();
    assert!(
        unreached.why.contains("not answered within 300ms"),
        "{unreached:?}"
    );
    assert_eq!(listener.came(), 1);
    let body = serde_json::json!({});
    let listener = Listener::new(hangs);
    let unreached = listener
        .client()
        .change(&Method::PUT, "/modes/site", Some(&body));
    assert!(unreached.unwrap_err().may_have_been_sent);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_change_that_nobody_took_was_not_made_and_one_that_was_cut_off_may_be() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = Listener {
        address: gone.local_addr().unwrap(),
        came: Arc::default(),
    };
    drop(gone);
    let unreached = listener
        .client()
        .change(&Method::PUT, "/", None)
        .unwrap_err();
    assert!(!unreached.may_have_been_sent, "{unreached:?}");

    for text in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"] {
        let listener = Listener::new(answers(text));
        let unreached = listener
            .client()
            .change(&Method::PUT, "/", None)
            .unwrap_err();
        assert!(unreached.may_have_been_sent, "{text:?}: {unreached:?}");
        assert_eq!(listener.came(), 1);
    }
}

#[test]
fn an_answer_without_an_end_is_not_read_to_its_end() {
    let listener = Listener::new(|_, connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while connection.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let address = Address::parse(&format!("http://{}", listener.address)).unwrap();
    let client = Client::new(address, None, None, Patience::USUAL).unwrap();
    assert!(client.get("/status").unwrap().body.is_none());
    assert_eq!(listener.came(), 1);
}

#[test]
fn no_redirect_is_followed() {
    let elsewhere = Listener::new(answers(FINE));
    let location = format!("http://u:p@{}/m?token=secret#x", elsewhere.address);
    let text = format!(
        "HTTP/1.1 307 There\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let listener = Listener::new(move |_, connection| {
        connection.write_all(text.as_bytes()).unwrap();
    });
    let client = listener.client();
    let body = serde_json::json!({});
    for answer in [
        client.get("/status"),
        client.change(&Method::PUT, "/modes/site", Some(&body)),
        client.change(&Method::DELETE, "/modes/site", None),
    ] {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 307);
        let location = answer.location.unwrap();
        assert!(
            location.contains(&elsewhere.address.to_string()),
            "{location}"
        );
        assert!(
            !location.contains("secret") && !location.contains(":p@"),
            "{location}"
        );
    }
    assert_eq!(elsewhere.came(), 0);
}

#[test]
fn a_client_shows_its_token_to_nobody_who_prints_it() {
    let listener = Listener::new(answers(FINE));
    assert!(!format!("{:?}", listener.client()).contains("mmt_"));
}
