//! Ways to a server on this machine, which fail as networks do.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::sleep,
};

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// Everything arrives this much later.
    Slow(Duration),
    /// Nothing arrives until it is open again, then late, as TCP sends again what was lost.
    Hole,
    /// The same for what the server says: it hears and does, and nobody learns of it.
    HalfOpen,
    /// Connections are closed, and new ones too.
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

impl State {
    fn holds(self, direction: Direction) -> bool {
        match self {
            Self::Hole => true,
            Self::HalfOpen => direction == Direction::ToClient,
            Self::Open | Self::Slow(_) | Self::Cut => false,
        }
    }
}

/// A way. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
}

impl Way {
    pub(crate) async fn to(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = watch::Sender::new(State::Open);
        tokio::spawn({
            let state = state.subscribe();
            async move {
                tokio::select! {
                    () = accept(listener, server, state.clone()) => {}
                    () = until_gone(state) => {}
                }
            }
        });
        Ok(Self { address, state })
    }

    pub(crate) fn is(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn until_gone(mut state: watch::Receiver<State>) {
    while state.changed().await.is_ok() {}
}

async fn accept(listener: TcpListener, server: SocketAddr, state: watch::Receiver<State>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let state = state.clone();
        tokio::spawn(async move {
            if *state.borrow() == State::Cut {
                return;
            }
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            // As both ends have it: a question and its answer are small.
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::join!(
                pass(from_client, to_server, Direction::ToServer, state.clone()),
                pass(from_server, to_client, Direction::ToClient, state),
            );
        });
    }
}

/// Passes on until either end, or the way, is closed.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    mut state: watch::Receiver<State>,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let count = tokio::select! {
            count = from.read(&mut bytes) => count.unwrap_or(0),
            changed = state.changed() => {
                if changed.is_err() || *state.borrow() == State::Cut {
                    return;
                }
                continue;
            }
        };
        if count == 0 {
            return;
        }
        let now = *state.borrow_and_update();
        if let State::Slow(late) = now {
            sleep(late).await;
        }
        while state.borrow_and_update().holds(direction) {
            if state.changed().await.is_err() {
                return;
            }
        }
        if *state.borrow() == State::Cut || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
