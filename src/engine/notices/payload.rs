//! What is sent: the message of a webhook and its signature, and the line of a chat.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::target::{Kind, Target};
use crate::core::state::notice::Notice;

/// What goes to a target: headers and body.
pub(super) struct Message {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// Of a notice what a target is told. What is for operators only where the settings say so.
pub(crate) fn data(
    notice: &Notice,
    target: &Target,
    label: &str,
    text: &str,
) -> Map<String, Value> {
    let mut data = Map::new();
    let mut tell = |name: &str, value: Value| {
        if !value.is_null() {
            data.insert(name.to_owned(), value);
        }
    };
    tell("mode", json!(notice.mode));
    tell("label", json!(label));
    tell("phase", json!(notice.is.phase));
    tell("since", json!(notice.is.since));
    tell("until", json!(notice.is.until));
    tell("message", json!(notice.is.message));
    if target.details {
        tell("by", json!(notice.is.by));
        tell("reason", json!(notice.is.reason));
        tell("holder", json!(notice.is.lost));
    }
    if let Some((id, window)) = &notice.window {
        let told = json!({
            "id": id,
            "start": window.start,
            "end": window.end,
            "title": window.title,
            "message": window.message,
            "repeats": window.repeats,
        });
        tell("window", told);
    }
    tell("text", json!(text));
    data
}

/// A notice as a target takes it. `at`: when it is sent.
pub(super) fn message(
    notice: &Notice,
    target: &Target,
    label: &str,
    text: &str,
    at: Timestamp,
) -> Message {
    if matches!(target.kind, Kind::Slack) {
        return Message {
            headers: Vec::new(),
            body: json!({ "text": for_slack(text) }).to_string(),
        };
    }
    let body = json!({
        "type": format!("maintenance.{}", notice.kind.as_str()),
        "timestamp": notice.at,
        "data": data(notice, target, label, text),
    });
    let body = body.to_string();
    let timestamp = at.as_second().to_string();
    let mut headers = vec![
        ("webhook-id", notice.id.clone()),
        ("webhook-timestamp", timestamp.clone()),
    ];
    if let Kind::Webhook {
        secret: Some(secret),
    } = &target.kind
    {
        let signature = signature(secret, &notice.id, &timestamp, &body);
        headers.push(("webhook-signature", signature));
    }
    Message { headers, body }
}

/// The signature as Standard Webhooks has it: of id, time and body.
fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The three characters that a chat would take for something else.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            signature(
                &secret,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "1614265330",
                "{\"test\": 2432232314}"
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_chat_takes_no_text_for_a_command() {
        assert_eq!(for_slack("<!channel> & a"), "&lt;!channel&gt; &amp; a");
    }
}
