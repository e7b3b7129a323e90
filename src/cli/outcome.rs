//! What a change led to, in words.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        reach::Reach,
        wording::{self, line},
    },
    core::phase::Phase,
    engine::changes::Change,
};

/// Says what has become of a switch that was thrown, and whom it has reached.
pub(super) async fn tell(context: &Context<'_>, change: &Change) {
    let reach = Reach::find(context).await;
    context.warn_of_files(&change.status);
    let status = context.site.status();
    context.output.say(
        &json!({"changed": change.changed, "reached": reach.document(), "status": status}),
        || sentence(context, change, &reach),
    );
    reach.tell(context);
}

/// Whether the mode is closed already, as far as is known.
pub(super) fn is_closed(context: &Context<'_>) -> bool {
    let status = context.site.status();
    let mode = status.mode(&context.mode());
    mode.is_some_and(|mode| mode.phase.is_maintenance())
}

/// Of a mode that was closed already: what was said before stands where nothing was said now.
pub(super) fn tell_what_stands(context: &Context<'_>) {
    let status = context.site.status();
    let Some(mode) = status.mode(&context.mode()) else {
        return;
    };
    let zone = &context.zone;
    let until = match mode.until {
        Some(until) => format!("until {}", wording::time(until, zone)),
        None => "until somebody ends it".to_owned(),
    };
    let text = |what: &str, text: &Option<String>| match text {
        Some(text) => format!("{what}: {}", line(text)),
        None => format!("no {what}"),
    };
    context.output.note(&format!(
        "what stands is {until}; {}; {}",
        text("message", &mode.message),
        text("reason", &mode.reason)
    ));
}

/// What is now, as a sentence.
pub(super) fn sentence(context: &Context<'_>, change: &Change, reach: &Reach) -> String {
    let key = context.mode();
    let Some(mode) = change.status.mode(&key) else {
        return format!("{key} is gone");
    };
    let zone = &context.zone;
    let mut words = format!("{key} {}", wording::is(mode.phase));
    if !change.changed {
        words.push_str(" already");
    }
    words.push_str(&reach.words());
    if let (false, true, Some(since)) = (change.changed, mode.phase.is_maintenance(), mode.since) {
        words.push_str(&format!(", since {}", wording::time(since, zone)));
        if let Some(by) = &mode.by {
            words.push_str(&format!(" by {}", line(by)));
        }
    }
    if let Some(until) = mode.until.filter(|_| mode.phase == Phase::Offline) {
        let until = wording::time_from_now(until, context.now(), zone);
        words.push_str(&format!(", until {until}"));
    }
    if let Some(park) = mode.park {
        let patience = wording::duration(std::time::Duration::from_secs(park));
        words.push_str(&format!(", requests wait up to {patience}"));
    }
    if let Some(opening) = &mode.opening {
        let share = wording::percent(opening.share);
        words.push_str(&match opening.until {
            Some(until) => format!(
                ", {share} of the visitors are in, all at {}",
                wording::time_from_now(until, context.now(), zone)
            ),
            None => format!(", {share} of the visitors are in, paused"),
        });
    }
    words
}
