//! A way to a server that a test can disturb.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Everything arrives this much later.
    Slow(Duration),
    /// Nothing arrives, and nobody is told, as behind a firewall that drops.
    BlackHole,
    /// Connections are closed, and new ones too.
    Cut,
}

/// Passes bytes on between clients and a server on this machine.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    way: Arc<Mutex<Way>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            way: Arc::new(Mutex::new(Way::Open)),
            open: Arc::default(),
        };
        let (way, open) = (Arc::clone(&proxy.way), Arc::clone(&proxy.open));
        // Ends with the process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if *way.lock().unwrap() == Way::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    open.lock().unwrap().push(from.try_clone().unwrap());
                    let way = Arc::clone(&way);
                    thread::spawn(move || pass(from, to, &way));
                }
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn is(&self, way: Way) {
        *self.way.lock().unwrap() = way;
        if way == Way::Cut {
            for connection in self.open.lock().unwrap().drain(..) {
                // It may be closed already.
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, way: &Mutex<Way>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).unwrap_or(0);
        if count == 0 {
            break;
        }
        let way = *way.lock().unwrap();
        match way {
            Way::Open => {}
            Way::Slow(late) => thread::sleep(late),
            Way::BlackHole => continue,
            Way::Cut => break,
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
