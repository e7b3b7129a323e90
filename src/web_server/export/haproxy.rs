//! Rules for HAProxy: parts of a configuration, with the backends that they need.

use std::fmt::Write as _;

use super::{ExportError, Front, WebServer, without_controls};
use crate::core::cors::{EXPOSED_HEADERS, PREFLIGHT_VARIES_BY};

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
    let origins = front.readers.origins();
    let allowing = origins.map(allowing).unwrap_or_default();
    let exposing = match origins {
        Some([]) => {
            format!("{allowing} hdr Access-Control-Expose-Headers %[var(txn.maintenance_exposed)]")
        }
        Some(_) => format!(
            "{allowing} hdr Access-Control-Expose-Headers %[var(txn.maintenance_exposed)] hdr Vary Origin"
        ),
        None => String::new(),
    };
    let answer = format!(
        "content-type \"text/html; charset=utf-8\" file {page} hdr Cache-Control no-store{retry_after}{exposing}"
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
    if let Some(origins) = origins {
        text.push_str(&readers(origins, &allowing));
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

/// Finds out whether a script of another origin asks that may read the page, and answers its
/// preflights while the site is closed.
fn readers(origins: &[String], allowing: &str) -> String {
    let mut text = "    # Origins whose scripts may read the page.\n".to_owned();
    let origin = if origins.is_empty() {
        text.push_str("    acl maintenance_reader req.hdr(Origin) -m found\n");
        "str(*)"
    } else {
        for origin in origins {
            let _ = writeln!(
                text,
                "    acl maintenance_reader req.hdr(Origin) -m str {origin}"
            );
        }
        text.push_str(
            "    http-request set-var(txn.maintenance_credentials) str(true) if maintenance_reader\n",
        );
        "req.hdr(Origin)"
    };
    let _ = write!(
        text,
        r#"    http-request set-var(txn.maintenance_origin) {origin} if maintenance_reader
    http-request set-var(txn.maintenance_exposed) str("{EXPOSED_HEADERS}") if maintenance_reader
    # What browsers ask before a script may send its request; without an answer they hide the page.
    acl maintenance_preflight req.hdr(Access-Control-Request-Method) -m found
    http-request return status 204{allowing} hdr Access-Control-Allow-Methods %[req.hdr(Access-Control-Request-Method)] hdr Access-Control-Allow-Headers %[req.hdr(Access-Control-Request-Headers)] hdr Access-Control-Max-Age 0 hdr Vary "{PREFLIGHT_VARIES_BY}" hdr Cache-Control no-store hdr X-Maintenance-Mode 1 if METH_OPTIONS maintenance_preflight maintenance_reader maintenance_app_is_up !maintenance_is_off !maintenance_exempt
"#
    );
    text
}

/// Headers of the page and of answers to preflights. Empty ones are not sent.
fn allowing(origins: &[String]) -> String {
    let origin = " hdr Access-Control-Allow-Origin %[var(txn.maintenance_origin)]".to_owned();
    if origins.is_empty() {
        return origin;
    }
    origin + " hdr Access-Control-Allow-Credentials %[var(txn.maintenance_credentials)]"
}

/// In single quotes, in which everything stands for itself; one of them is written outside.
fn quoted(text: &str) -> Result<String, ExportError> {
    let escaped = without_controls(text)?.replace('\'', r"'\''");
    Ok(format!("'{escaped}'"))
}
