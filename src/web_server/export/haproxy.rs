//! Rules for HAProxy: parts of a configuration, with the backends that they need.

use std::fmt::Write as _;

use super::{ExportError, Front, WebServer, without_controls};

pub(super) fn rules(front: &Front) -> Result<String, ExportError> {
    let Front {
        app, status, ping, ..
    } = front;
    let left_out = front.comment_on_left_out(WebServer::HaProxy);
    let page = quoted(&front.page)?;
    let strip = match front.public_path.as_str() {
        "" => String::new(),
        path => {
            // The whole path is replaced, by what is behind the prefix.
            let prefix = quoted(&format!("^{}(/(.*))?$", regex::escape(path)))?;
            format!("    http-request replace-path {prefix} /\\2\n")
        }
    };
    let retry_after = match front.retry_after {
        Some(seconds) => format!(" hdr Retry-After {seconds}"),
        None => String::new(),
    };
    let answer = format!(
        "content-type \"text/html; charset=utf-8\" file {page} hdr Cache-Control no-store{retry_after}"
    );
    let mut text = format!(
        r##"# The maintenance page for HAProxy.
# HAProxy looks for no files and is often on another machine, so it asks each app twice a second
# whether the mode `site` is offline. Take over the lines of the frontend into yours, and list every
# instance of the app in both backends.
# HAProxy reads the page when it starts: reload it when the page changes.
# What the app itself refuses is passed on as it is. Behind another proxy, every address is that
# proxy's.
{left_out}
frontend maintenance_example
    bind :80
    mode http
    option forwardfor

    # Closed: an app is there, and none of them says that it is open.
    acl maintenance_app_is_up nbsrv(maintenance_app) gt 0
    acl maintenance_is_off nbsrv(maintenance_probe) gt 0
    # Paths that reach the app.
"##
    );
    // Decoded first, as the app compares paths; without the query.
    for (what, expression) in front.exempt.expressions() {
        let expression = quoted(&expression)?;
        let _ = writeln!(text, "    # {what}");
        let _ = writeln!(
            text,
            "    acl maintenance_exempt path,url_dec -m reg {expression}"
        );
    }
    if !front.exempt.networks.is_empty() {
        text.push_str("    # Addresses that reach the app.\n    acl maintenance_exempt src");
        for network in &front.exempt.networks {
            let _ = write!(text, " {network}");
        }
        text.push('\n');
    }
    let _ = write!(
        text,
        r#"    http-request return status {status} {answer} hdr X-Maintenance-Mode 1 if maintenance_app_is_up !maintenance_is_off !maintenance_exempt
    default_backend maintenance_app

backend maintenance_app
    mode http
    # When no app is there, or none answers.
    http-error status 502 {answer}
    http-error status 503 {answer}
    http-error status 504 {answer}
    # How long a WebSocket may be silent, by which pages notice that it is over.
    timeout tunnel 2m
{strip}    server app1 {app} check inter 500ms fall 1 rise 1

backend maintenance_probe
    mode http
    option httpchk
    http-check send meth GET uri {ping} ver HTTP/1.1 hdr Host localhost
    http-check expect ! string "\"phase\":\"offline\""
    server app1 {app} check inter 500ms fall 1 rise 1
"#
    );
    Ok(text)
}

/// In single quotes, in which everything stands for itself; one of them is written outside.
fn quoted(text: &str) -> Result<String, ExportError> {
    let escaped = without_controls(text)?.replace('\'', r"'\''");
    Ok(format!("'{escaped}'"))
}
