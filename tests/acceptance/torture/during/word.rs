//! What is known of the site once the job is over: it is open, or it is told that the job is lost.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::roles::TOKEN;

/// What a round ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// Every node lets visitors in.
    Open,
    /// The status says that the job is lost, and the site is closed.
    Lost,
    /// Neither, in the time that there is: what the status says.
    None(String),
}

/// The status as a node tells it.
pub(crate) async fn status(address: SocketAddr) -> std::io::Result<Value> {
    let mut connection = TcpStream::connect(address).await?;
    let question = format!(
        "GET /maintenance-mode/status HTTP/1.0\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    connection.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let (_, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| std::io::Error::other("not an answer"))?;
    serde_json::from_str(body).map_err(std::io::Error::other)
}

/// Whether a status says that the job which held the site is lost, and has closed it.
pub(crate) fn says_lost(status: &Value) -> bool {
    let mode = &status["modes"][0];
    mode["held"]["lost_at"].is_string() && mode["phase"] != "online"
}

/// Whether a log says that the job of this name is lost.
pub(crate) fn logs_loss(log: &str, name: &str) -> bool {
    let mut lines = log.lines();
    lines.any(|line| line.contains("maintenance.holder-lost") && line.contains(name))
}
