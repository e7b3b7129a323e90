//! The forms of the dashboard: what became of the world since they were opened, why they were not
//! taken, and that they come again with what was written. Without JavaScript.

use std::time::Duration;

use actix_maintenance_mode::{Permission, Phase, settings::ModeSettings};
use jiff::{SignedDuration, Timestamp};

use crate::test_app::{Answer, LoggedIn, TestApp};

const BASE: &str = "/maintenance-mode";

async fn app() -> (TestApp, LoggedIn) {
    let app =
        TestApp::with_settings(|settings| settings.time_zone = Some("Europe/Rome".into())).await;
    let alice = app.log_in_superuser("alice").await;
    (app, alice)
}

/// The value of a field of the form, as a browser would send it.
#[track_caller]
fn field(page: &Answer, name: &str) -> String {
    let page = page.text();
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no field `{name}`: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn form(app: &TestApp, who: &LoggedIn, path: &str) -> Answer {
    let page = app
        .get(&format!("{BASE}{path}"))
        .accept("text/html")
        .by(who)
        .await;
    assert_eq!(page.status, 200, "{page:?}");
    page
}

async fn sent(app: &TestApp, who: &LoggedIn, path: &str, fields: &str) -> Answer {
    app.post(&format!("{BASE}{path}"))
        .accept("text/html")
        .by(who)
        .form(fields)
        .await
}

/// What stands above a form that comes again.
#[track_caller]
fn fault(page: &Answer) -> String {
    let page = page.text();
    let (_, rest) = page
        .split_once("id=\"fault\"")
        .unwrap_or_else(|| panic!("no fault: {page}"));
    let (fault, _) = rest.split_once("<form").unwrap();
    fault.to_owned()
}

#[actix_web::test]
async fn a_closed_mode_is_said_to_take_longer() {
    let (app, alice) = app().await;
    app.maintenance
        .turn_on()
        .by("deploy")
        .reason("release")
        .message("Back soon.")
        .lasting(Duration::from_secs(1800))
        .await
        .unwrap();
    let before = app.maintenance.status();
    let before = before.mode("site").unwrap();

    let dashboard = form(&app, &alice, "/").await;
    assert!(
        dashboard.text().contains("/change?mode=site"),
        "{}",
        dashboard.text()
    );
    let page = form(&app, &alice, "/change?mode=site").await;
    for shown in [
        "Change what is said of “Whole site”",
        ">Back soon.</textarea>",
        "value=\"release\"",
        "15 min later: ",
        "1 h later: ",
        "As it is: ",
        "No end: somebody brings it back",
        "Times are in Europe/Rome.",
    ] {
        assert!(page.text().contains(shown), "{shown}: {}", page.text());
    }
    let seen = field(&page, "seen");
    let fields = format!(
        "mode=site&again=true&seen={seen}&end=later-60m&message=It+takes+an+hour+more.&reason=disk+full"
    );
    let done = sent(&app, &alice, "/change", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(done.header("location"), Some("/maintenance-mode/"));
    let status = app.maintenance.status();
    let site = status.mode("site").unwrap();
    assert_eq!(site.phase, Phase::Offline);
    assert_eq!(site.since, before.since);
    let later = site.until.unwrap().duration_since(before.until.unwrap());
    assert_eq!(later, SignedDuration::from_hours(1));
    assert_eq!(site.message.as_deref(), Some("It takes an hour more."));
    assert_eq!(site.reason.as_deref(), Some("disk full"));
    assert_eq!(site.by.as_deref(), Some("alice"));
    assert!(app.get("/").await.text().contains("It takes an hour more."));

    // What is emptied is taken away.
    let page = form(&app, &alice, "/change?mode=site").await;
    let seen = field(&page, "seen");
    let fields = format!("mode=site&again=true&seen={seen}&end=never&message=&reason=");
    let done = sent(&app, &alice, "/change", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let status = app.maintenance.status();
    let site = status.mode("site").unwrap();
    assert_eq!(
        (&site.message, &site.reason, site.until),
        (&None, &None, None)
    );
    // Without an end there is none to be put off.
    let page = form(&app, &alice, "/change?mode=site").await;
    assert!(page.text().contains("In 15 min: "), "{}", page.text());
    let seen = field(&page, "seen");
    let fields = format!("mode=site&again=true&seen={seen}&end=in-15m&message=&reason=");
    let asked_at = Timestamp::now();
    assert_eq!(sent(&app, &alice, "/change", &fields).await.status, 303);
    let until = app
        .maintenance
        .status()
        .mode("site")
        .unwrap()
        .until
        .unwrap();
    let after = until.duration_since(asked_at);
    assert!((14..=16).contains(&after.as_mins()), "{after}");
}

#[actix_web::test]
async fn an_end_is_given_in_the_zone_of_the_site() {
    let (app, alice) = app().await;
    app.turn_on().await;
    let fields = "mode=site&again=true&end=at&until=2099-11-25T22:00&zone=Europe/Rome";
    let done = sent(&app, &alice, "/change", fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let until = app.maintenance.status().mode("site").unwrap().until;
    assert_eq!(until.unwrap().to_string(), "2099-11-25T21:00:00Z");
    for (fields, wrong) in [
        ("end=at&until=", ""),
        ("end=at&until=2020-01-01T00:00", "past"),
        ("end=at&until=2099-11-25T22:00&zone=Nowhere", "Nowhere"),
        ("end=later-x", "`x`"),
        ("end=sometime", "sometime"),
    ] {
        let fields = format!("mode=site&again=true&message=kept+text&{fields}");
        let page = sent(&app, &alice, "/change", &fields).await;
        assert_eq!(page.status, 422, "{fields}: {}", page.text());
        assert!(
            fault(&page).contains("This was not done")
                && fault(&page).contains(wrong)
                && page.text().contains(">kept text<"),
            "{fields}: {}",
            page.text()
        );
        assert_eq!(app.maintenance.status().mode("site").unwrap().until, until);
    }
}

#[actix_web::test]
async fn a_form_that_somebody_else_was_faster_than_says_so_and_mixes_nothing() {
    let (app, alice) = app().await;
    let closing = form(&app, &alice, "/switch?mode=site&to=on").await;
    app.maintenance
        .turn_on()
        .by("bob")
        .reason("bob's reason")
        .message("Bob's message.")
        .await
        .unwrap();
    let seen = field(&closing, "seen");
    let fields = format!(
        "mode=site&next=/maintenance-mode/&again=true&seen={seen}&message=Alice%27s+message.&reason=alice%27s&for=30m&drain=true"
    );
    let page = sent(&app, &alice, "/on", &fields).await;
    assert_eq!(page.status, 409, "{}", page.text());
    for told in [
        "Somebody has switched",
        "bob",
        "Bob&#39;s message.",
        "Closed",
    ] {
        assert!(fault(&page).contains(told), "{told}: {}", fault(&page));
    }
    for kept in [
        ">Alice&#39;s message.</textarea>",
        "value=\"alice&#39;s\"",
        "<option value=\"30m\" selected>",
        "value=\"true\" checked",
    ] {
        assert!(page.text().contains(kept), "{kept}: {}", page.text());
    }
    let status = app.maintenance.status();
    let site = status.mode("site").unwrap();
    assert_eq!(site.message.as_deref(), Some("Bob's message."));
    assert_eq!(site.by.as_deref(), Some("bob"));
    assert_eq!(site.until, None);
    // Whoever still means it sends it again.
    let fields = fields.replace(&seen, &field(&page, "seen"));
    let done = sent(&app, &alice, "/on", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let status = app.maintenance.status();
    let message = status.mode("site").unwrap().message.as_deref();
    assert_eq!(message, Some("Alice's message."));

    // Nor is opened what has been told to take longer, nor told to take longer what has opened.
    let opening = form(&app, &alice, "/switch?mode=site&to=off").await;
    let late = form(&app, &alice, "/change?mode=site").await;
    app.maintenance.turn_on().reason("data loss").await.unwrap();
    let fields = format!("mode=site&again=true&seen={}", field(&opening, "seen"));
    let page = sent(&app, &alice, "/off", &fields).await;
    assert_eq!(page.status, 409, "{}", page.text());
    assert!(fault(&page).contains("data loss"), "{}", page.text());
    assert!(app.maintenance.is_on());
    app.turn_off().await;
    let fields = format!(
        "mode=site&again=true&seen={}&end=never&message=m&reason=r",
        field(&late, "seen")
    );
    let page = sent(&app, &alice, "/change", &fields).await;
    assert_eq!(page.status, 409, "{}", page.text());
    assert!(!app.maintenance.is_on());
    // Other modes and what is over do not make a form outdated; programs send no such field.
    let closing = form(&app, &alice, "/switch?mode=site&to=on").await;
    app.maintenance
        .plan_window()
        .start(Timestamp::now() + SignedDuration::from_hours(2))
        .await
        .unwrap();
    let fields = format!("mode=site&again=true&seen={}", field(&closing, "seen"));
    assert_eq!(sent(&app, &alice, "/on", &fields).await.status, 303);
    assert_eq!(sent(&app, &alice, "/off", "mode=site").await.status, 303);
}

#[actix_web::test]
async fn what_a_hook_refuses_comes_again_with_its_reason() {
    let app = TestApp::with_builder(|builder| {
        builder.before_change(|change| {
            let says_why = change
                .reason
                .as_deref()
                .is_some_and(|why| why.contains("ticket"));
            async move {
                if says_why {
                    Ok(())
                } else {
                    Err("name a ticket".to_owned())
                }
            }
        })
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    for (path, fields) in [
        ("/on", "mode=site&message=My+text.&reason=none"),
        (
            "/plan",
            "mode=site&start=2099-11-25T22:00&zone=UTC&message=My+text.&title=T",
        ),
    ] {
        let page = sent(&app, &alice, path, &format!("{fields}&again=true")).await;
        assert_eq!(page.status, 409, "{path}: {}", page.text());
        assert!(fault(&page).contains("name a ticket"), "{}", fault(&page));
        assert!(
            page.text().contains(">My text.</textarea>"),
            "{}",
            page.text()
        );
        assert!(page.text().contains("data-close"), "a way back");
        // A program gets an answer and no form.
        let plain = sent(&app, &alice, path, fields).await;
        assert_eq!(plain.status, 409);
        assert!(!plain.text().contains("<form"), "{}", plain.text());
        let json = app
            .post(&format!("{BASE}{path}"))
            .accept("application/json")
            .by(&alice)
            .form(&format!("{fields}&again=true"))
            .await;
        assert_eq!(
            json.header("content-type"),
            Some("application/problem+json"),
            "{json:?}"
        );
    }
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn what_the_store_does_not_take_comes_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let state = folder.path().join("maintenance.state");
    let url = format!("file:{}", state.display());
    let app = TestApp::with_settings(move |settings| settings.store = url).await;
    let alice = app.log_in_superuser("alice").await;
    app.turn_on().await;
    let planned = app
        .maintenance
        .plan_window()
        .start(Timestamp::now() + SignedDuration::from_hours(2))
        .title("Move")
        .await
        .unwrap();
    let kept = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();
    std::fs::create_dir(&state).unwrap();
    let forms = [
        ("/off", "mode=site".to_owned(), ""),
        ("/on", "mode=site&message=My+text.".to_owned(), ">My text.<"),
        (
            "/change",
            "mode=site&end=never&message=My+text.".to_owned(),
            ">My text.<",
        ),
        (
            "/plan",
            "mode=site&start=2099-11-25T22:00&zone=UTC&title=My+title".to_owned(),
            "\"My title\"",
        ),
        ("/cancel", format!("id={}", planned.id), &planned.id),
    ];
    for (path, fields, kept) in &forms {
        let page = sent(&app, &alice, path, &format!("{fields}&again=true")).await;
        assert_eq!(page.status, 503, "{path}: {}", page.text());
        assert!(
            fault(&page).contains("it is a folder"),
            "{path}: {}",
            fault(&page)
        );
        assert!(page.text().contains(kept), "{path}: {}", page.text());
        assert!(page.text().contains("data-close"), "{path}: a way back");
    }
    std::fs::remove_dir(&state).unwrap();
    std::fs::write(&state, kept).unwrap();
    for (path, fields, _) in &forms {
        let done = sent(&app, &alice, path, &format!("{fields}&again=true")).await;
        // What is open by now has nothing that could be said of it.
        assert!(matches!(done.status, 303 | 409), "{path}: {}", done.text());
    }
}

#[actix_web::test]
async fn whoever_was_logged_out_keeps_what_they_wrote_and_learns_nothing() {
    let app = TestApp::with_settings(|settings| {
        settings.login_url = Some("/log-in-here".into());
        let mut shop = ModeSettings::new("shop");
        shop.label = Some("Secret project".to_owned());
        settings.modes = vec![ModeSettings::new("site"), shop];
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    let seen = field(&form(&app, &alice, "/switch?mode=shop&to=on").await, "seen");
    let nobody = |path: &str, fields: String| {
        app.post(&format!("{BASE}{path}"))
            .accept("text/html")
            .form(&fields)
    };
    for mode in ["shop", "nothing"] {
        for (path, fields) in [
            (
                "/on",
                format!("mode={mode}&seen={seen}&for=30m&message=My+text."),
            ),
            (
                "/change",
                format!("mode={mode}&seen={seen}&end=later-60m&message=My+text."),
            ),
            (
                "/plan",
                format!("mode={mode}&start=2099-11-25T22:00&message=My+text."),
            ),
            ("/cancel", "id=My+text.&only=all".to_owned()),
            ("/off", format!("mode={mode}&seen={seen}&next=My+text.")),
        ] {
            let page = nobody(path, format!("{fields}&again=true")).await;
            assert_eq!(page.status, 403, "{path}: {}", page.text());
            let told = fault(&page);
            assert!(told.contains("You are not logged in any more"), "{told}");
            assert!(
                told.contains("href=\"/log-in-here\" target=\"_blank\""),
                "{told}"
            );
            if path != "/off" {
                assert!(page.text().contains("My text."), "{path}: {}", page.text());
            }
            for hidden in ["Secret project", "Whole site"] {
                assert!(!page.text().contains(hidden), "{path}: {}", page.text());
            }
            // As always where the form comes from nowhere: to the log-in.
            assert_eq!(nobody(path, fields.clone()).await.status, 303, "{path}");
            // What another site sends is not shown to anybody.
            let foreign = nobody(path, format!("{fields}&again=true"))
                .header("Sec-Fetch-Site", "cross-site")
                .await;
            assert_eq!(foreign.status, 303, "{path}");
        }
    }
    assert!(!app.maintenance.is_on());
    // Logged in again, the same form is taken.
    let fields = format!("mode=shop&seen={seen}&for=30m&message=My+text.&again=true");
    assert_eq!(sent(&app, &alice, "/on", &fields).await.status, 303);
    let status = app.maintenance.status();
    assert_eq!(
        status.mode("shop").unwrap().message.as_deref(),
        Some("My text.")
    );
}

#[actix_web::test]
async fn whoever_may_not_switch_any_more_is_told_so() {
    let app = TestApp::with_builder(|builder| {
        builder.permission(Permission::See, |visitor, _| visitor.authenticated)
    })
    .await;
    let bob = app.log_in_user("bob").await;
    let fields = "mode=site&again=true&message=My+text.&for=";
    let page = sent(&app, &bob, "/on", fields).await;
    assert_eq!(page.status, 403);
    assert!(
        fault(&page).contains("You may look, but not switch."),
        "{}",
        fault(&page)
    );
    assert!(page.text().contains(">My text.<"));
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn the_form_of_a_window_is_in_the_zone_of_the_site() {
    let (app, alice) = app().await;
    let plan = format!("{BASE}/plan");
    let tokyo = async |app: &TestApp, who: &LoggedIn| {
        app.get(&plan)
            .by(who)
            .cookie("maintenance_zone", "Asia/Tokyo")
            .await
    };
    let page = tokyo(&app, &alice).await;
    for zone in [
        "<option value=\"Europe/Rome\" selected>Europe/Rome (this site)</option>",
        "<option value=\"Asia/Tokyo\">Asia/Tokyo (yours)</option>",
        "<option value=\"UTC\">UTC</option>",
    ] {
        assert!(page.text().contains(zone), "{zone}: {}", page.text());
    }
    assert!(
        page.text()
            .contains("leaves out the months without that day")
    );
    // What does not come by the form is in the zone of the site as well.
    let fields = "mode=site&start=2099-11-25T22:00&end=2099-11-26T01:00";
    assert_eq!(sent(&app, &alice, "/plan", fields).await.status, 303);
    let start = app.maintenance.status().modes[0].windows[0].start.unwrap();
    assert_eq!(start.to_string(), "2099-11-25T21:00:00Z");

    // A site without one leaves it to whoever plans.
    let app = TestApp::start().await;
    let alice = app.log_in_superuser("alice").await;
    let page = tokyo(&app, &alice).await;
    assert!(
        page.text().contains("selected>Asia/Tokyo (yours)"),
        "{}",
        page.text()
    );
}

#[actix_web::test]
async fn a_window_on_the_31st_says_which_months_it_leaves_out() {
    let (app, alice) = app().await;
    let plan = async |day: &str| {
        let fields = format!(
            "mode=site&title=Day+{day}&start=2099-12-{day}T03:00&end=2099-12-{day}T05:00&repeat=monthly&zone=Europe/Rome"
        );
        assert_eq!(sent(&app, &alice, "/plan", &fields).await.status, 303);
    };
    plan("28").await;
    let page = form(&app, &alice, "/").await;
    assert!(!page.text().contains("are left out"), "{}", page.text());
    plan("31").await;
    let page = form(&app, &alice, "/").await;
    assert!(
        page.text()
            .contains("Months that have no day 31 are left out.")
            || page
                .text()
                .contains("Months without a day 31 are left out."),
        "{}",
        page.text()
    );
    // In words, with the expression beside them.
    assert!(
        page.text()
            .contains("on the 28th of every month at 03:00 (0 3 28 * *, "),
        "{}",
        page.text()
    );
    let german = app
        .get(BASE)
        .by(&alice)
        .header("Accept-Language", "de")
        .await;
    assert!(
        german
            .text()
            .contains("Jeden Monat: 28., 03:00 (0 3 28 * *, "),
        "{}",
        german.text()
    );
}

/// From when to when, as the pages show it to somebody in Rome.
fn in_rome(instant: Timestamp) -> String {
    let local = instant.in_tz("Europe/Rome").unwrap();
    local.strftime("%Y-%m-%d %H:%M").to_string()
}

#[actix_web::test]
async fn what_closes_the_site_all_the_same_is_told_before_a_window_is_cancelled() {
    let (app, alice) = app().await;
    let hours = |hours| Timestamp::now() + SignedDuration::from_hours(hours);
    let plan = async |title: &str, start, end| {
        let plan = app.maintenance.plan_window().title(title);
        plan.start(start).end(end).await.unwrap().id
    };
    let disks = plan("Disks", hours(48), hours(50)).await;
    let cancel = format!("/cancel?id={disks}");
    let asked = form(&app, &alice, &cancel).await;
    assert!(asked.text().contains("The site stays open at that time."));

    let (from, until) = (hours(49), hours(53));
    let network = plan("Network", from, until).await;
    let by_network = format!(
        "by “Network”: from {} until {}",
        in_rome(from),
        in_rome(until)
    );
    let asked = form(&app, &alice, &cancel).await;
    assert!(asked.text().contains(&by_network), "{}", asked.text());
    assert!(!asked.text().contains("stays open"), "{}", asked.text());
    // Whoever has planned it finds it at the row, too.
    let dashboard = form(&app, &alice, "/").await;
    assert!(
        dashboard.text().contains(&by_network),
        "{}",
        dashboard.text()
    );
    assert!(dashboard.text().contains("by “Disks”: from "));

    // What is switched on until then closes it, too; and what is on without an end.
    let gone = format!("id={network}&again=true");
    assert_eq!(sent(&app, &alice, "/cancel", &gone).await.status, 303);
    app.maintenance.turn_on().until(hours(60)).await.unwrap();
    let asked = form(&app, &alice, &cancel).await;
    let until = format!("closed all the same, until {}", in_rome(hours(60)));
    assert!(asked.text().contains(&until), "{}", asked.text());
    app.maintenance.turn_on().without_end().await.unwrap();
    let german = app
        .get(&format!("{BASE}{cancel}"))
        .by(&alice)
        .header("Accept-Language", "de")
        .await;
    let words = "trotzdem geschlossen, bis jemand es wieder öffnet";
    assert!(german.text().contains(words), "{}", german.text());
}

#[actix_web::test]
async fn a_window_that_is_open_and_not_alone_does_not_open_the_site() {
    let (app, alice) = app().await;
    let plan = async |lasting: u64| {
        let plan = app
            .maintenance
            .plan_window()
            .title(format!("For {lasting}"));
        let planned = plan.lasting(Duration::from_secs(lasting * 3600)).await;
        planned.unwrap().id
    };
    let one = plan(1).await;
    let asked = form(&app, &alice, &format!("/cancel?id={one}")).await;
    assert!(asked.text().contains("Visitors get in again at once"));
    plan(2).await;
    let asked = form(&app, &alice, &format!("/cancel?id={one}")).await;
    assert!(!asked.text().contains("get in again"), "{}", asked.text());
    assert!(asked.text().contains("by “For 2”"), "{}", asked.text());
}

#[actix_web::test]
async fn what_a_planner_is_warned_of_stands_at_the_window() {
    let (app, alice) = app().await;
    // Planned by a program: the form cannot say until when something repeats.
    let plan = app.maintenance.plan_window().title("Nightly");
    let plan = plan
        .repeats("0 3 * * SAT")
        .lasting(Duration::from_secs(7200));
    plan.end_local("2099-03-28T04:00").await.unwrap();
    let twice = app.maintenance.plan_window().title("Clocks");
    let twice = twice.start_local("2099-10-25T02:30").zone("Europe/Rome");
    twice.end_local("2099-10-25T06:00").await.unwrap();
    let page = form(&app, &alice, "/").await;
    for note in [
        "Its end is in the middle of the time that starts at 2099-03-28 03:00: that one lasts until 2099-03-28 05:00",
        "The clocks show 02:30 twice on that day; the one at +02:00 is meant.",
        "every Saturday at 03:00 (0 3 * * SAT, Europe/Rome), 2 h",
    ] {
        assert!(page.text().contains(note), "{note}: {}", page.text());
    }
    // There are no words for it in German, and English ones are of no use.
    let german = app
        .get(BASE)
        .by(&alice)
        .header("Accept-Language", "de")
        .await;
    let german = german.text();
    assert!(
        german.contains(">0 3 * * SAT (Europe/Rome), 2 Std."),
        "{german}"
    );
    assert!(!german.contains("every Saturday"), "{german}");
}
