//! Rules for Apache: one file for a `VirtualHost`.

use std::fmt::Write as _;

use super::{ExportError, Front, PAGE_PATH, WebServer, quoted};
use crate::core::cors::{EXPOSED_HEADERS, PREFLIGHT_VARIES_BY};

pub(super) fn rules(front: &Front) -> Result<String, ExportError> {
    let Front {
        page, app, status, ..
    } = front;
    let left_out = front.comment_on_left_out(WebServer::Apache);
    let page_word = quoted(page)?;
    let live = quoted(&format!("{}{}", front.public_path, front.live))?;
    let live_of_app = quoted(&format!("http://{app}{}", front.live))?;
    let at = format!("{}/", front.public_path);
    let mut text = format!(
        r##"# The maintenance page for Apache.
# Needs the modules alias, headers, proxy, proxy_http and rewrite:
#
#     a2enmod alias headers proxy proxy_http rewrite
#
# Save this as /etc/apache2/maintenance.conf and include it in the <VirtualHost>, above its
# ProxyPass; then `apachectl configtest && apachectl graceful`:
#
#     <VirtualHost *:80>
#         Include /etc/apache2/maintenance.conf
#         ProxyPreserveHost On
#         ProxyPass {at} http://{app}/ upgrade=websocket
#     </VirtualHost>
#
# While the flag exists, visitors get the page. When the app is down, they get it as well. What the
# app itself refuses is passed on as it is, so do not set `ProxyErrorOverride`.
# Apache must be able to enter the folders of both files and to read the page. Behind another
# proxy, use mod_remoteip, or every address is that proxy's.
{left_out}
ProxyPass "{PAGE_PATH}" "!"
# By this WebSocket pages notice that it is over; Apache passes one on since 2.4.47.
ProxyPass {live} {live_of_app} upgrade=websocket
Alias "{PAGE_PATH}" {page_word}
<Location "{PAGE_PATH}">
    Require all granted
    ForceType "text/html; charset=utf-8"
    # Nobody keeps the page, and nobody asks whether it is still the same.
    FileETag None
    Header unset ETag
    Header unset Last-Modified
    Header unset Accept-Ranges
    Header always set Cache-Control "no-store"
"##
    );
    if let Some(seconds) = front.retry_after {
        let _ = writeln!(text, "    Header always set Retry-After \"{seconds}\"");
    }
    if let Some(flag) = &front.flag {
        if flag.contains('\'') {
            // An expression has no way to write it.
            return Err(ExportError::Unfit(flag.clone()));
        }
        let marker = quoted(&format!("expr=-f '{flag}'"))?;
        let _ = write!(
            text,
            "    # Not when the app is down without maintenance.\n    \
             Header always set X-Maintenance-Mode \"1\" {marker}\n"
        );
    }
    if let Some(origins) = front.readers.origins() {
        text.push_str("    # Scripts of these origins may read it.\n");
        let asks = asks(origins);
        text.push_str(&allowing(origins, &asks));
        let _ = writeln!(
            text,
            "    Header always set Access-Control-Expose-Headers \"{EXPOSED_HEADERS}\" \"expr={asks}\""
        );
        if !origins.is_empty() {
            text.push_str("    Header always merge Vary \"Origin\"\n");
        }
    }
    let _ = write!(text, "</Location>\nErrorDocument {status} {PAGE_PATH}\n");
    for down in [502, 503, 504] {
        if down != *status {
            let _ = writeln!(text, "ErrorDocument {down} {PAGE_PATH}");
        }
    }
    if let Some(flag) = &front.flag {
        text.push_str(&closing(front, flag)?);
    }
    Ok(text)
}

/// The condition that a script of one of these origins asks.
fn asks(origins: &[String]) -> String {
    if origins.is_empty() {
        return "-n %{HTTP:Origin}".to_owned();
    }
    let origins: Vec<String> = origins.iter().map(|origin| format!("'{origin}'")).collect();
    format!("%{{HTTP:Origin}} in {{ {} }}", origins.join(", "))
}

/// Headers of the page and of answers to preflights.
fn allowing(origins: &[String], condition: &str) -> String {
    if origins.is_empty() {
        return format!(
            "    Header always set Access-Control-Allow-Origin \"*\" \"expr={condition}\"\n"
        );
    }
    format!(
        "    Header always set Access-Control-Allow-Origin \"expr=%{{HTTP:Origin}}\" \
         \"expr={condition}\"\n    \
         Header always set Access-Control-Allow-Credentials \"true\" \"expr={condition}\"\n"
    )
}

/// Answers preflights while the site is closed: below the conditions under which the page is sent.
fn preflights(origins: &[String], conditions: &str) -> String {
    let asks = asks(origins);
    let marked = "-n reqenv('MAINTENANCE_PREFLIGHT')";
    let allowing = allowing(origins, marked).replace("    Header", "Header");
    format!(
        r#"
# What browsers ask before a script may send its request; without an answer they hide the page.
{conditions}RewriteCond %{{REQUEST_METHOD}} =OPTIONS
RewriteCond %{{HTTP:Access-Control-Request-Method}} !^$
RewriteCond expr "{asks}"
RewriteRule ^ - [E=MAINTENANCE_PREFLIGHT:1,R=204,L]
{allowing}Header always set Access-Control-Allow-Methods "expr=%{{HTTP:Access-Control-Request-Method}}" "expr={marked}"
Header always set Access-Control-Allow-Headers "expr=%{{HTTP:Access-Control-Request-Headers}}" "expr={marked} && -n %{{HTTP:Access-Control-Request-Headers}}"
Header always set Access-Control-Max-Age "0" "expr={marked}"
Header always set Vary "{PREFLIGHT_VARIES_BY}" "expr={marked}"
Header always set Cache-Control "no-store" "expr={marked}"
Header always set X-Maintenance-Mode "1" "expr={marked}"
"#
    )
}

/// Answers by the page while the flag exists.
fn closing(front: &Front, flag: &str) -> Result<String, ExportError> {
    let flag = quoted(flag)?;
    let mut text = format!(
        r"RewriteCond {flag} -f
# Not the page itself, when it is sent for a refusal.
RewriteCond %{{ENV:REDIRECT_STATUS}} ^$
"
    );
    text.push_str("# Paths that reach the app.\n");
    for (what, expression) in front.exempt.expressions() {
        let condition = quoted(&format!("!{expression}"))?;
        let _ = writeln!(text, "# {what}");
        let _ = writeln!(text, "RewriteCond %{{REQUEST_URI}} {condition}");
    }
    if !front.exempt.networks.is_empty() {
        text.push_str("# Addresses that reach the app.\n");
    }
    for network in &front.exempt.networks {
        let _ = writeln!(text, "RewriteCond expr \"! -R '{network}'\"");
    }
    let preflights = front
        .readers
        .origins()
        .map(|origins| preflights(origins, &text))
        .unwrap_or_default();
    let _ = writeln!(text, "RewriteRule ^ - [R={},L]", front.status);
    Ok(format!("\nRewriteEngine On\n{preflights}{text}"))
}
