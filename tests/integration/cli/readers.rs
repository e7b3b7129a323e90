//! Who can read what the program has written first: the app, or whoever switches learns it.

mod as_root {
    use std::{
        fs,
        os::unix::{
            fs::{MetadataExt as _, PermissionsExt as _, chown},
            process::CommandExt as _,
        },
        process::Command,
    };

    use crate::cli::{Operator, Ran, program};

    /// A folder of the app's, with a mode, in which nothing is yet.
    fn folder_of_the_app(mode: u32) -> Operator {
        let operator = Operator::new();
        chown(operator.path(), Some(1234), Some(4321)).unwrap();
        fs::set_permissions(operator.path(), fs::Permissions::from_mode(mode)).unwrap();
        operator
    }

    #[test]
    #[ignore = "needs root, gives a folder to another user"]
    fn what_root_switches_first_the_app_can_read() {
        let operator = folder_of_the_app(0o750);
        let mut command = Command::new("sh");
        let line = format!("umask 027; exec {} on", program());
        command.args(["-c", &line]).current_dir(operator.path());
        assert_eq!(Ran::of(command).code, Some(0));
        let file = fs::metadata(operator.path().join("maintenance.state")).unwrap();
        assert_eq!((file.uid(), file.gid()), (1234, 4321));
        assert_eq!(file.mode() & 0o777, 0o640);
    }

    #[test]
    #[ignore = "needs root, runs the program as another user"]
    fn what_the_app_could_not_read_is_an_error_for_whoever_switches() {
        // Others may make files there, and its group may not even read it.
        let operator = folder_of_the_app(0o707);
        let mut command = operator.command(&["on"]);
        command.uid(65_534).gid(65_534);
        let ran = Ran::of(command);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let told = "user 1234, who owns the folder ";
        assert!(ran.err.contains(told), "{ran:?}");
        assert!(ran.err.contains("do it as that user or as root"), "{ran:?}");
        assert!(!operator.exists("maintenance.state"));
    }
}
