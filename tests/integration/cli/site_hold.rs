//! A hold that is renewed over HTTP, where the site does not always answer.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::settings::TokenSettings;

use super::{Operator, until};
use crate::demo::{self, Demo};

/// Between the program and a site: it hands on what it gets, but for renewals that it swallows.
struct Between {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// How many renewals are still to be swallowed.
    swallows: u32,
    /// When each renewal came, and whether it was handed on.
    renewals: Vec<(Instant, bool)>,
    /// Those that wait for an answer.
    kept: Vec<TcpStream>,
}

impl Between {
    fn new(site: SocketAddr, swallows: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            swallows,
            ..State::default()
        }));
        let kept = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, state) = (connection.unwrap(), Arc::clone(&kept));
                thread::spawn(move || hand_on(connection, site, &state));
            }
        });
        Self { address, state }
    }

    fn renewals(&self) -> Vec<(Instant, bool)> {
        self.state.lock().unwrap().renewals.clone()
    }
}

fn hand_on(mut connection: TcpStream, site: SocketAddr, state: &Mutex<State>) {
    let mut begin = vec![0; 64 * 1024];
    let length = connection.read(&mut begin).unwrap_or(0);
    let begin = &begin[..length];
    if begin.starts_with(b"POST /maintenance-mode/modes/site/held ") {
        let mut state = state.lock().unwrap();
        let is_handed_on = state.swallows == 0;
        state.renewals.push((Instant::now(), is_handed_on));
        if !is_handed_on {
            state.swallows -= 1;
            state.kept.push(connection);
            return;
        }
    }
    let mut behind = TcpStream::connect(site).unwrap();
    behind.write_all(begin).unwrap();
    let mut there = (connection.try_clone().unwrap(), behind.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut there.0, &mut there.1);
    });
    let _ = std::io::copy(&mut behind, &mut connection);
    let _ = connection.shutdown(Shutdown::Both);
}

/// A renewal that is not answered must not be waited for until the lease has lapsed.
#[test]
fn a_renewal_that_is_not_answered_is_sent_again_within_a_quarter_of_the_lease() {
    const LEASE: Duration = Duration::from_secs(8);
    let operator = Operator::new();
    let (token, secret) = TokenSettings::generate("deploy").unwrap();
    let tokens = format!(
        "[{{ name = \"deploy\", hash = \"{}\", see = true, toggle = true }}]",
        token.hash
    );
    let mut command = demo::command(operator.path());
    command.env("MAINTENANCE_ADMIN__TOKENS", &tokens);
    let demo = Demo::start_by(command, std::process::Stdio::null());
    let between = Between::new(demo.address, 1);
    let url = format!("http://{}/maintenance-mode", between.address);
    let line = "echo > ready; while [ ! -e go ]; do sleep 0.02; done";
    let mut command = operator.command(&["--url", &url, "during", "--if-lost", "reopen"]);
    command
        .args(["--lost-after", "8s", "--", "sh", "-c", line])
        .env("MAINTENANCE_TOKEN", &secret);
    let running = super::start(command);
    until("it runs", || operator.exists("ready"));
    until("a renewal has come through", || {
        between
            .renewals()
            .iter()
            .any(|(_, is_handed_on)| *is_handed_on)
    });
    let renewals = between.renewals();
    let handed_on: Vec<bool> = renewals.iter().map(|(_, it)| *it).collect();
    assert_eq!(handed_on[..2], [false, true]);
    // Given up after a quarter, and sent again after half a second; some more on a busy machine.
    let waited = renewals[1].0 - renewals[0].0;
    assert!(waited < LEASE / 2, "{waited:?}");
    assert_eq!(operator.phase(), "offline");
    operator.write("go", "");
    let ran = running.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(operator.phase(), "online");
}
