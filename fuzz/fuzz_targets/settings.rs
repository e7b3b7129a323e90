//! Settings are read, or refused with an error that says where and why.
#![no_main]

use actix_maintenance_mode::Settings;
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "store = ",
    "\"memory:\"",
    "\"redis://u:secret@h/0?prefix=a\"",
    "[exempt]\n",
    "paths = ",
    "patterns = ",
    "routes = ",
    "addresses = ",
    "[forced_on]\n",
    "[response]\n",
    "status = ",
    "retry_after = ",
    "[[mode]]\nkey = \"site\"\n",
    "[[mode]]\nkey = ",
    "applies_to = { hosts = ",
    "[admin]\n",
    "tokens = [{ name = \"a\", hash = ",
    "[live]\n",
    "[drain]\ntimeout = ",
    "[node]\nid = ",
    "\n",
    "[\"",
    "\"]",
    "\"GET /items/{id}\"",
    "\"/{tail:.*}*\"",
    "{",
    "}",
    "\"(\"",
    "\"10.0.0.0/8\"",
    "\"1h\"",
    "true",
    "503",
    "[language]\nforce = ",
    "[client]\ntrusted_proxies = ",
];

fuzz_target!(|bytes: &[u8]| {
    let text = actix_maintenance_mode_fuzz::text(bytes, WORDS);
    // Elsewhere it is a text like any other.
    let is_of_store =
        text.matches("u:secret@").count() == 1 && text.contains("store = \"redis://u:secret@");
    match Settings::from_toml(&text) {
        Ok(settings) => {
            settings.check().unwrap();
            assert!(!is_of_store || !format!("{settings:?}").contains("u:secret@"));
            // Every route that passes is one that actix takes: it panics at others.
            for route in settings
                .exempt
                .routes
                .iter()
                .chain(&settings.forced_on.routes)
            {
                actix_web::dev::ResourceDef::new(route.rsplit(' ').next().unwrap_or(route));
            }
        }
        Err(error) => {
            let told = error.to_string();
            assert!(!told.trim().is_empty());
            assert!(!is_of_store || !told.contains("u:secret@"), "{told}");
        }
    }
});
