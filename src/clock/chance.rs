//! What is another each time: names that nobody else has, and pauses that differ from node to node.

use std::{io, iter, time::Duration};

/// A name of so many letters and digits, for what no two may share.
pub(crate) fn name(length: usize) -> String {
    iter::repeat_with(fastrand::alphanumeric)
        .take(length)
        .collect()
}

/// A name of so many small letters, for what people type.
pub(crate) fn typed_name(length: usize) -> String {
    iter::repeat_with(fastrand::lowercase)
        .take(length)
        .collect()
}

/// Bytes that nobody can guess.
///
/// # Errors
///
/// When the system gives no random numbers.
pub(crate) fn secret() -> io::Result<[u8; 32]> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// Between half of the pause and all of it, so that nodes do not come in one wave.
pub(crate) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
