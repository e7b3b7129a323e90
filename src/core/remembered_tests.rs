use super::*;

#[test]
fn what_is_remembered_is_found_by_its_key_and_by_no_other() {
    let mut remembered = Remembered::new(3);
    assert_eq!(remembered.get(|key| *key == "a"), None);
    remembered.insert("a", 1);
    remembered.insert("b", 2);
    assert_eq!(remembered.get(|key| *key == "a"), Some(&1));
    assert_eq!(remembered.get(|key| *key == "b"), Some(&2));
    assert_eq!(remembered.get(|key| *key == "c"), None);
    remembered.insert("a", 3);
    assert_eq!(remembered.get(|key| *key == "a"), Some(&3));
    remembered.clear();
    assert_eq!(remembered.get(|key| *key == "a"), None);
}

#[test]
fn it_never_grows_beyond_its_size_and_knows_the_newest() {
    let mut remembered = Remembered::new(16);
    for number in 0..1000 {
        remembered.insert(number, number * 2);
        assert!(remembered.known.len() <= 16);
        assert_eq!(remembered.get(|key| *key == number), Some(&(number * 2)));
    }
    // What is known already needs no room.
    let known = remembered.known.len();
    remembered.insert(999, 0);
    assert_eq!(remembered.known.len(), known);
}
