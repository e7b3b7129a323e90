use super::*;

#[test]
fn it_goes_on_as_other_clocks_do() {
    // Each interval lies within the next, however long the machine does something else.
    let outer = Instant::now();
    let begin = now();
    let inner = Instant::now();
    std::thread::sleep(Duration::from_millis(30));
    let inner = inner.elapsed();
    let passed = now() - begin;
    let outer = outer.elapsed();
    assert!(inner <= passed, "{inner:?}, {passed:?}");
    assert!(passed <= outer, "{passed:?}, {outer:?}");
}
