use super::*;

#[test]
fn the_document_is_valid_and_says_where_it_is() {
    let document = document("/ops/maintenance").unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/ops/maintenance");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}
