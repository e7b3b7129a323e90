use super::*;

#[test]
fn a_url_names_a_bucket_and_a_path() {
    for (url, shown) in [
        ("s3://bucket", "s3://bucket"),
        ("S3://bucket/", "s3://bucket"),
        ("gs://bucket/a/b", "gs://bucket/a/b"),
        ("az://container/a/", "az://container/a"),
    ] {
        assert_eq!(Address::parse(url).unwrap().shown(), shown);
    }
}

#[test]
fn what_names_no_bucket_is_told() {
    for (url, part) in [
        ("s3:bucket", "two slashes"),
        ("s3://", "no bucket"),
        ("s3:///a", "no bucket"),
        ("s3://key:geheim@bucket", "from the environment"),
        ("s3://bucket/?endpoint=x", "from the environment"),
        ("s3://bucket/../a", ".."),
    ] {
        let error = Address::parse(url).unwrap_err();
        assert!(error.contains(part), "{url}: {error}");
        assert!(!error.contains("geheim"), "{error}");
    }
}
