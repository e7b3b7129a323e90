use super::*;

#[test]
fn words_names_and_what_is_nearly_one_are_found() {
    for word in [
        "test",
        "test2",
        "Test",
        "SECRET",
        "password1",
        "hunter2",
        "",
        "\n",
        "test\n",
        "deploy",
        "ci-job",
        "Ci-job!",
        "123456",
        "changeme",
    ] {
        assert!(
            is_hash_of_a_word(&Sha256::digest(word).into(), "ci-job"),
            "{word:?}"
        );
    }
    for token in ["mmt_5f1c", "ci-jobs", "a-long-secret-of-nobody"] {
        assert!(
            !is_hash_of_a_word(&Sha256::digest(token).into(), "ci-job"),
            "{token}"
        );
    }
}
