//! What a failure of a server means, and what to do about it.

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::server::reason::{NOTHING_LISTENS, Reason, SILENT};

/// What an error of the client library means.
pub(super) fn reason(error: &RedisError, prefix: &str) -> Reason {
    Reason {
        text: told(error, prefix),
        // A replica is none of them: it may be on its way through a fail-over.
        is_permanent: matches!(
            error.code(),
            Some("NOAUTH" | "WRONGPASS" | "NOPERM" | "WRONGTYPE" | "MOVED" | "CROSSSLOT")
        ) || matches!(
            error.kind(),
            ErrorKind::AuthenticationFailed | ErrorKind::Parse
        ),
    }
}

/// What a server says of itself.
pub(super) fn of_role(text: &str) -> Reason {
    Reason {
        text: text.to_owned(),
        is_permanent: text != REPLICA,
    }
}

/// Says in words what has happened and what helps.
fn told(error: &RedisError, prefix: &str) -> String {
    if let Some(text) = by_code(error, prefix) {
        return text;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => LOGIN.to_owned(),
        ErrorKind::Io if error.is_timeout() => SILENT.to_owned(),
        ErrorKind::Io if error.is_connection_refusal() => NOTHING_LISTENS.to_owned(),
        ErrorKind::Io => format!(
            "the connection failed ({}); check the address, the network and the server",
            first_line(error)
        ),
        ErrorKind::Server(_) | ErrorKind::Extension => {
            format!("the server answers: {}", first_line(error))
        }
        _ => format!(
            "it answers as no Redis server does ({}); check the address",
            first_line(error)
        ),
    }
}

/// Whether the connection leads to the wrong place, so that a new one may lead to the right one:
/// names and proxies follow a fail-over.
pub(super) fn is_misled(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::ReadOnly
                | ServerErrorKind::MasterDown
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::ClusterDown
        )
    )
}

pub(super) const REPLICA: &str =
    "it is a read-only replica; give the address of the primary, or of a proxy that leads to it";

pub(super) const CLUSTER: &str = "it is a node of a Redis Cluster, which this store does not \
     follow; give the address of a single server";

pub(super) const SENTINEL: &str = "it is a Sentinel, which this store does not ask; give the \
     address of the primary, or of a proxy that leads to it";

const LOGIN: &str = "the server does not accept the user and password, or wants some; give \
     \"redis://user:password@host\"";

fn by_code(error: &RedisError, prefix: &str) -> Option<String> {
    let text = match error.code()? {
        "NOAUTH" | "WRONGPASS" => LOGIN.to_owned(),
        "NOPERM" => format!(
            "the server's access rules forbid it ({}); allow the user get, strlen, set, del, pexpire, pttl, \
             zadd, zrem, zrangebylex, exists, hello, ping, time, info, eval, evalsha, script|load, publish \
             and subscribe on the keys and the channel `{prefix}:*`",
            first_line(error)
        ),
        "READONLY" => REPLICA.to_owned(),
        "MOVED" | "ASK" | "CLUSTERDOWN" | "CROSSSLOT" => CLUSTER.to_owned(),
        "OOM" => "the server is out of memory; raise its `maxmemory`, or make room".to_owned(),
        "LOADING" => "the server is still loading its data; it answers when it is done".to_owned(),
        "BUSY" => "the server is busy with a script; end it by SCRIPT KILL".to_owned(),
        "MASTERDOWN" => {
            "the server is a replica that has lost its primary; give the address of the primary"
                .to_owned()
        }
        "MISCONF" => {
            "the server cannot save to its disk and takes no writes; look at its log, and free some \
             space"
                .to_owned()
        }
        "NOREPLICAS" => {
            "the server has too few replicas to take writes (`min-replicas-to-write`)".to_owned()
        }
        "WRONGTYPE" => format!(
            "a key that begins with `{prefix}:` holds something else; give another `?prefix=`"
        ),
        _ => return None,
    };
    Some(text)
}

fn first_line(error: &RedisError) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
