use ::tokio_postgres::config::Host;

use super::*;

fn place(host: Host) -> Place {
    Place {
        host,
        address: None,
        port: 5432,
    }
}

#[test]
fn the_first_line_that_fits_has_the_password() {
    let text = "# a comment\n\
        other:5432:shop:me:no\n\
        db:5433:shop:me:no\n\
        db:*:sh\\:op:me:with\\:colon\\\\\n\
        short\n\
        db:5432:shop:me:yes:no\n\
        *:*:*:*:last\n";
    let db = place(Host::Tcp("db".to_owned()));
    for (database, user, expected) in [
        ("shop", "me", "yes:no"),
        ("sh:op", "me", "with:colon\\"),
        ("shop", "you", "last"),
    ] {
        let found = matching(text, &db, database, user);
        assert_eq!(found.as_deref(), Some(expected), "{database} {user}");
    }
    assert_eq!(matching("db:1:a:b:c", &db, "shop", "me"), None);
}

#[cfg(unix)]
#[test]
fn a_socket_in_the_usual_folder_is_localhost() {
    let text = "localhost:5432:shop:me:yes\n/srv/pg:*:*:*:own\n";
    for (folder, expected) in [
        ("/var/run/postgresql", Some("yes")),
        ("/srv/pg", Some("own")),
        ("/x", None),
    ] {
        let place = place(Host::Unix(folder.into()));
        assert_eq!(matching(text, &place, "shop", "me").as_deref(), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_not_used_and_none_is_none() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgpass");
    let db = place(Host::Tcp("db".to_owned()));
    assert_eq!(password(&file, &db, "shop", "me"), Ok(None));
    fs::write(&file, "*:*:*:*:geheim").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = password(&file, &db, "shop", "me").unwrap_err();
    assert!(
        error.contains("chmod 0600") && !error.contains("geheim"),
        "{error}"
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        password(&file, &db, "shop", "me"),
        Ok(Some("geheim".to_owned()))
    );
}
