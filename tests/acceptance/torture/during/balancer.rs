//! What stands before the nodes, as a load balancer: each connection goes to the next one that takes it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::failure::{Failure, because};

/// It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    nodes: Arc<Mutex<Vec<SocketAddr>>>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    pub(crate) async fn open() -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(because("cannot listen"))?;
        let address = listener.local_addr().map_err(because("cannot listen"))?;
        let nodes = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&nodes)));
        Ok(Self {
            address,
            nodes,
            accepting,
        })
    }

    /// These are the nodes from now on.
    pub(crate) fn goes_to(&self, nodes: Vec<SocketAddr>) {
        *self.nodes.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, nodes: Arc<Mutex<Vec<SocketAddr>>>) {
    let turn = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((mut client, _)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (nodes, turn) = (Arc::clone(&nodes), Arc::clone(&turn));
        tokio::spawn(async move {
            let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let next = turn.fetch_add(1, Ordering::Relaxed);
            if let Some(first) = next.checked_rem(nodes.len()) {
                nodes.rotate_left(first);
            }
            for node in nodes {
                if let Ok(mut server) = TcpStream::connect(node).await {
                    // Either end may go away at any time.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                    return;
                }
            }
        });
    }
}
