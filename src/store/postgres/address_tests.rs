use super::*;

fn read(url: &str) -> Result<Address, String> {
    Address::parse_in(url, |_| None)
}

fn in_environment(url: &str, variables: &[(&str, &str)]) -> Address {
    let found = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Address::parse_in(url, found).unwrap()
}

fn tcp(host: &str, port: u16) -> Place {
    Place {
        host: Host::Tcp(host.to_owned()),
        address: None,
        port,
    }
}

#[test]
fn user_and_password_are_never_shown() {
    for (url, expected) in [
        ("postgres://h/shop", "postgres://h/shop"),
        (
            "postgresql://u:geheim@h:7000/shop",
            "postgres://h:7000/shop",
        ),
        (
            "postgres://u@one,two:1/shop?prefix=a%20b",
            "postgres://one,two:1/shop?prefix=a%20b",
        ),
        ("postgres://u:a%40b%2Fgeheim@h/shop", "postgres://h/shop"),
        (
            "postgres://h/shop?password=geheim&user=u",
            "postgres://h/shop",
        ),
        ("postgres://[::1]:1/shop", "postgres://[::1]:1/shop"),
        (
            "postgres:///shop?host=/run/postgresql&port=7000",
            "postgres:///shop?host=/run/postgresql&port=7000",
        ),
        ("postgres://u@h", "postgres://h/"),
        ("postgres://h?dbname=shop", "postgres://h/shop"),
    ] {
        let address = read(url).unwrap();
        assert_eq!(address.shown, expected, "{url}");
        let debug = format!("{address:?}");
        assert!(!debug.contains("geheim"), "{debug}");
    }
}

#[test]
fn the_parts_are_taken_from_the_url() {
    let address = read(
        "postgres://u%40:p%23:%2F@one:7000,two/shop?prefix=shop:a&options=-csearch_path%3Dops",
    )
    .unwrap();
    assert_eq!(address.prefix, "shop:a");
    assert_eq!(address.hosts, [tcp("one", 7000), tcp("two", 5432)]);
    assert_eq!(address.config.get_user(), Some("u@"));
    assert_eq!(address.config.get_password(), Some(&b"p#:/"[..]));
    assert_eq!(address.config.get_dbname(), Some("shop"));
    assert_eq!(address.config.get_options(), Some("-csearch_path=ops"));
    assert_eq!(address.config.get_application_name(), Some("maintenance"));

    let address = read("postgres://h/?hostaddr=10.0.0.1&application_name=shop").unwrap();
    assert_eq!(address.hosts[0].address, Some("10.0.0.1".parse().unwrap()));
    assert_eq!(address.prefix, "maintenance");
    assert_eq!(address.config.get_application_name(), Some("shop"));
    assert_eq!(
        read("postgres://u@[::1]:1/").unwrap().hosts,
        [tcp("::1", 1)]
    );
}

#[cfg(unix)]
#[test]
fn a_folder_is_a_socket_and_so_is_no_host() {
    let socket = |folder: &str, port| Place {
        host: Host::Unix(folder.into()),
        address: None,
        port,
    };
    for (url, expected) in [
        ("postgres:///shop", socket("/var/run/postgresql", 5432)),
        (
            "postgres://u@/shop?host=/tmp&port=7000",
            socket("/tmp", 7000),
        ),
        ("postgres://%2Frun%2Fpg:1/shop", socket("/run/pg", 1)),
        ("postgres://:7000/shop", socket("/var/run/postgresql", 7000)),
    ] {
        assert_eq!(read(url).unwrap().hosts, [expected], "{url}");
    }
}

#[test]
fn what_the_url_leaves_out_the_environment_says() {
    let variables = [
        ("PGHOST", "db"),
        ("PGPORT", "7000"),
        ("PGUSER", "u"),
        ("PGDATABASE", "shop"),
        ("PGPASSWORD", "geheim"),
        ("PGSSLMODE", "verify-full"),
        ("HOME", "/home/u"),
    ];
    let address = in_environment("postgres://", &variables);
    assert_eq!(address.hosts, [tcp("db", 7000)]);
    assert_eq!(address.config.get_user(), Some("u"));
    assert_eq!(address.config.get_dbname(), Some("shop"));
    assert_eq!(address.config.get_password(), Some(&b"geheim"[..]));
    assert_eq!(address.encryption.verify, Verify::Host);
    assert_eq!(address.pass_file, Some("/home/u/.pgpass".into()));
    assert_eq!(address.shown, "postgres:///shop?host=db&port=7000");

    let url = "postgres://me:mine@h:1/other?sslmode=disable&passfile=/p";
    let address = in_environment(url, &variables);
    assert_eq!(address.hosts, [tcp("h", 1)]);
    assert_eq!(address.config.get_user(), Some("me"));
    assert_eq!(address.config.get_password(), Some(&b"mine"[..]));
    assert_eq!(address.encryption.mode, SslMode::Disable);
    assert_eq!(address.pass_file, Some("/p".into()));
}

#[test]
fn tls_means_what_it_means_to_others() {
    for (query, mode, verify) in [
        ("", SslMode::Prefer, Verify::Nothing),
        ("sslmode=disable", SslMode::Disable, Verify::Nothing),
        ("sslmode=require", SslMode::Require, Verify::Nothing),
        (
            "sslmode=require&sslrootcert=/ca",
            SslMode::Require,
            Verify::Authority,
        ),
        ("sslmode=verify-ca", SslMode::Require, Verify::Authority),
        (
            "sslmode=verify-full&sslrootcert=system",
            SslMode::Require,
            Verify::Host,
        ),
    ] {
        let encryption = read(&format!("postgres://h/?{query}")).unwrap().encryption;
        assert_eq!(
            (encryption.mode, encryption.verify),
            (mode, verify),
            "{query}"
        );
    }
}

#[test]
fn what_cannot_be_a_database_is_told() {
    for (url, part) in [
        ("postgres:h", "it is no URL of a database; give"),
        ("postgres://u:a@geheim@h/", "percent-encode an `@`"),
        (
            "postgres://u:geheim/x@h/",
            "a port is no number; percent-encode",
        ),
        (
            "postgres://h/#insecure",
            "percent-encode one in the password as %23",
        ),
        (
            "postgres://h/?prefx=a",
            "no parameter `prefx`; known here: prefix, host",
        ),
        ("postgres://h/?service=shop", "no parameter `service`"),
        ("postgres://h/?prefix=", "0 bytes; give it 1 to 200"),
        ("postgres://h/?prefix=a&prefix=b", "`prefix` is there twice"),
        ("postgres://h/?sslmode=maybe", "one of disable"),
        ("postgres://h/?sslcert=/a", "go together"),
        ("postgres://h/?connect_timeout=soon", "`connect_timeout`"),
        (
            "postgres://h/?target_session_attrs=read-only",
            "has to be written to",
        ),
        ("postgres://a,/x", "a host is empty"),
        ("postgres://h/%ff", "no UTF-8"),
    ] {
        let error = read(url).unwrap_err();
        assert!(error.contains(part), "{url}: {error}");
        assert!(!error.contains("geheim"), "{error}");
    }
}
