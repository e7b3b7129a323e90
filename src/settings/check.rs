//! Whether the values make sense, each by itself.

use std::{
    fs,
    net::IpAddr,
    path::{Component, Path},
    time::Duration,
};

use actix_web::http::{Uri, header::HeaderName};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use regex::Regex;

use super::{ID_LIMIT, Settings, fault::Fault};
use crate::core::rules::routes::{METHODS, split};
use crate::core::state::DEFAULT_MODE;
use crate::store::url::{StoreUrl, without_password};

/// What `response.status` takes.
pub(super) const STATUS_EXPECTED: &str = "give a number from 400 to 599";
/// What `response.retry_jitter` takes.
pub(super) const JITTER_EXPECTED: &str = "give a fraction from 0 to 1, such as 0.2";
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(365 * 24 * 3600);
/// Shorter keys are guessed too soon.
const SHORTEST_API_KEY: usize = 8;

/// Every fault of the values, in the order of the keys.
pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    let Settings {
        store,
        admin_path,
        login_url,
        time_zone,
        exempt,
        forced_on,
        response,
        language,
        session,
        client,
        drain,
        web_server,
        node,
        modes,
        // Whatever these hold is right.
        forced: _,
        admin: _,
        live: _,
        when_store_fails: _,
        when_cut_off: _,
        when_unknown_at_start: _,
        logout: _,
    } = settings;

    let store_fault = StoreUrl::parse(store).err();
    faults.note("store", &without_password(store), store_fault);
    faults.one("admin_path", admin_path, admin_path_fault);
    faults.optional("login_url", login_url.as_deref(), redirect_fault);
    let is_inside = |login: &&str| is_under(admin_path, login);
    if let Some(login) = login_url.as_deref().filter(is_inside) {
        let message = "is in the admin scope, which would send visitors there again and again; \
                       give the app's own log-in page";
        faults.note("login_url", login, Some(message.to_owned()));
    }
    faults.optional("time_zone", time_zone.as_deref(), time_zone_fault);

    faults.optional(
        "exempt.admin_site",
        exempt.admin_site.as_deref(),
        prefix_fault,
    );
    faults.each("exempt.addresses", &exempt.addresses, address_fault);
    faults.each(
        "exempt.address_patterns",
        &exempt.address_patterns,
        pattern_fault,
    );
    faults.each("exempt.paths", &exempt.paths, path_fault);
    faults.each("exempt.prefixes", &exempt.prefixes, prefix_fault);
    faults.each("exempt.patterns", &exempt.patterns, pattern_fault);
    faults.each("exempt.routes", &exempt.routes, route_fault);
    if let Some(api_key) = &exempt.api_key {
        faults.optional(
            "exempt.api_key.header",
            api_key.header.as_deref(),
            header_fault,
        );
        faults.optional(
            "exempt.api_key.query",
            api_key.query.as_deref(),
            query_fault,
        );
        if api_key.header.is_none() && api_key.query.is_none() {
            let message = "a request can carry a key nowhere; give `header`, `query` or both";
            faults.whole("exempt.api_key", message);
        }
        if api_key.keys.is_empty() {
            let message =
                format!("give at least one key, of {SHORTEST_API_KEY} characters or more");
            faults.whole("exempt.api_key.keys", &message);
        }
        faults.each("exempt.api_key.keys", &api_key.keys, api_key_fault);
    }

    faults.each("forced_on.routes", &forced_on.routes, route_fault);
    faults.each("forced_on.patterns", &forced_on.patterns, pattern_fault);

    faults.note(
        "response.status",
        &response.status.to_string(),
        status_fault(response.status),
    );
    faults.note(
        "response.retry_after",
        &format!("{:?}", response.retry_after),
        retry_after_fault(response.retry_after),
    );
    faults.note(
        "response.retry_jitter",
        &response.retry_jitter.to_string(),
        (!(0.0..=1.0).contains(&response.retry_jitter)).then(|| JITTER_EXPECTED.to_owned()),
    );
    faults.one("response.template", &response.template, template_fault);
    if let Some(folder) = &response.templates_dir {
        let shown = folder.to_string_lossy();
        faults.note("response.templates_dir", &shown, folder_fault(folder));
    }
    faults.optional(
        "response.message",
        response.message.as_deref(),
        message_fault,
    );
    faults.optional(
        "response.redirect",
        response.redirect.as_deref(),
        redirect_fault,
    );

    if let Some(folder) = &language.folder {
        let shown = folder.to_string_lossy();
        faults.note("language.folder", &shown, folder_fault(folder));
    }

    faults.one("session.user_key", &session.user_key, session_key_fault);
    faults.one("session.staff_key", &session.staff_key, session_key_fault);
    faults.one(
        "session.superuser_key",
        &session.superuser_key,
        session_key_fault,
    );

    faults.each(
        "client.trusted_proxies",
        &client.trusted_proxies,
        address_fault,
    );

    let too_short =
        |duration: Duration, message: &str| duration.is_zero().then(|| message.to_owned());
    faults.note(
        "drain.session_idle",
        "0",
        too_short(
            drain.session_idle,
            "nobody would ever be in; give at least 1 second",
        ),
    );
    faults.note(
        "drain.timeout",
        "0",
        too_short(
            drain.timeout,
            "give at least 1 second, or switch on without a drain",
        ),
    );

    for (key, file) in [
        ("web_server.flag", &web_server.flag),
        ("web_server.page", &web_server.page),
    ] {
        if let Some(file) = file {
            faults.note(key, &file.to_string_lossy(), file_fault(file));
        }
    }
    if web_server.flag.is_some() && web_server.flag == web_server.page {
        let message = "the flag and the page are two files; give each its own";
        faults.whole("web_server.page", message);
    }
    let has_site = modes.is_empty() || modes.iter().any(|mode| mode.key == DEFAULT_MODE);
    if web_server.flag.is_some() && !has_site {
        let message =
            "the flag tells of the mode `site`, and there is none; add it, or remove the flag";
        faults.whole("web_server.flag", message);
    }
    faults.optional("node.id", node.id.as_deref(), node_id_fault);
    let is_too_short = node.time_to_live < Duration::from_secs(1);
    faults.note(
        "node.time_to_live",
        &format!("{:?}", node.time_to_live),
        is_too_short.then(|| "give at least 1 second".to_owned()),
    );

    super::mode::check(modes, &mut faults);
    super::admin::check(settings, &mut faults);
    super::live::check(settings, &mut faults);
    faults.0
}

fn node_id_fault(id: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    (id.is_empty() || id.len() > ID_LIMIT || !id.chars().all(is_plain)).then(|| {
        format!("give 1 to {ID_LIMIT} of the letters a to z and A to Z, digits, `-`, `.` and `_`")
    })
}

/// Collects what the single checks say; each says what would be right, or nothing.
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn note(&mut self, key: &str, value: &str, message: Option<String>) {
        self.0
            .extend(message.map(|message| Fault::bad_value(key, value, message)));
    }

    pub(super) fn one(&mut self, key: &str, value: &str, fault: fn(&str) -> Option<String>) {
        self.note(key, value, fault(value));
    }

    pub(super) fn optional(
        &mut self,
        key: &str,
        value: Option<&str>,
        fault: fn(&str) -> Option<String>,
    ) {
        if let Some(value) = value {
            self.one(key, value, fault);
        }
    }

    pub(super) fn each(&mut self, key: &str, values: &[String], fault: fn(&str) -> Option<String>) {
        for (item, value) in values.iter().enumerate() {
            let fault =
                fault(value).map(|message| Fault::bad_value(key, value, message).with_item(item));
            self.0.extend(fault);
        }
    }

    /// A fault of one item of a list.
    pub(super) fn item(&mut self, key: &str, item: usize, value: &str, message: &str) {
        let fault = Fault::bad_value(key, value, message).with_item(item);
        self.0.push(fault);
    }

    /// A fault of a key as such, not of its value.
    pub(super) fn whole(&mut self, key: &str, message: &str) {
        self.0.push(Fault::new(key, message, super::Origin::Code));
    }
}

fn told(message: &str) -> Option<String> {
    Some(message.to_owned())
}

fn admin_path_fault(path: &str) -> Option<String> {
    let unfit = |c: char| matches!(c, '?' | '#' | '{' | '}') || c.is_whitespace() || c.is_control();
    if !path.starts_with('/') {
        told("give a path that starts with `/`, such as \"/maintenance-mode\"")
    } else if path == "/" {
        told("would take the whole site; give a path of its own, such as \"/maintenance-mode\"")
    } else if path.contains("//") {
        told("an empty segment; write one `/` instead of `//`")
    } else if path.contains(unfit) {
        told("give a plain path, without `?`, `#`, `{`, `}` and white space")
    } else {
        None
    }
}

/// Whether a path is the admin path or below it.
fn is_under(admin_path: &str, path: &str) -> bool {
    let admin_path = admin_path.trim_end_matches('/');
    path.split(['?', '#'])
        .next()
        .and_then(|path| path.strip_prefix(admin_path))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn time_zone_fault(name: &str) -> Option<String> {
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() => None,
        _ => told(
            "no such time zone in this system's database; give an IANA name such as \
             \"Europe/Rome\", and see that the database (often the package tzdata) is installed",
        ),
    }
}

pub(super) fn path_fault(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        told("give a path that starts with `/`")
    } else if path.contains(['?', '#']) {
        told("only the path is compared, never a query or fragment; remove what follows it")
    } else {
        None
    }
}

pub(super) fn prefix_fault(prefix: &str) -> Option<String> {
    let all = prefix.starts_with('/') && prefix.trim_end_matches('/').is_empty();
    if all {
        told("would exempt the whole site; name a part of it, or use forced = \"off\"")
    } else {
        path_fault(prefix)
    }
}

pub(super) fn address_fault(address: &str) -> Option<String> {
    if address.parse::<IpAddr>().is_ok() || address.parse::<IpNet>().is_ok() {
        return None;
    }
    let remedy = "give an address such as \"10.0.0.1\" or a block such as \"10.0.0.0/8\"";
    if address.contains('*') {
        return told("stars are not understood; give a block such as \"10.0.0.0/24\"");
    }
    if let Some((network, length)) = address.split_once('/')
        && let Ok(network) = network.parse::<IpAddr>()
    {
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let length = crate::core::text::shown(length);
        return Some(format!(
            "`/{length}` is no prefix length; give one from 0 to {longest}"
        ));
    }
    if address.trim() != address {
        return Some(format!("white space around it; {remedy}"));
    }
    let like_a_name = address.contains(|c: char| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit());
    if like_a_name && !address.contains(':') {
        return Some(format!("names are not looked up; {remedy}"));
    }
    Some(format!("neither an IP address nor a CIDR block; {remedy}"))
}

pub(super) fn pattern_fault(pattern: &str) -> Option<String> {
    if pattern.is_empty() {
        return told("an empty pattern would match everything; give one, or remove the item");
    }
    let error = Regex::new(pattern).err()?.to_string();
    // The lines above show the pattern and where in it the fault is.
    let last = error.lines().last().unwrap_or_default();
    let last = last.trim().trim_start_matches("error: ");
    Some(format!("not a regular expression: {last}"))
}

pub(super) fn route_fault(entry: &str) -> Option<String> {
    if entry.trim().is_empty() {
        return Some("give the name of an Actix resource, or remove the item".to_owned());
    }
    let (methods, route) = split(entry);
    if methods.is_empty()
        && let Some((words, route)) = entry.trim().split_once(char::is_whitespace)
        && let capitals = words.to_ascii_uppercase()
        && capitals.split(',').all(|word| METHODS.contains(&word))
    {
        let route = route.trim_start();
        return Some(format!("methods are in capitals: \"{capitals} {route}\""));
    }
    route
        .starts_with('/')
        .then(|| resource_fault(route))
        .flatten()
}

/// What actix's router would not take for a pattern. It panics instead of saying so.
fn resource_fault(pattern: &str) -> Option<String> {
    /// More are not taken by the router.
    const MOST_PARAMETERS: usize = 16;

    let mut expression = String::from("(?s-m)^");
    let mut rest = pattern;
    let mut parameters = 0;
    while let Some(start) = rest.find('{') {
        expression.push_str(&regex::escape(&rest[..start]));
        let Some(end) = end_of_parameter(&rest[start..]) else {
            return Some("a brace is not closed; give the pattern as the app has it".to_owned());
        };
        let parameter = &rest[start + 1..start + end];
        rest = &rest[start + end + 1..];
        let (name, own) = parameter.split_once(':').unwrap_or((parameter, "[^/]+"));
        if rest == "*" && parameter.contains(':') {
            return Some(
                "a parameter with an expression of its own takes no `*`; give the pattern as the \
                 app has it"
                    .to_owned(),
            );
        }
        expression.push_str(&format!("(?P<{name}>{own})"));
        parameters += 1;
    }
    if parameters > MOST_PARAMETERS {
        return Some(format!("a route has at most {MOST_PARAMETERS} parameters"));
    }
    let error = regex::Regex::new(&expression).err()?;
    let reason = match error {
        regex::Error::Syntax(text) => text.lines().last().unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    Some(format!("Actix takes no such pattern: {reason}"))
}

/// Where the brace closes that the text begins with; an expression inside may have some of its own.
fn end_of_parameter(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

fn header_fault(name: &str) -> Option<String> {
    let invalid = HeaderName::from_bytes(name.as_bytes()).is_err();
    invalid.then(|| "give a header's name, such as \"X-Maintenance-Key\"".to_owned())
}

fn query_fault(name: &str) -> Option<String> {
    let empty = name.is_empty();
    empty.then(|| "give the name of a query parameter, such as \"api_key\"".to_owned())
}

fn api_key_fault(key: &str) -> Option<String> {
    if key.chars().count() < SHORTEST_API_KEY {
        return Some(format!(
            "the key is short; give {SHORTEST_API_KEY} characters or more"
        ));
    }
    // What frames a header's value is not part of it, so such a key would never match.
    let unfit = key.trim() != key || key.contains(char::is_control);
    unfit.then(|| "remove white space around the key and control characters in it".to_owned())
}

pub(super) fn status_fault(status: u16) -> Option<String> {
    (!(400..=599).contains(&status)).then(|| STATUS_EXPECTED.to_owned())
}

pub(super) fn retry_after_fault(retry_after: Duration) -> Option<String> {
    if retry_after > LONGEST_RETRY_AFTER {
        told("give at most one year, which is 31536000 seconds")
    } else if retry_after.subsec_nanos() != 0 {
        told("give whole seconds")
    } else {
        None
    }
}

pub(super) fn template_fault(template: &str) -> Option<String> {
    let path = Path::new(template);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let names_a_file = plain && path.file_name().is_some() && !template.ends_with('/');
    let fits = names_a_file && !template.contains(char::is_control);
    (!fits).then(|| {
        "give a file's name such as \"503.html\", or a relative path without `.` and `..`"
            .to_owned()
    })
}

pub(super) fn folder_fault(folder: &Path) -> Option<String> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => told("not a folder; give the folder that holds the files"),
        Err(error) => Some(format!(
            "cannot be read ({error}); give an existing folder, absolute or relative to the \
             working directory"
        )),
    }
}

/// A file that is going to be written.
fn file_fault(file: &Path) -> Option<String> {
    let names_a_file = file.file_name().is_some() && !file.to_string_lossy().ends_with('/');
    if !names_a_file || file.is_dir() {
        return told("not the name of a file; give one, such as \"/var/lib/app/maintenance.flag\"");
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => return None,
    };
    (!folder.is_dir()).then(|| {
        format!(
            "there is no folder {}; make it, so that the file can be written",
            crate::core::text::shown(&folder.to_string_lossy())
        )
    })
}

pub(super) fn message_fault(message: &str) -> Option<String> {
    let blank = message.trim().is_empty();
    blank.then(|| "give a text for visitors, or remove the key".to_owned())
}

pub(super) fn redirect_fault(target: &str) -> Option<String> {
    let remedy = "give an address such as \"https://status.example.com/\", or a path that starts \
                  with one `/`";
    // Browsers read a backslash as a slash, so `/\host` would leave the site.
    let unfit = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if target.contains(unfit) {
        return Some(format!(
            "white space, a backslash or a control character; {remedy}"
        ));
    }
    if target.starts_with("//") {
        return Some(format!("starts with `//`, which is another host; {remedy}"));
    }
    let fits = match target.parse::<Uri>() {
        Ok(_) if target.starts_with('/') => true,
        Ok(uri) => {
            let web = matches!(uri.scheme_str(), Some("http" | "https"));
            web && uri.host().is_some_and(|host| !host.is_empty())
        }
        Err(_) => false,
    };
    (!fits).then(|| remedy.to_owned())
}

fn session_key_fault(key: &str) -> Option<String> {
    let empty = key.is_empty();
    empty.then(|| "give the name of a session key".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A route that Actix takes passes, and any other is told of: it panics at those.
    #[test]
    fn routes_are_such_as_actix_takes() {
        let sixteen = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}";
        for route in [
            "list",
            "two words",
            "GET list",
            "GET,HEAD /items/{id}",
            "/shop",
            "/s.op(",
            r"/year/{y:\d{4}}/x",
            "/all/{rest}*",
            "/all/{rest:.*}",
            "/closed}",
            sixteen,
        ] {
            assert_eq!(route_fault(route), None, "{route}");
            let (_, pattern) = split(route);
            actix_web::dev::ResourceDef::new(pattern);
        }
        for (route, fault) in [
            (" ", "give the name of an Actix resource"),
            ("get list", "methods are in capitals: \"GET list\""),
            ("Get,head  /x", "methods are in capitals: \"GET,HEAD /x\""),
            ("/broken/{", "a brace is not closed"),
            ("/broken/{a{b}", "a brace is not closed"),
            ("GET /broken/{a:(}", "Actix takes no such pattern"),
            ("/broken/{}", "Actix takes no such pattern"),
            ("/{a}/{a}", "Actix takes no such pattern"),
            ("/{a:.*}*", "takes no `*`"),
            (&format!("{sixteen}/{{q}}"), "at most 16 parameters"),
        ] {
            let told = route_fault(route).unwrap_or_else(|| panic!("{route} passes"));
            assert!(told.contains(fault), "{route}: {told}");
        }
    }
    use crate::settings::ApiKeySettings;

    fn accepted(fault: fn(&str) -> Option<String>, values: &[&str]) {
        for value in values {
            assert_eq!(fault(value), None, "{value:?}");
        }
    }

    /// Each value with a part of what its fault says.
    pub(crate) fn refused(fault: fn(&str) -> Option<String>, values: &[(&str, &str)]) {
        for (value, part) in values {
            let message = fault(value).unwrap_or_else(|| panic!("{value:?} is accepted"));
            assert!(message.contains(part), "{value:?}: {message}");
        }
    }

    #[test]
    fn the_id_of_a_node_is_plain_and_short() {
        accepted(node_id_fault, &["web-1", "A.b_c", &"x".repeat(64)]);
        let part = "give 1 to 64";
        refused(
            node_id_fault,
            &[
                ("", part),
                ("web 1", part),
                ("a/b", part),
                ("\u{fc}", part),
                (&"x".repeat(65), part),
            ],
        );
    }

    #[test]
    fn a_node_lives_for_a_second_at_least() {
        let mut settings = Settings::default();
        settings.node.time_to_live = Duration::from_millis(999);
        let faults = settings.check().unwrap_err().to_string();
        assert!(faults.contains("node.time_to_live"), "{faults}");
        assert!(faults.contains("at least 1 second"), "{faults}");
    }

    #[test]
    fn the_admin_path_is_a_plain_path_of_its_own() {
        accepted(admin_path_fault, &["/maintenance-mode", "/a/b", "/a/"]);
        refused(
            admin_path_fault,
            &[
                ("", "starts with `/`"),
                ("admin", "starts with `/`"),
                ("/", "whole site"),
                ("/a//b", "empty segment"),
                ("/a//", "empty segment"),
                ("/a?b", "plain path"),
                ("/{a}", "plain path"),
                ("/a b", "plain path"),
                ("/a\u{0}", "plain path"),
            ],
        );
    }

    #[test]
    fn time_zones_are_iana_names() {
        accepted(time_zone_fault, &["UTC"]);
        for name in [
            "",
            "Mars/Olympus",
            "Etc/Unknown",
            "../../etc/passwd",
            "a\0b",
            "+01:00",
        ] {
            refused(time_zone_fault, &[(name, "IANA")]);
        }
    }

    #[test]
    fn addresses_are_typed() {
        accepted(
            address_fault,
            &[
                "10.0.0.1",
                "10.0.0.0/8",
                "10.0.0.5/8",
                "::1",
                "2001:db8::/32",
                "::ffff:10.0.0.1",
                "::ffff:10.0.0.0/104",
            ],
        );
        refused(
            address_fault,
            &[
                ("10.0.0.1/33", "from 0 to 32"),
                ("::1/129", "from 0 to 128"),
                ("10.0.0.1/", "prefix length"),
                ("10.0.0.*", "stars"),
                ("localhost", "not looked up"),
                ("proxy.example.com", "not looked up"),
                (" 10.0.0.1", "white space"),
                ("10.0.0.1:80", "neither"),
                ("10.0.0", "neither"),
                ("", "neither"),
            ],
        );
    }

    #[test]
    fn patterns_are_regular_expressions() {
        accepted(pattern_fault, &["^/api", "/a.*", r"\.css$"]);
        refused(
            pattern_fault,
            &[
                ("", "match everything"),
                ("(a", "unclosed group"),
                ("a{99999999}", "regular expression: "),
                (r"\w{1000}{1000}", "size limit"),
            ],
        );
        let message = pattern_fault("(a").unwrap();
        assert_eq!(message, "not a regular expression: unclosed group");
    }

    #[test]
    fn paths_and_prefixes_are_paths_only() {
        accepted(path_fault, &["/", "/a", "/a/"]);
        accepted(prefix_fault, &["/a", "/a/"]);
        refused(
            path_fault,
            &[("", "starts with"), ("a", "starts with"), ("/a?b", "query")],
        );
        refused(
            prefix_fault,
            &[
                ("/", "forced = \"off\""),
                ("//", "whole site"),
                ("a", "starts"),
                ("/#", "only"),
            ],
        );
    }

    #[test]
    fn api_keys_need_a_place_and_a_length() {
        let faults = |api_key: ApiKeySettings| -> Vec<String> {
            let mut settings = Settings::default();
            settings.exempt.api_key = Some(api_key);
            check(&settings).iter().map(ToString::to_string).collect()
        };
        let good = ApiKeySettings {
            keys: vec!["12345678".to_owned()],
            ..ApiKeySettings::default()
        };
        assert_eq!(faults(good.clone()), [""; 0]);
        assert_eq!(
            faults(ApiKeySettings::default()),
            ["`exempt.api_key.keys`: give at least one key, of 8 characters or more"]
        );
        assert_eq!(
            faults(ApiKeySettings {
                header: None,
                keys: vec!["1234567".to_owned(), "12345678 ".to_owned()],
                ..good.clone()
            }),
            [
                "`exempt.api_key`: a request can carry a key nowhere; give `header`, `query` or \
                 both",
                "`exempt.api_key.keys`, item 1: the key is short; give 8 characters or more",
                "`exempt.api_key.keys`, item 2: remove white space around the key and control \
                 characters in it",
            ]
        );
        assert_eq!(
            faults(ApiKeySettings {
                header: Some("no header".to_owned()),
                query: Some(String::new()),
                ..good
            })
            .len(),
            2
        );
    }

    #[test]
    fn responses_are_refusals() {
        for (status, fits) in [
            (399, false),
            (400, true),
            (599, true),
            (600, false),
            (200, false),
        ] {
            let mut settings = Settings::default();
            settings.response.status = status;
            assert_eq!(settings.check().is_ok(), fits, "{status}");
        }
        assert_eq!(retry_after_fault(Duration::ZERO), None);
        assert_eq!(retry_after_fault(LONGEST_RETRY_AFTER), None);
        assert!(retry_after_fault(LONGEST_RETRY_AFTER + Duration::from_secs(1)).is_some());
        assert!(retry_after_fault(Duration::from_millis(1500)).is_some());
        refused(message_fault, &[("", "text"), (" ", "text")]);
    }

    #[test]
    fn redirects_stay_here_or_are_web_addresses() {
        accepted(
            redirect_fault,
            &[
                "https://status.example.com/",
                "http://localhost:8080",
                "https://a/b?c=d#e",
                "/status",
                "/",
            ],
        );
        refused(
            redirect_fault,
            &[
                ("", "give an address"),
                ("status.example.com", "give an address"),
                ("//evil.example", "another host"),
                ("/\\evil.example", "backslash"),
                ("javascript:alert(1)", "give an address"),
                ("ftp://a/", "give an address"),
                ("https://", "give an address"),
                ("/a\r\nSet-Cookie:b", "control"),
                ("/a b", "white space"),
            ],
        );
    }

    #[test]
    fn templates_are_inside_their_folder() {
        accepted(template_fault, &["503.html", "errors/503.html"]);
        for name in ["", "/503.html", "../503.html", "a/../b", "a/", ".", "a\nb"] {
            refused(template_fault, &[(name, "503.html")]);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(folder_fault(folder.path()), None);
        assert!(folder_fault(&file).unwrap().contains("not a folder"));
        assert!(
            folder_fault(&folder.path().join("none"))
                .unwrap()
                .contains("existing folder")
        );
    }

    #[test]
    fn all_faults_are_told_in_the_order_of_the_keys() {
        let mut settings = Settings::default();
        settings.client.trusted_proxies = vec!["10.0.0.0/8".to_owned(), "nginx".to_owned()];
        settings.session.user_key.clear();
        settings.exempt.routes = vec![" ".to_owned()];
        settings.store.clear();
        let error = settings.check().unwrap_err();
        let keys: Vec<&str> = error.faults().iter().map(Fault::key).collect();
        assert_eq!(
            keys,
            [
                "store",
                "exempt.routes",
                "session.user_key",
                "client.trusted_proxies"
            ]
        );
        assert_eq!(error.faults()[3].value(), Some("nginx"));
    }
}
