//! The dashboard with much in it: what matters comes first, and all of it can be found.

use std::time::Duration;

use actix_maintenance_mode::settings::ModeSettings;
use actix_web::{App, test};
use jiff::{SignedDuration, Timestamp};

use crate::test_app::{LoggedIn, TestApp, maintenance, routes, sessions};

const BASE: &str = "/maintenance-mode";

/// An app with `site` and, of a part of it each, so many other modes.
async fn app_with(others: usize) -> (TestApp, LoggedIn) {
    let app = TestApp::with_settings(move |settings| {
        settings.modes = vec![ModeSettings::new("site")];
        for number in 0..others {
            let mut mode = ModeSettings::new(format!("part-{number}"));
            mode.label = Some(format!("Part {number}"));
            mode.announce = Duration::from_secs(3600);
            mode.applies_to.prefixes = vec![format!("/part-{number}")];
            settings.modes.push(mode);
        }
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    (app, alice)
}

async fn page(app: &TestApp, who: &LoggedIn, query: &str) -> String {
    let answer = app.get(&format!("{BASE}{query}")).by(who).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text().to_owned()
}

#[track_caller]
fn headline(page: &str) -> &str {
    let (_, rest) = page
        .split_once("class=\"light\" aria-hidden=\"true\"></span>")
        .unwrap();
    rest.split('<').next().unwrap()
}

#[actix_web::test]
async fn closed_modes_come_first_and_open_ones_are_rows() {
    let (app, alice) = app_with(11).await;
    let open = page(&app, &alice, "/").await;
    assert_eq!(headline(&open), "Everything is open");
    assert_eq!(open.matches("<article class=\"mode").count(), 0);
    assert_eq!(
        open.matches("data-dialog href=\"/maintenance-mode/switch?")
            .count(),
        12
    );

    app.maintenance.turn_on().mode("part-7").await.unwrap();
    app.maintenance
        .turn_on()
        .mode("part-3")
        .drain()
        .await
        .unwrap();
    let soon = Timestamp::now() + SignedDuration::from_mins(30);
    app.maintenance
        .plan_window()
        .mode("part-9")
        .start(soon)
        .await
        .unwrap();
    let some = page(&app, &alice, "/").await;
    let order: Vec<usize> = [
        "mode-part-7",
        "mode-part-3",
        "mode-part-9",
        "mode-site",
        "mode-part-0",
    ]
    .iter()
    .map(|id| {
        some.find(&format!("id=\"{id}\""))
            .unwrap_or_else(|| panic!("{id}: {some}"))
    })
    .collect();
    assert!(order.is_sorted(), "{order:?}");
    let cards = some.matches("<article class=\"mode").count();
    // A mode with nobody inside may be closed by now; it is a card all the same.
    assert_eq!(cards, 3, "{some}");
    let (_, rows) = some.split_once("<ul class=\"rows\">").unwrap();
    let (rows, _) = rows.split_once("</ul>").unwrap();
    assert_eq!(rows.matches("<li>").count(), 9);

    // One mode has all of the page.
    let (app, alice) = app_with(0).await;
    let alone = page(&app, &alice, "/").await;
    assert_eq!(alone.matches("<article class=\"mode").count(), 1);
    assert!(!alone.contains("class=\"rows\""));
}

#[actix_web::test]
async fn a_part_that_is_closed_is_not_said_to_be_all() {
    let (app, alice) = app_with(2).await;
    app.maintenance.turn_on().mode("part-0").await.unwrap();
    assert_eq!(
        headline(&page(&app, &alice, "/").await),
        "Partly in maintenance"
    );
    app.maintenance.turn_on().mode("site").await.unwrap();
    assert_eq!(headline(&page(&app, &alice, "/").await), "In maintenance");
    app.maintenance.turn_off().mode("part-0").await.unwrap();
    assert_eq!(headline(&page(&app, &alice, "/").await), "In maintenance");
    app.maintenance.turn_off().mode("site").await.unwrap();
    // Somebody for whom a drain waits.
    let bob = app.log_in_user("bob").await;
    app.get("/part-1").by(&bob).await.is_served();
    app.maintenance
        .turn_on()
        .mode("part-1")
        .drain()
        .await
        .unwrap();
    let closing = page(&app, &alice, "/").await;
    assert_eq!(headline(&closing), "Partly closing for maintenance");
}

#[actix_web::test]
async fn where_nothing_enforces_it_nothing_is_said_to_be_closed() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(maintenance.admin())
        .configure(routes)
        .wrap(sessions());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    let alice = app.log_in_superuser("alice").await;
    let open = page(&app, &alice, "/").await;
    assert!(open.contains("Nothing enforces this"), "{open}");
    app.turn_on().await;
    app.get("/").await.is_served();
    let closed = page(&app, &alice, "/").await;
    assert_eq!(headline(&closed), "Switched on, but nothing enforces it");
    assert!(closed.contains("Nothing enforces this"), "{closed}");
    assert!(!closed.contains("Visitors are refused"), "{closed}");
    let status = app.get(&format!("{BASE}/status")).by(&alice).await.json();
    assert_eq!(status["enforced"], false);
}

#[actix_web::test]
async fn long_texts_are_folded_and_keep_their_lines() {
    let (app, alice) = app_with(0).await;
    let message = format!("First line.\nSecond <line>.\n{}", "More of it. ".repeat(40));
    let short = "Ticket 4711";
    app.maintenance
        .turn_on()
        .message(&message)
        .reason(short)
        .await
        .unwrap();
    let folded = page(&app, &alice, "/").await;
    assert!(
        folded.contains("<details class=\"long\" id=\"message-site\">"),
        "{folded}"
    );
    assert!(
        folded.contains("First line.\nSecond &lt;line&gt;.\nMore of it."),
        "{folded}"
    );
    assert!(
        folded.contains("First line. Second &lt;line&gt;. More"),
        "{folded}"
    );
    assert!(!folded.contains("id=\"reason-site\""), "{folded}");
}

#[actix_web::test]
async fn sixty_windows_are_rows_of_which_the_next_are_shown() {
    let (app, alice) = app_with(0).await;
    for hours in 1..=60 {
        app.maintenance
            .plan_window()
            .start(Timestamp::now() + SignedDuration::from_hours(hours * 3))
            .lasting(Duration::from_secs(3600))
            .title(format!("Window {hours}"))
            .reason("each has one")
            .await
            .unwrap();
    }
    let page = page(&app, &alice, "/").await;
    let (shown, folded) = page.split_once("<details id=\"more-windows\">").unwrap();
    assert!(
        folded.starts_with("<summary>and 52 more</summary>"),
        "{folded}"
    );
    assert_eq!(shown.matches("id=\"cancel-").count(), 8);
    assert_eq!(folded.matches("id=\"cancel-").count(), 52);
    assert!(shown.find(">Window 1<").unwrap() < shown.find(">Window 8<").unwrap());
    assert!(folded.contains(">Window 60<"));
}

#[actix_web::test]
async fn the_history_has_all_periods_by_pages_and_by_mode() {
    let (app, alice) = app_with(1).await;
    for turn in 0..45 {
        let mode = if turn % 3 == 0 { "part-0" } else { "site" };
        let reason = format!("turn {turn}.");
        app.maintenance
            .turn_on()
            .mode(mode)
            .reason(reason)
            .await
            .unwrap();
        app.maintenance.turn_off().mode(mode).await.unwrap();
    }
    let turns = |page: &str| -> Vec<usize> {
        (0..45)
            .filter(|turn| page.contains(&format!(">turn {turn}.<")))
            .collect()
    };
    let first = page(&app, &alice, "/").await;
    assert_eq!(turns(&first), (25..45).collect::<Vec<_>>());
    assert!(first.contains("Page 1 of 3"), "{first}");
    assert!(
        first.contains("href=\"/maintenance-mode/?page=2#history-title\""),
        "{first}"
    );
    assert!(first.contains(" in all</span>"), "{first}");
    let last = page(&app, &alice, "/?page=3").await;
    assert_eq!(turns(&last), (0..5).collect::<Vec<_>>());
    let part = page(&app, &alice, "/?history=part-0").await;
    assert_eq!(
        turns(&part),
        (0..45).filter(|turn| turn % 3 == 0).collect::<Vec<_>>()
    );
    assert!(part.contains("aria-current=\"page\">Part 0</a>"), "{part}");
    // Nonsense in the address harms nothing.
    let odd = page(&app, &alice, "/?history=%3Cscript%3E&page=-1").await;
    assert_eq!(turns(&odd), turns(&first));
    assert!(!odd.contains("<script>"));
}
