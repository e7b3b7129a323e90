//! Where a Postgres database is, as a URL and the environment name it. No I/O.

use std::{net::IpAddr, path::PathBuf, str::FromStr as _};

use ::tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What rows are kept under unless the URL says otherwise.
const PREFIX: &str = "maintenance";
/// A notification has it as its text.
const LONGEST_PREFIX: usize = 200;
const DEFAULT_PORT: u16 = 5432;
/// Where Debian's and Fedora's servers have their sockets.
const DEFAULT_SOCKETS: &str = "/var/run/postgresql";
/// What administrators see the connections by.
const APPLICATION: &str = "maintenance";

/// What is read here; the driver reads the rest.
const OWN: [&str; 10] = [
    "prefix",
    "host",
    "port",
    "hostaddr",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "passfile",
    "target_session_attrs",
];
const DRIVERS: [&str; 14] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslnegotiation",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "channel_binding",
    "load_balance_hosts",
];

/// A database, on one of some servers, and what its rows are kept under.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Of these the first is used that takes writes.
    pub(super) hosts: Vec<Place>,
    /// All but where it is. Its `Debug` has no password.
    pub(super) config: Config,
    pub(super) encryption: Encryption,
    /// Where passwords are, if the URL has none.
    pub(super) pass_file: Option<PathBuf>,
    /// The URL without user and password.
    pub(super) shown: String,
    pub(super) prefix: String,
}

/// A server that may be the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: Host,
    /// Where the name leads, if it is not to be asked for.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

/// How much TLS is asked of the server: as libpq has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// Whatever certificate it has.
    Nothing,
    /// That a trusted authority has signed it.
    Authority,
    /// And that it is for this host.
    Host,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encryption {
    pub(super) mode: SslMode,
    pub(super) verify: Verify,
    /// A file with the authorities; `None`: those that the system trusts.
    pub(super) authorities: Option<PathBuf>,
    /// Files with a certificate of this client and its key.
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

impl Address {
    /// Whether URLs of this scheme, in lower case, are for here.
    pub(crate) fn takes(scheme: &str) -> bool {
        matches!(scheme, "postgres" | "postgresql")
    }

    /// Reads the URL, or says what would be right. What it leaves out the environment says.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        Self::parse_in(url, |name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }

    fn parse_in(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        const FORM: &str = "it is no URL of a database; give \"postgres://user@host/database\"";
        let (_, rest) = url.split_once("://").ok_or(FORM)?;
        if rest.contains('#') {
            return Err(
                "a `#` has no meaning here; percent-encode one in the password as %23".into(),
            );
        }
        // As libpq has it: what is before an `@` that comes before the first slash is the log-in.
        let before_path = rest.split('/').next().unwrap_or(rest);
        let (login, rest) = match before_path.split_once('@') {
            Some((login, _)) => (Some(login), &rest[login.len() + 1..]),
            None => (None, rest),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        if authority.contains('@') {
            return Err("percent-encode an `@` in the password as %40".into());
        }
        let mut parameters = Parameters::read(query)?;
        let mut config = parameters.drivers()?;
        parameters.complete(&environment);

        if let Some(login) = login {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            if !user.is_empty() {
                config.user(decoded(user)?);
            }
            if let Some(password) = password {
                config.password(percent_decode_str(password).collect::<Vec<u8>>());
            }
        }
        if !database.is_empty() {
            config.dbname(decoded(database)?);
        }
        if config.get_user().is_none()
            && let Some(user) = environment("PGUSER")
        {
            config.user(user);
        }
        if config.get_dbname().is_none()
            && let Some(database) = environment("PGDATABASE")
        {
            config.dbname(database);
        }
        if config.get_password().is_none()
            && let Some(password) = environment("PGPASSWORD")
        {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION);
        }
        let prefix = parameters
            .take("prefix")
            .unwrap_or_else(|| PREFIX.to_owned());
        if prefix.is_empty() || prefix.len() > LONGEST_PREFIX || prefix.contains('\0') {
            return Err(format!(
                "the prefix has {} bytes; give it 1 to {LONGEST_PREFIX}, and no NUL",
                prefix.len()
            ));
        }
        let hosts = places(authority, &mut parameters)?;
        let encryption = parameters.encryption()?;
        match parameters.take("target_session_attrs").as_deref() {
            None | Some("any" | "read-write" | "primary" | "prefer-standby") => {}
            Some(_) => {
                return Err("a store has to be written to; take `target_session_attrs` out".into());
            }
        }
        let home = || environment("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
        let pass_file = parameters.take("passfile").map(PathBuf::from).or_else(home);
        let shown = shown(authority, &hosts, config.get_dbname(), &prefix);
        Ok(Self {
            hosts,
            config,
            encryption,
            pass_file,
            shown,
            prefix,
        })
    }
}

/// What stands behind the question mark, decoded.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(query: &str) -> Result<Self, String> {
        let mut read = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            if !OWN.contains(&&*name) && !DRIVERS.contains(&&*name) {
                return Err(format!(
                    "there is no parameter `{name}`; known here: {}, {}",
                    OWN.join(", "),
                    DRIVERS.join(", ")
                ));
            }
            if read.iter().any(|(known, _)| *known == name) {
                return Err(format!("the parameter `{name}` is there twice"));
            }
            read.push((name, decoded(value)?));
        }
        Ok(Self(read))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Adds what libpq takes from the environment, too.
    fn complete(&mut self, environment: impl Fn(&str) -> Option<String>) {
        for (name, variable) in [
            ("host", "PGHOST"),
            ("port", "PGPORT"),
            ("sslmode", "PGSSLMODE"),
            ("sslrootcert", "PGSSLROOTCERT"),
            ("sslcert", "PGSSLCERT"),
            ("sslkey", "PGSSLKEY"),
            ("passfile", "PGPASSFILE"),
        ] {
            if !self.0.iter().any(|(known, _)| known == name)
                && let Some(value) = environment(variable)
            {
                self.0.push((name.to_owned(), value));
            }
        }
    }

    /// Has the driver read what it knows.
    fn drivers(&self) -> Result<Config, String> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let known = self.0.iter().filter(|(name, _)| !OWN.contains(&&**name));
        let query: Vec<String> = known
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        // Tells names of parameters, and no values.
        Config::from_str(&format!("postgres:///?{}", query.join("&")))
            .map_err(|error| crate::core::text::chain(&error))
    }

    fn encryption(&mut self) -> Result<Encryption, String> {
        let root = self.take("sslrootcert");
        let (mode, verify) = match self.take("sslmode").as_deref() {
            Some("disable") => (SslMode::Disable, Verify::Nothing),
            None | Some("allow" | "prefer") => (SslMode::Prefer, Verify::Nothing),
            // As libpq does: who names authorities wants them to count.
            Some("require") if root.is_some() => (SslMode::Require, Verify::Authority),
            Some("require") => (SslMode::Require, Verify::Nothing),
            Some("verify-ca") => (SslMode::Require, Verify::Authority),
            Some("verify-full") => (SslMode::Require, Verify::Host),
            Some(_) => {
                return Err("`sslmode` is one of disable, prefer, require, verify-ca, \
                            verify-full"
                    .into());
            }
        };
        let client = match (self.take("sslcert"), self.take("sslkey")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            _ => return Err("`sslcert` and `sslkey` go together; give both".into()),
        };
        Ok(Encryption {
            mode,
            verify,
            authorities: root.filter(|root| root != "system").map(PathBuf::from),
            client,
        })
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| "what is percent-encoded is no UTF-8".to_owned())
}

/// The servers that the URL names, or its parameters do.
fn places(authority: &str, parameters: &mut Parameters) -> Result<Vec<Place>, String> {
    let mut named: Vec<(String, Option<String>)> = Vec::new();
    for part in authority.split(',').filter(|_| !authority.is_empty()) {
        let (host, port) = match part.rsplit_once(']') {
            Some((host, port)) => (host.trim_start_matches('['), port.strip_prefix(':')),
            None => match part.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (part, None),
            },
        };
        named.push((decoded(host)?, port.map(str::to_owned)));
    }
    let (hosts, ports) = (parameters.take("host"), parameters.take("port"));
    if named.iter().all(|(host, _)| host.is_empty()) {
        let hosts = hosts.unwrap_or_else(|| match cfg!(unix) {
            true => DEFAULT_SOCKETS.to_owned(),
            false => "localhost".to_owned(),
        });
        let port = named.pop().and_then(|(_, port)| port);
        named = hosts
            .split(',')
            .map(|host| (host.to_owned(), port.clone()))
            .collect();
    }
    let ports: Vec<&str> = ports
        .as_deref()
        .map_or(Vec::new(), |it| it.split(',').collect());
    let addresses = parameters.take("hostaddr");
    let addresses: Vec<&str> = addresses
        .as_deref()
        .map_or(Vec::new(), |it| it.split(',').collect());
    if !addresses.is_empty() && addresses.len() != named.len() {
        return Err("give as many in `hostaddr` as there are hosts".into());
    }
    let place = |(at, (host, port)): (usize, (String, Option<String>))| {
        let port = port
            .as_deref()
            .or_else(|| ports.get(at).or(ports.first()).copied());
        let port = match port {
            None | Some("") => DEFAULT_PORT,
            // Not shown: it may be a part of a password.
            Some(port) => port.parse().map_err(|_| {
                "a port is no number; percent-encode a `:` or a `/` in the password as %3A or %2F"
            })?,
        };
        let address = match addresses.get(at) {
            None => None,
            Some(address) => Some(address.parse().map_err(|_| "`hostaddr` holds no address")?),
        };
        if host.is_empty() {
            return Err("a host is empty".to_owned());
        }
        Ok(Place {
            host: host_of(host),
            address,
            port,
        })
    };
    named.into_iter().enumerate().map(place).collect()
}

#[cfg(unix)]
fn host_of(name: String) -> Host {
    match name.starts_with('/') {
        true => Host::Unix(name.into()),
        false => Host::Tcp(name),
    }
}

#[cfg(not(unix))]
fn host_of(name: String) -> Host {
    Host::Tcp(name)
}

/// The URL without what nobody is to see, by which copies of what is stored are named, too.
fn shown(authority: &str, hosts: &[Place], database: Option<&str>, prefix: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let database = database.map(encoded).unwrap_or_default();
    let mut parameters = Vec::new();
    if authority.is_empty() {
        let names: Vec<String> = hosts.iter().map(|place| name_of(&place.host)).collect();
        parameters.push(format!("host={}", names.join(",")));
        if let Some(place) = hosts.first().filter(|place| place.port != DEFAULT_PORT) {
            parameters.push(format!("port={}", place.port));
        }
    }
    if prefix != PREFIX {
        parameters.push(format!("prefix={}", encoded(prefix)));
    }
    let query = match parameters.is_empty() {
        true => String::new(),
        false => format!("?{}", parameters.join("&")),
    };
    format!("postgres://{authority}/{database}{query}")
}

/// A server's name, as its socket's folder or its host.
pub(super) fn name_of(host: &Host) -> String {
    match host {
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
