//! The files that the pages load: the embedded ones, and those of the app's folder in their place.

use std::path::Path;

use actix_files::NamedFile;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    web,
};

use super::not_found;
use crate::web::{
    entity_tag::{IsKnown, entity_tag, unless_known},
    maintenance::Maintenance,
};

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset {
        name: "dashboard.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("../../../static/dashboard.css"),
    },
    Asset {
        name: "dashboard.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../../static/dashboard.js"),
    },
    Asset {
        name: PUBLIC_SCRIPT,
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../../../static/maintenance.js"),
    },
];

/// What every visitor loads, so it is to be small.
const PUBLIC_SCRIPT: &str = "maintenance.js";

pub(super) async fn asset(
    request: HttpRequest,
    name: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    if let Some(folder) = &maintenance.front.static_dir
        && let Some(response) = file(&request, folder, &name)
    {
        return response;
    }
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == *name) else {
        return not_found(request, maintenance).await;
    };
    let text = if asset.name == PUBLIC_SCRIPT {
        compact(asset.text)
    } else {
        asset.text.to_owned()
    };
    let (mut response, IsKnown(is_known)) = unless_known(&request, &entity_tag(text.as_bytes()));
    response
        // Asked for anew each time, so that page and files are always of one version.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if is_known {
        return response.finish();
    }
    response
        .insert_header((CONTENT_TYPE, asset.kind))
        .body(text)
}

/// A file of the app's folder, if there is one with this name.
fn file(request: &HttpRequest, folder: &Path, name: &str) -> Option<HttpResponse> {
    // What comes in a path can name other folders, or files that nobody means to show.
    let is_plain = !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !is_plain {
        return None;
    }
    let file = NamedFile::open(folder.join(name)).ok()?;
    if !file.metadata().is_file() {
        return None;
    }
    let mut response = file.into_response(request);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Some(response)
}

/// A script without its indentation, without lines that are nothing but a comment, and without spaces
/// and ends of lines that only people need. No text in it goes over several lines, and it ends each
/// statement as the language would have it.
fn compact(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .flat_map(|line| {
            let goes_on = line.ends_with([';', '{', '(', ',']);
            [squeezed(line), if goes_on { "" } else { "\n" }.to_owned()]
        })
        .collect()
}

/// A line of a script without the spaces that tell nothing apart: those beside a sign, outside of texts.
fn squeezed(line: &str) -> String {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut squeezed = String::with_capacity(line.len());
    let mut text_until = None;
    let mut is_escaped = false;
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        if let Some(end) = text_until {
            if is_escaped {
                is_escaped = false;
            } else if sign == '\\' {
                is_escaped = true;
            } else if sign == end {
                text_until = None;
            }
        } else if matches!(sign, '"' | '\'' | '`') {
            text_until = Some(sign);
        } else if sign == ' ' {
            let before = squeezed.chars().last().unwrap_or(' ');
            let after = signs.peek().copied().unwrap_or(' ');
            let tells_apart = is_of_name(before) && is_of_name(after)
                || matches!((before, after), ('+', '+') | ('-', '-'));
            if !tells_apart {
                continue;
            }
        }
        squeezed.push(sign);
    }
    squeezed
}

#[cfg(test)]
#[path = "assets_tests.rs"]
mod tests;
