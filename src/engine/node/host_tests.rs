use super::*;

#[cfg(target_os = "linux")]
#[test]
fn it_is_the_systems() {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(name(), told.trim_end());
}
