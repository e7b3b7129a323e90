//! The rules for a web server in front of the app, as text. Pure but for the working directory, by
//! which relative paths become absolute.

use std::{fmt, net::IpAddr, path::Path};

use ipnet::IpNet;

use self::cors::Readers;
use crate::{core::words::words, settings::Settings};

mod apache;
mod caddy;
mod cors;
mod haproxy;
mod nginx;

/// Where the page is on the web server. Nobody else has a page of this name.
const PAGE_PATH: &str = "/.maintenance-page.html";

/// A web server that [`export`] writes rules for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebServer {
    /// nginx 1.18 or newer.
    Nginx,
    /// Apache HTTP Server 2.4.
    Apache,
    /// Caddy 2.6 or newer.
    Caddy,
    /// HAProxy 2.4 or newer. It cannot look for a file, so it asks the app.
    HaProxy,
}

impl WebServer {
    /// Every one, in the order in which help texts name them.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Apache, Self::Caddy, Self::HaProxy];
}

words! {
    /// The word for it on the command line: `nginx`, `apache`, `caddy` or `haproxy`.
    pub WebServer {
        Nginx = "nginx",
        Apache = "apache",
        Caddy = "caddy",
        HaProxy = "haproxy",
    }
}

impl fmt::Display for WebServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why rules could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The settings name no page.
    #[error(
        "the rules for {0} need the page as a file; add it to the settings: \
         [web_server] page = \"/var/lib/app/maintenance.html\""
    )]
    NoPage(WebServer),
    /// A value cannot be written in the web server's language.
    #[error(
        "`{0}` cannot be carried over: it has a character that the web server's configuration has \
         no way to write; name the file or the rule otherwise"
    )]
    Unfit(String),
    /// The address of the app is none.
    #[error("`{0}` is no address of an app; give a host and a port, such as 127.0.0.1:8080")]
    App(String),
}

/// Writes the rules for a web server in front of the app.
///
/// While the flag exists, the web server answers by itself with the page, with the status of
/// `response.status`, `Retry-After` and `Cache-Control: no-store`. Exempt paths and addresses are
/// carried over; what only the app can know, such as who is logged in, is not, and the text says
/// so. When the app is down, visitors get the same page, without `X-Maintenance-Mode`. The origins of
/// `response.cors` may read the page, and their preflights are answered while the flag exists.
///
/// Without `web_server.flag`, the app alone refuses, by all its rules, and the page is only for when it
/// is down. HAProxy asks the app instead of looking for a flag.
///
/// `app` is where the web server finds the app, as `host:port`.
///
/// # Errors
///
/// When `web_server.page` is not set, or a value cannot be written in the web
/// server's language.
pub fn export(server: WebServer, settings: &Settings, app: &str) -> Result<String, ExportError> {
    let front = Front::new(server, settings, app)?;
    match server {
        WebServer::Nginx => nginx::rules(&front),
        WebServer::Apache => apache::rules(&front),
        WebServer::Caddy => caddy::rules(&front),
        WebServer::HaProxy => haproxy::rules(&front),
    }
}

/// What the rules of every web server are made of.
struct Front {
    /// `None`: the web server leaves it to the app to refuse.
    flag: Option<String>,
    page: String,
    /// Where the web server finds the app.
    app: String,
    status: u16,
    /// In seconds.
    retry_after: Option<u64>,
    /// Where the app says what is.
    ping: String,
    /// The path of the WebSocket by which pages notice, as the app sees it.
    live: String,
    /// What the web server strips before the app sees a path, without a slash at its end.
    public_path: String,
    exempt: Exempt,
    readers: Readers,
    /// What is not carried over, in words.
    left_out: Vec<String>,
}

/// Who gets through to the app.
#[derive(Default)]
struct Exempt {
    /// What is before all of them where the web server compares them.
    public_path: String,
    /// Exact paths.
    paths: Vec<String>,
    /// Whole segments, without a slash at the end.
    prefixes: Vec<String>,
    /// Regular expressions, anchored at the start of the path.
    patterns: Vec<String>,
    /// Whether upper and lower case are the same in paths and prefixes.
    ignores_case: bool,
    networks: Vec<IpNet>,
}

impl Front {
    fn new(server: WebServer, settings: &Settings, app: &str) -> Result<Self, ExportError> {
        let files = &settings.web_server;
        let page = files.page.as_deref().ok_or(ExportError::NoPage(server))?;
        let admin_path = settings.admin_path.trim_end_matches('/').to_owned();
        Ok(Self {
            flag: files.flag.as_deref().map(absolute).transpose()?,
            page: absolute(page)?,
            app: app_address(app)?,
            status: settings.response.status,
            retry_after: Some(settings.response.retry_after.as_secs())
                .filter(|seconds| *seconds > 0),
            ping: format!("{admin_path}/ping?mode=site"),
            live: format!("{admin_path}/live"),
            public_path: public_path(settings).to_owned(),
            exempt: Exempt::new(server, settings, admin_path),
            readers: Readers::new(&settings.response.cors)?,
            left_out: left_out(settings),
        })
    }

    /// What is not carried over, as lines of a comment.
    fn comment_on_left_out(&self, server: WebServer) -> String {
        if self.flag.is_none() && server != WebServer::HaProxy {
            return "# The settings name no `web_server.flag`, so while the app is up, it alone \
                    refuses.\n"
                .to_owned();
        }
        if self.left_out.is_empty() {
            return "# All exemptions of the settings are carried over.\n".to_owned();
        }
        let mut comment = "# Not carried over, because only the app can tell:\n".to_owned();
        for one in &self.left_out {
            comment.push_str(&format!("#   - {one}\n"));
        }
        comment.push_str("# Whoever is exempt by these gets the page all the same.\n");
        comment
    }
}

impl Exempt {
    fn new(server: WebServer, settings: &Settings, admin_path: String) -> Self {
        let exempt = &settings.exempt;
        let mut paths = exempt.paths.clone();
        if exempt.robots_txt {
            paths.push("/robots.txt".to_owned());
        }
        // A redirect's own target must be reachable.
        if let Some(target) = &settings.response.redirect
            && target.starts_with('/')
        {
            paths.push(target.split(['?', '#']).next().unwrap_or(target).to_owned());
        }
        let mut prefixes = vec![admin_path];
        let more = exempt.prefixes.iter().chain(&exempt.admin_site);
        prefixes.extend(more.map(|prefix| prefix.trim_end_matches('/').to_owned()));
        Self {
            public_path: match server {
                WebServer::Caddy => String::new(),
                _ => public_path(settings).to_owned(),
            },
            paths,
            prefixes,
            patterns: exempt.patterns.clone(),
            ignores_case: exempt.ignore_case,
            networks: IpNet::aggregate(&networks(&exempt.addresses)),
        }
    }

    /// Every path rule as a regular expression, each with what it says in the settings.
    fn expressions(&self) -> Vec<(String, String)> {
        let before = regex::escape(&self.public_path);
        let plain = |text: &str| match self.ignores_case {
            true => format!("(?i:{})", regex::escape(text)),
            false => regex::escape(text),
        };
        let exact = self.paths.iter().map(|path| {
            let expression = format!("^{before}{}$", plain(path));
            (format!("the path {path}"), expression)
        });
        let prefixes = self.prefixes.iter().map(|prefix| {
            let expression = format!("^{before}{}(/|$)", plain(prefix));
            (format!("all below {prefix}"), expression)
        });
        let patterns = self.patterns.iter().map(|pattern| {
            // In a group of its own, so that the anchor holds for all of its alternatives.
            let expression = format!("^{before}(?:{pattern})");
            (format!("the pattern {pattern}"), expression)
        });
        exact.chain(prefixes).chain(patterns).collect()
    }
}

fn public_path(settings: &Settings) -> &str {
    let path = settings.public_path.as_deref().unwrap_or_default();
    path.trim_end_matches('/')
}

/// IPv4 addresses that are mapped into IPv6 count as IPv4, as in the app.
fn networks(addresses: &[String]) -> Vec<IpNet> {
    addresses
        .iter()
        .filter_map(|text| {
            let network = match text.parse::<IpNet>() {
                Ok(network) => network,
                Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical()),
            };
            Some(network.trunc())
        })
        .collect()
}

fn left_out(settings: &Settings) -> Vec<String> {
    let exempt = &settings.exempt;
    let who = [
        ("anonymous", exempt.anonymous),
        ("authenticated", exempt.authenticated),
        ("staff", exempt.staff),
        ("superusers", exempt.superusers),
    ];
    let who = who
        .iter()
        .filter(|(_, exempt)| *exempt)
        .map(|(name, _)| format!("exempt.{name}: who is logged in"));
    let others = [
        (!exempt.routes.is_empty(), "exempt.routes: names of routes"),
        (
            !exempt.address_patterns.is_empty(),
            "exempt.address_patterns: write them as networks in exempt.addresses",
        ),
        (exempt.api_key.is_some(), "exempt.api_key: secret keys"),
        (
            settings.response.redirect.is_some(),
            "response.redirect: visitors get the page instead",
        ),
    ];
    let others = others
        .iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, text)| (*text).to_owned());
    who.chain(others).collect()
}

/// Web servers run in another folder.
fn absolute(path: &Path) -> Result<String, ExportError> {
    let unfit = || ExportError::Unfit(path.display().to_string());
    let absolute = std::path::absolute(path).map_err(|_| unfit())?;
    // Web servers do not agree on what a backslash means in a file's name.
    absolute
        .to_str()
        .filter(|path| !path.contains('\\'))
        .map(str::to_owned)
        .ok_or_else(unfit)
}

fn app_address(app: &str) -> Result<String, ExportError> {
    let is_good = app.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
        !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|it| it > 0)
    });
    if is_good {
        Ok(app.to_owned())
    } else {
        Err(ExportError::App(app.to_owned()))
    }
}

/// No web server has a way to write a control character.
fn without_controls(text: &str) -> Result<&str, ExportError> {
    if text.contains(char::is_control) {
        return Err(ExportError::Unfit(text.to_owned()));
    }
    Ok(text)
}

/// In double quotes, with a backslash before a quote. Other backslashes stand for themselves, as
/// Apache's `RewriteCond` and Caddy read them; none may come last.
fn quoted(text: &str) -> Result<String, ExportError> {
    if text.ends_with('\\') {
        return Err(ExportError::Unfit(text.to_owned()));
    }
    let escaped = without_controls(text)?.replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

#[cfg(test)]
mod tests;
