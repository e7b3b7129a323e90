//! The plan for everybody, read by another library than the one that wrote it: python's `icalendar`.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use actix_maintenance_mode::{Maintenance, Settings};
use actix_web::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::test_server::TestServer;

/// Tells what it reads in the calendar on its standard input, and fails where the library finds a fault.
const READ: &str = r#"
import datetime, json, sys
import icalendar

text = sys.stdin.buffer.read()
for line in text.split(b"\r\n"):
    assert len(line) <= 75 and b"\n" not in line and b"\r" not in line, line
calendar = icalendar.Calendar.from_ical(text)
assert calendar.name == "VCALENDAR" and calendar["VERSION"] == "2.0" and "PRODID" in calendar
assert not calendar.errors, calendar.errors
def instant(value):
    return value and value.dt.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
events = []
for event in calendar.walk("VEVENT"):
    assert not event.errors, event.errors
    assert "DTSTAMP" in event and "LAST-MODIFIED" in event
    events.append({
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "label": ",".join(str(category) for category in event["CATEGORIES"].cats),
        "title": str(event["SUMMARY"]),
        "start": instant(event["DTSTART"]),
        "end": instant(event.get("DTEND")),
        "cancelled": {"CONFIRMED": False, "CANCELLED": True}[event["STATUS"]],
    })
json.dump({"name": str(calendar["X-WR-CALNAME"]), "events": events}, sys.stdout)
"#;

/// The Python that has the library: the one of its own program.
fn python() -> PathBuf {
    let found = Command::new("which").arg("icalendar").output().unwrap();
    assert!(found.status.success(), "there is no icalendar, of PyPI");
    let program = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
    program.with_file_name("python3")
}

fn read(calendar: &str) -> Value {
    let mut python = Command::new(python())
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("icalendar, from PyPI");
    let mut input = python.stdin.take().unwrap();
    input.write_all(calendar.as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}: {calendar}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[actix_web::test]
#[ignore = "needs icalendar of PyPI"]
async fn another_library_reads_the_plan_as_it_was_meant() {
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    settings.public.plan = true;
    let maintenance = Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap();
    let hours = |hours: i64| {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        now + SignedDuration::from_hours(hours)
    };
    let titles = [
        "New database".to_owned(),
        r"Commas, semicolons; back\slashes, C:\new and: colons".to_owned(),
        "長い題名".repeat(40),
        "Überlänge ohne Pause ".repeat(9),
        format!("{}\u{301}", "é🛠️".repeat(30)),
    ];
    let mut ids = Vec::new();
    for (place, title) in (1..).zip(&titles) {
        let plan = maintenance.plan_window().title(title.trim());
        let planned = plan.start(hours(place)).end(hours(place + 1)).await;
        ids.push(planned.unwrap().id);
    }
    let open = maintenance.plan_window().start(hours(99)).title("No end");
    open.await.unwrap();
    let nightly = maintenance
        .plan_window()
        .repeats("30 2 * * *")
        .zone("America/New_York")
        .lasting(Duration::from_secs(5400))
        .title("Nightly");
    let nightly = nightly.await.unwrap().id;
    let cancel = maintenance.cancel_window(&nightly).only_next();
    cancel.await.unwrap();
    maintenance.cancel_window(&ids[0]).await.unwrap();

    let server = TestServer::start({
        let maintenance = maintenance.clone();
        move || {
            App::new()
                .service(maintenance.admin())
                .wrap(maintenance.middleware())
        }
    });
    let calendar = server.send("GET /maintenance-mode/plan.ics", "").await;
    assert_eq!(calendar.status(), 200);
    let read = read(calendar.body());
    assert_eq!(read["name"], "Planned maintenance");
    let plan = server.send("GET /maintenance-mode/plan.json", "").await;
    let plan: Value = serde_json::from_str(plan.body()).unwrap();
    let mut meant = plan["windows"].as_array().unwrap().clone();
    for window in &mut meant {
        window.as_object_mut().unwrap().remove("mode");
    }
    assert!(meant.len() > 370, "{}", meant.len());
    assert_eq!(read["events"].as_array().unwrap(), &meant);
    server.stop().await;
}
