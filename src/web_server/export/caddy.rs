//! Rules for Caddy: one file for a site block.

use std::{fmt::Write as _, path::Path};

use super::{ExportError, Front, WebServer, quoted};
use crate::core::cors::{EXPOSED_HEADERS, PREFLIGHT_VARIES_BY};

pub(super) fn rules(front: &Front) -> Result<String, ExportError> {
    let Front { app, status, .. } = front;
    let to_app = match front.public_path.as_str() {
        "" => format!("reverse_proxy {app}"),
        // Before the rules look at the path, so they go by what the app sees.
        path => format!("uri strip_prefix {path}\n#         reverse_proxy {app}"),
    };
    let left_out = front.comment_on_left_out(WebServer::Caddy);
    let (page_folder, page_name) = folder_and_name(&front.page)?;
    let mut text = format!(
        r##"# The maintenance page for Caddy.
# Save this as /etc/caddy/maintenance.caddy and import it into the site block; then
# `caddy validate --config /etc/caddy/Caddyfile && caddy reload --config /etc/caddy/Caddyfile`:
#
#     example.com {{
#         import /etc/caddy/maintenance.caddy
#         {to_app}
#     }}
#
# A `handle` or `route` of the site comes before it: import it inside of that as well, without the
# part `handle_errors`.
# While the flag exists, visitors get the page. When the app is down, they get it as well. What the
# app itself refuses is passed on as it is. Caddy must be able to read both files. Behind another
# proxy, every address is that proxy's.
{left_out}"##
    );
    if let Some(flag) = &front.flag {
        text.push_str(&closing(front, flag)?);
    }
    text.push_str("\nhandle_errors {\n");
    if let Some(origins) = front.readers.origins() {
        text.push_str(&readers(origins, front.flag.is_some()));
    }
    let _ = write!(
        text,
        r#"    @maintenance_page expression `{{http.error.status_code}} in [502, 503, 504]`
    handle @maintenance_page {{
        header Cache-Control "no-store"
"#
    );
    if let Some(seconds) = front.retry_after {
        let _ = writeln!(text, "        header Retry-After \"{seconds}\"");
    }
    if front.flag.is_some() {
        text.push_str("        # Not when the app is down without maintenance.\n");
        text.push_str("        header @maintenance_flag X-Maintenance-Mode \"1\"\n");
    }
    if let Some(origins) = front.readers.origins() {
        let _ = writeln!(
            text,
            "{}        header @maintenance_reader Access-Control-Expose-Headers \"{EXPOSED_HEADERS}\"",
            allowing(origins)
        );
        if !origins.is_empty() {
            text.push_str("        header +Vary Origin\n");
        }
    }
    let _ = write!(
        text,
        r#"        # Nobody asks whether the page is still the same.
        header {{
            -Etag
            -Last-Modified
            -Accept-Ranges
            defer
        }}
        request_header -If-Modified-Since
        request_header -If-None-Match
        request_header -Range
        # A file is only sent to GET.
        method GET
        root * {page_folder}
        rewrite * /{page_name}
        file_server {{
            status {status}
        }}
    }}
}}
"#
    );
    Ok(text)
}

/// Finds out whether a script of another origin asks that may read the page, and answers its
/// preflights while the flag exists.
fn readers(origins: &[String], has_flag: bool) -> String {
    let mut text = "    # Origins whose scripts may read the page.\n".to_owned();
    let asks = if origins.is_empty() {
        "{http.request.header.Origin} != \"\"".to_owned()
    } else {
        let origins: Vec<String> = origins
            .iter()
            .map(|origin| format!("\"{origin}\""))
            .collect();
        format!("{{http.request.header.Origin}} in [{}]", origins.join(", "))
    };
    let _ = writeln!(text, "    @maintenance_reader expression `{asks}`");
    if has_flag {
        let allowing = allowing(origins);
        let _ = write!(
            text,
            r#"    # What browsers ask before a script may send its request; without an answer they hide the page.
    @maintenance_preflight {{
        expression `{{http.error.status_code}} == 503 && {asks}`
        method OPTIONS
        header Access-Control-Request-Method *
    }}
    handle @maintenance_preflight {{
{allowing}        header Access-Control-Allow-Methods {{http.request.header.Access-Control-Request-Method}}
        header Access-Control-Allow-Headers {{http.request.header.Access-Control-Request-Headers}}
        header Access-Control-Max-Age 0
        header Vary "{PREFLIGHT_VARIES_BY}"
        header Cache-Control "no-store"
        header X-Maintenance-Mode "1"
        respond 204
    }}
"#
        );
    }
    text
}

/// Headers of the page and of answers to preflights.
fn allowing(origins: &[String]) -> String {
    let line = |header: &str| format!("        header @maintenance_reader {header}\n");
    if origins.is_empty() {
        return line("Access-Control-Allow-Origin *");
    }
    line("Access-Control-Allow-Origin {http.request.header.Origin}")
        + &line("Access-Control-Allow-Credentials true")
}

/// Answers by the page while the flag exists.
fn closing(front: &Front, flag: &str) -> Result<String, ExportError> {
    let (flag_folder, flag_name) = folder_and_name(flag)?;
    let mut text = format!(
        r#"
@maintenance_flag file {{
    root {flag_folder}
    try_files /{flag_name}
}}
@maintenance {{
    file {{
        root {flag_folder}
        try_files /{flag_name}
    }}
    # Paths that reach the app.
"#
    );
    for (what, expression) in front.exempt.expressions() {
        // It would be read as a variable of the environment.
        if expression.contains("{$") {
            return Err(ExportError::Unfit(expression));
        }
        let expression = quoted(&expression)?;
        let _ = writeln!(text, "    # {what}");
        let _ = writeln!(text, "    not path_regexp {expression}");
    }
    if !front.exempt.networks.is_empty() {
        text.push_str("    # Addresses that reach the app.\n    not remote_ip");
        for network in &front.exempt.networks {
            let _ = write!(text, " {network}");
        }
        text.push('\n');
    }
    text.push_str("}\nerror @maintenance \"maintenance\" 503\n");
    Ok(text)
}

/// The folder, quoted, and the name of a file below it.
fn folder_and_name(path: &str) -> Result<(String, String), ExportError> {
    let unfit = || ExportError::Unfit(path.to_owned());
    let whole = Path::new(path);
    let folder = whole.parent().and_then(Path::to_str).ok_or_else(unfit)?;
    let name = whole
        .file_name()
        .and_then(|it| it.to_str())
        .ok_or_else(unfit)?;
    // Caddy takes these in a name for patterns and placeholders.
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"*?[]{}\"`\\".contains(c);
    if !path.chars().all(is_plain) {
        return Err(unfit());
    }
    Ok((quoted(folder)?, name.to_owned()))
}
