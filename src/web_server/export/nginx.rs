//! Rules for nginx: one file for a `server` block, without anything outside of it.

use std::fmt::Write as _;

use ipnet::IpNet;

use super::{ExportError, Front, PAGE_PATH, WebServer, without_controls};
use crate::core::cors::{EXPOSED_HEADERS, PREFLIGHT_VARIES_BY};

pub(super) fn rules(front: &Front) -> Result<String, ExportError> {
    let Front {
        page, app, status, ..
    } = front;
    let left_out = front.comment_on_left_out(WebServer::Nginx);
    let page_word = quoted(page)?;
    let live = quoted(&format!("{}{}", front.public_path, front.live))?;
    let live_of_app = &front.live;
    let at = format!("{}/", front.public_path);
    let strip = if front.public_path.is_empty() {
        ""
    } else {
        "/"
    };
    let mut text = format!(
        r##"# The maintenance page for nginx.
# Save this as /etc/nginx/maintenance.conf and include it in the `server` block, above its
# locations; then `nginx -t && nginx -s reload`:
#
#     server {{
#         listen 80;
#         include /etc/nginx/maintenance.conf;
#         location {at} {{
#             proxy_pass http://{app}{strip};
#             proxy_set_header Host $http_host;
#             proxy_set_header X-Forwarded-For $remote_addr;
#             proxy_set_header X-Forwarded-Proto $scheme;
#             proxy_set_header Upgrade $http_upgrade;
#             proxy_set_header Connection $maintenance_connection;
#         }}
#     }}
#
# While the flag exists, visitors get the page. When the app is down, they get it as well. What the
# app itself refuses is passed on as it is, so do not set `proxy_intercept_errors`. A location with
# an `error_page` of its own does not take over the ones below.
# nginx must be able to enter the folders of both files. Behind another proxy, set `real_ip_header`
# and `set_real_ip_from`, or every address is that proxy's.
{left_out}
# By HTTP/1.0, which is what nginx asks by else, a request without a body fails, and no WebSocket
# passes. If the `server` block has this line already, leave it out here.
proxy_http_version 1.1;
set $maintenance_connection "";
if ($http_upgrade) {{ set $maintenance_connection "upgrade"; }}
# By this WebSocket pages notice that it is over.
location = {live} {{
    proxy_pass http://{app}{live_of_app};
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $maintenance_connection;
    proxy_read_timeout 2m;
}}
"##
    );
    if let Some(origins) = front.readers.origins() {
        text.push_str(&readers(origins)?);
    }
    if let Some(flag) = &front.flag {
        text.push_str(&closing(front, flag)?);
    }
    let _ = write!(
        text,
        r#"
error_page 502 503 504 ={status} {PAGE_PATH};
location = {PAGE_PATH} {{
    internal;
    alias {page_word};
    types {{ }}
    default_type "text/html; charset=utf-8";
    # Nobody keeps the page, and nobody asks whether it is still the same.
    etag off;
    add_header Last-Modified "" always;
    add_header Cache-Control "no-store" always;
"#
    );
    if let Some(seconds) = front.retry_after {
        let _ = writeln!(text, "    add_header Retry-After \"{seconds}\" always;");
    }
    if front.flag.is_some() {
        text.push_str("    # Empty, and so not sent, when the app is down without maintenance.\n");
        text.push_str("    add_header X-Maintenance-Mode $maintenance_marker always;\n");
    }
    if let Some(origins) = front.readers.origins() {
        text.push_str(ALLOWING);
        text.push_str(
            "    add_header Access-Control-Expose-Headers $maintenance_exposed always;\n",
        );
        if !origins.is_empty() {
            text.push_str("    add_header Vary \"Origin\" always;\n");
        }
    }
    text.push_str("}\n");
    Ok(text)
}

/// Finds out whether a script of another origin asks that may read the page.
fn readers(origins: &[String]) -> Result<String, ExportError> {
    let mut text = r#"
# Origins whose scripts may read the page.
set $maintenance_origin "";
set $maintenance_credentials "";
set $maintenance_exposed "";
"#
    .to_owned();
    let mut allow = |condition: &str, origin: &str, credentials: &str| {
        let _ = writeln!(
            text,
            "if ({condition}) {{ set $maintenance_origin {origin}; set $maintenance_credentials \
             \"{credentials}\"; set $maintenance_exposed \"{EXPOSED_HEADERS}\"; }}"
        );
    };
    if origins.is_empty() {
        allow("$http_origin", "\"*\"", "");
    }
    for origin in origins {
        let origin = quoted(origin)?;
        allow(&format!("$http_origin = {origin}"), &origin, "true");
    }
    Ok(text)
}

/// Headers of the page and of answers to preflights. Empty ones are not sent.
const ALLOWING: &str = r"    add_header Access-Control-Allow-Origin $maintenance_origin always;
    add_header Access-Control-Allow-Credentials $maintenance_credentials always;
";

/// Answers preflights while the flag exists.
fn preflights() -> String {
    format!(
        r#"
# What browsers ask before a script may send its request; without an answer they hide the page.
set $maintenance_preflight "";
if ($http_access_control_request_method) {{ set $maintenance_preflight $request_method; }}
if ($maintenance_origin = "") {{ set $maintenance_preflight ""; }}
if ($maintenance_closed = "") {{ set $maintenance_preflight ""; }}
# A status of their own, by which they get to the location below.
if ($maintenance_preflight = "OPTIONS") {{ return 418; }}
error_page 418 = @maintenance_preflight;
location @maintenance_preflight {{
{ALLOWING}    add_header Access-Control-Allow-Methods $http_access_control_request_method always;
    add_header Access-Control-Allow-Headers $http_access_control_request_headers always;
    add_header Access-Control-Max-Age "0" always;
    add_header Vary "{PREFLIGHT_VARIES_BY}" always;
    add_header Cache-Control "no-store" always;
    add_header X-Maintenance-Mode "1" always;
    return 204;
}}
"#
    )
}

/// Answers by the page while the flag exists.
fn closing(front: &Front, flag: &str) -> Result<String, ExportError> {
    let flag = quoted(flag)?;
    let mut text = format!(
        r#"
set $maintenance_marker "";
set $maintenance_closed "";
if (-f {flag}) {{
    set $maintenance_marker "1";
    set $maintenance_closed "1";
}}

# The page itself.
if ($uri = "{PAGE_PATH}") {{ set $maintenance_closed ""; }}
"#
    );
    text.push_str("\n# Paths that reach the app.\n");
    for (what, expression) in front.exempt.expressions() {
        let expression = quoted(&expression)?;
        let _ = writeln!(text, "# {what}");
        let _ = writeln!(
            text,
            "if ($uri ~ {expression}) {{ set $maintenance_closed \"\"; }}"
        );
    }
    if !front.exempt.networks.is_empty() {
        text.push_str("\n# Addresses that reach the app, compared byte by byte.\n");
    }
    for network in &front.exempt.networks {
        let _ = writeln!(text, "# {network}");
        for expression in address_expressions(*network) {
            let _ = writeln!(
                text,
                "if ($binary_remote_addr ~ \"{expression}\") {{ set $maintenance_closed \"\"; }}"
            );
        }
    }
    if front.readers.origins().is_some() {
        text.push_str(&preflights());
    }
    text.push_str("\nif ($maintenance_closed) { return 503; }\n");
    Ok(text)
}

/// In double quotes, in which a backslash has one before it.
fn quoted(text: &str) -> Result<String, ExportError> {
    let escaped = without_controls(text)?
        .replace('\\', r"\\")
        .replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

/// A network as regular expressions over the bytes of an address. nginx has a directive for
/// networks only outside of a `server` block.
///
/// An IPv4 address can also come as an IPv6 address that it is mapped into.
fn address_expressions(network: IpNet) -> Vec<String> {
    match network {
        IpNet::V4(network) => {
            let octets = network.network().octets();
            let bytes = bytes_of(&octets, network.prefix_len());
            let mapped = r"\x00".repeat(10) + &r"\xff".repeat(2);
            vec![format!("(?s)^{bytes}$"), format!("(?s)^{mapped}{bytes}$")]
        }
        IpNet::V6(network) => {
            let octets = network.network().octets();
            vec![format!("(?s)^{}$", bytes_of(&octets, network.prefix_len()))]
        }
    }
}

fn bytes_of(octets: &[u8], prefix: u8) -> String {
    let whole = usize::from(prefix / 8);
    let mut expression = String::new();
    for octet in &octets[..whole] {
        let _ = write!(expression, r"\x{octet:02x}");
    }
    let mut rest = octets.len() - whole;
    let part = prefix % 8;
    if part > 0 {
        let lowest = octets[whole];
        let highest = lowest | (0xff >> part);
        let _ = write!(expression, r"[\x{lowest:02x}-\x{highest:02x}]");
        rest -= 1;
    }
    if rest > 0 {
        // In quotes, so that the braces open no block.
        let _ = write!(expression, ".{{{rest}}}");
    }
    expression
}

#[cfg(test)]
#[path = "nginx_tests.rs"]
mod tests;
