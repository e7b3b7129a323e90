//! Certificates of an authority of a test's own.

use std::{path::Path, process::Command};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("start openssl");
    assert!(output.status.success(), "{output:?}");
}

/// Puts an authority into the folder (`ca.pem`), another one (`other.pem`), and a certificate of the first
/// for `localhost` (`cert.pem`, `key.pem`).
pub(crate) fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for authority in ["ca", "other"] {
        openssl(
            folder,
            &format!(
                "req -x509 {key} -keyout {authority}.key -out {authority}.pem -subj /CN={authority}"
            ),
        );
    }
    openssl(
        folder,
        &format!("req {key} -keyout key.pem -out server.csr -subj /CN=localhost"),
    );
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out cert.pem",
    );
}
