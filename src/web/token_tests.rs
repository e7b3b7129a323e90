use actix_web::http::header::HeaderValue;

use super::*;

fn headers(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(AUTHORIZATION, HeaderValue::from_bytes(line).unwrap());
    }
    headers
}

#[test]
fn the_hash_is_the_sha256_of_the_token_as_it_is_sent() {
    // printf %s abc | sha256sum
    let hash = "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let tokens = Tokens::new(&[TokenSettings::new("abc", hash)]).unwrap();
    for (line, is_it) in [
        (&b"Bearer abc"[..], true),
        (b"bearer  abc ", true),
        (b"Bearer abcd", false),
        (b"Bearer ", false),
        (b"Bearer", false),
        (b"abc", false),
        (b"Basic abc", false),
        (b"", false),
        (b"Bearer \xff\xfe", false),
    ] {
        let found = tokens.find(&headers(&[line])).map(|token| &*token.name);
        assert_eq!(found, is_it.then_some("abc"), "{line:?}");
    }
    assert!(tokens.find(&headers(&[])).is_none());
    assert!(
        tokens
            .find(&headers(&[b"Bearer abc", b"Bearer abc"]))
            .is_none()
    );
    let long = [b"Bearer ".as_slice(), &b" ".repeat(600), b"abc"].concat();
    assert!(tokens.find(&headers(&[&long])).is_none());
}

#[test]
fn every_token_that_is_made_is_another_and_is_found() {
    let (one, first) = TokenSettings::generate("one").unwrap();
    let (two, second) = TokenSettings::generate("two").unwrap();
    assert_ne!(first, second);
    let tokens = Tokens::new(&[one, two]).unwrap();
    for (token, name) in [(first, "one"), (second, "two")] {
        let line = format!("Bearer {token}");
        assert_eq!(
            tokens.find(&headers(&[line.as_bytes()])).unwrap().name,
            name
        );
    }
}

#[test]
fn a_hash_that_is_none_is_told() {
    for wrong in ["", "sha256:", "sha256:é", "abc"] {
        assert!(
            Tokens::new(&[TokenSettings::new("x", wrong)]).is_err(),
            "{wrong}"
        );
    }
}
