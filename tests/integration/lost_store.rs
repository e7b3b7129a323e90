//! A store that forgets what it held: what was said afterwards counts, and the rest comes back.

use std::{fs, sync::atomic::Ordering, time::Duration};

use actix_maintenance_mode::{ChangeError, Maintenance, Phase};
use serde_json::Value;

use crate::{
    eventually::eventually,
    processes::maintenance_of,
    store_failures::{Server, node},
};

const HOUR: Duration = Duration::from_secs(3600);

async fn plan(maintenance: &Maintenance, title: &str) {
    maintenance
        .plan_window()
        .title(title)
        .start(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24))
        .lasting(HOUR)
        .await
        .unwrap();
}

fn titles(document: &Value) -> Vec<String> {
    let windows = document["modes"]["site"]["windows"].as_array();
    let mut titles: Vec<String> = windows
        .into_iter()
        .flatten()
        .map(|window| window["title"].as_str().unwrap_or_default().to_owned())
        .collect();
    titles.sort();
    titles
}

fn has(server: &Server, wanted: &[&str]) -> bool {
    server.document().is_some_and(|it| titles(&it) == wanted)
}

/// A node that has seen more changes than will be made after the loss.
async fn experienced(server: &Server) -> Maintenance {
    let maintenance = node(server).await;
    for _ in 0..3 {
        maintenance.turn_on().reason("before").await.unwrap();
        maintenance.turn_off().await.unwrap();
    }
    maintenance
}

#[actix_web::test]
async fn a_switch_that_is_acknowledged_after_a_loss_is_not_undone() {
    let server = Server::new();
    let nodes = [experienced(&server).await, node(&server).await];
    plan(&nodes[0], "before").await;
    eventually("both know it", || {
        nodes[1].status().generation == nodes[0].status().generation
    })
    .await;

    server.becomes(None);
    // As a command does that has just begun, and knows nothing of what was there.
    let command = node(&server).await;
    let change = command.turn_on().reason("after").await.unwrap();
    assert!(change.changed);
    plan(&command, "after").await;

    eventually("all is there", || has(&server, &["after", "before"])).await;
    eventually("all are closed", || nodes.iter().all(Maintenance::is_on)).await;
    for node in nodes.iter().chain([&command]) {
        eventually("its history is back", || node.history().len() == 4).await;
        let status = node.status();
        assert_eq!(status.modes[0].reason.as_deref(), Some("after"));
    }
}

#[actix_web::test]
async fn off_after_a_loss_is_off_although_the_empty_store_said_so_already() {
    let server = Server::new();
    let way = server.by_another_way();
    let here = node(&way).await;
    here.turn_on().reason("before").await.unwrap();
    plan(&here, "before").await;

    // It cannot put anything back before the command is heard.
    way.is_cut_off();
    server.becomes(None);
    let command = node(&server).await;
    let change = command.turn_off().await.unwrap();
    assert!(!change.changed);
    assert!(
        server.document().is_some(),
        "and yet it is stored that it was said"
    );
    way.speaks();
    eventually("the plan is back", || has(&server, &["before"])).await;
    eventually("it is open", || !here.is_on()).await;
    assert!(here.history()[0].ended_at.is_some());
}

#[actix_web::test]
async fn a_plan_after_a_loss_does_not_open_a_closed_site() {
    let server = Server::new();
    let here = node(&server).await;
    here.turn_on().reason("before").await.unwrap();
    let mut changes = here.subscribe();

    server.becomes(None);
    let command = node(&server).await;
    plan(&command, "after").await;
    eventually("the switch is back", || command.is_on()).await;
    assert!(has(&server, &["after"]));
    while let Ok(Some(status)) =
        tokio::time::timeout(Duration::from_millis(200), changes.next()).await
    {
        assert_eq!(status.modes[0].phase, Phase::Offline, "never open between");
    }
}

#[actix_web::test]
async fn what_is_written_upon_an_old_copy_counts_and_the_rest_comes_back() {
    let server = Server::new();
    let here = experienced(&server).await;
    let copy = serde_json::to_vec(&server.document().unwrap()).unwrap();
    here.turn_on().reason("lost").await.unwrap();
    here.turn_off().await.unwrap();
    plan(&here, "before").await;

    server.becomes(Some(&copy));
    let command = node(&server).await;
    command.turn_on().reason("after").await.unwrap();
    eventually("the plan is back", || has(&server, &["before"])).await;
    eventually("it is closed", || here.is_on()).await;
    assert_eq!(here.status().modes[0].reason.as_deref(), Some("after"));
    assert_eq!(here.history().len(), 5);
}

#[actix_web::test]
async fn a_change_is_done_not_done_or_not_known() {
    let server = Server::new();
    let here = node(&server).await;

    // The answer is lost, and what is stored tells.
    server.loses_replies.store(true, Ordering::SeqCst);
    assert!(here.turn_on().await.unwrap().changed);
    assert!(here.is_on());
    assert_eq!(server.document().unwrap()["generation"], 1);
    server.loses_replies.store(false, Ordering::SeqCst);

    server.refuses_writes.store(true, Ordering::SeqCst);
    let error = here.turn_off().await.unwrap_err();
    assert!(matches!(error, ChangeError::Store(_)), "{error}");
    assert!(error.to_string().contains("more memory"), "{error}");
    assert!(here.is_on());
    server.refuses_writes.store(false, Ordering::SeqCst);

    // The answer is lost, and nothing can be read any more.
    server.falls_silent.store(true, Ordering::SeqCst);
    let error = here.turn_off().await.unwrap_err();
    assert!(matches!(error, ChangeError::NotKnown(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("it may have been changed"), "{text}");
    assert!(text.contains("maintenance status"), "{text}");
    server.speaks();
    eventually("it was made after all", || !here.is_on()).await;
}

#[actix_web::test]
async fn a_plain_word_changes_the_switch_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maintenance.state");
    let nodes = [maintenance_of(&path).await, maintenance_of(&path).await];
    nodes[0].turn_on().reason("before").await.unwrap();
    nodes[0].turn_off().await.unwrap();
    plan(&nodes[0], "tomorrow").await;
    let stored = || serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).ok();

    for (word, is_on, periods) in [
        ("on\n", true, 2),
        ("off\n", false, 2),
        ("1", true, 3),
        ("", false, 3),
    ] {
        fs::write(&path, word).unwrap();
        for node in &nodes {
            eventually("the word counts", || node.is_on() == is_on).await;
        }
        eventually("the rest is put back", || {
            stored().is_some_and(|it| titles(&it) == ["tomorrow"])
        })
        .await;
        for node in &nodes {
            // One that had not heard of the plan when the word came gets to know it by what is put
            // back.
            eventually("all know all of it", || {
                node.history().len() == periods && node.status().modes[0].windows.len() == 1
            })
            .await;
            assert_eq!(node.is_on(), is_on);
        }
    }
}

#[actix_web::test]
async fn a_plain_word_while_no_app_runs_leaves_the_rest_to_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maintenance.state");
    let node = maintenance_of(&path).await;
    node.turn_on().reason("before").await.unwrap();
    node.turn_off().await.unwrap();
    plan(&node, "tomorrow").await;
    node.leave().await;
    drop(node);
    let stored = || serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).ok();

    fs::write(&path, "on\n").unwrap();
    let node = maintenance_of(&path).await;
    assert!(node.is_on());
    assert_eq!(node.status().modes[0].windows.len(), 1);
    assert_eq!(node.history().len(), 2);
    eventually("the rest is put back", || {
        stored().is_some_and(|it| titles(&it) == ["tomorrow"])
    })
    .await;
    node.leave().await;
    drop(node);

    // A command that finds the word adds its change to all of it.
    fs::write(&path, "off\n").unwrap();
    let command = maintenance_of(&path).await;
    plan(&command, "next week").await;
    assert!(!command.is_on());
    assert_eq!(titles(&stored().unwrap()), ["next week", "tomorrow"]);
    assert_eq!(stored().unwrap()["history"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn whoever_makes_the_file_anew_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maintenance.state");
    let node = maintenance_of(&path).await;
    plan(&node, "tomorrow").await;
    node.leave().await;
    drop(node);

    // Nobody was there to be told that it was removed.
    fs::remove_file(&path).unwrap();
    let command = maintenance_of(&path).await;
    assert_eq!(command.status().modes[0].windows.len(), 0);
    command.turn_on().await.unwrap();
    let node = maintenance_of(&path).await;
    assert!(node.is_on());
    assert_eq!(node.status().modes[0].windows.len(), 0);
}
