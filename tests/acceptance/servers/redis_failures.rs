//! Nodes whose Redis server goes away and comes back.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    IfLost, Maintenance, Phase, Settings,
    settings::{WhenStoreFails, WhenUnknownAtStart},
};
use actix_web::{App, HttpServer, dev::ServerHandle, rt, web};
use tokio::sync::Semaphore;

use crate::{
    eventually::within,
    nodes::{SOON, agree, fails, node, refuses_a_change, three},
    proxy::{Proxy, Way},
    redis_server::RedisServer,
};

/// After how long a node has found a server that is back: the longest pause, an attempt, and some
/// more for a busy machine.
const BACK: Duration = Duration::from_secs(20);

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_server_that_is_killed_and_has_saved_nothing_gets_its_state_back() {
    let mut server = RedisServer::start();
    let nodes = three(&server.url()).await;
    for _ in 0..2 {
        let generation = nodes[0].status().generation;
        server.kill();
        within(BACK, "it is noticed without a question", || {
            nodes.iter().all(fails)
        })
        .await;
        let text = refuses_a_change(&nodes[0], "redis://").await;
        assert!(text.contains("nothing listens there"), "{text}");
        for node in &nodes {
            assert!(node.is_on(), "the last state is kept");
            let store = node.status().store;
            assert!(store.age.is_some() && store.known_at.is_some());
        }
        server.run();
        within(BACK, "the state is put back", || {
            nodes.iter().all(|it| it.status().generation > generation)
        })
        .await;
        let stored = server.get("maintenance:state").unwrap();
        assert!(
            stored.contains("\"first\"") || stored.contains("\"2\""),
            "{stored}"
        );
        agree(&nodes, BACK).await;
    }
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_server_that_is_flushed_gets_its_state_back() {
    let server = RedisServer::start();
    let nodes = three(&server.url()).await;
    server.ask(&["FLUSHALL"]);
    within(BACK, "the state is put back", || {
        nodes.iter().all(|it| it.status().generation == 2)
    })
    .await;
    assert!(nodes.iter().all(Maintenance::is_on));
    agree(&nodes, BACK).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_server_that_hangs_is_waited_for_by_nobody() {
    let server = RedisServer::start();
    let nodes = three(&server.url()).await;
    server.pause();
    let text = refuses_a_change(&nodes[1], "redis://").await;
    assert!(text.contains("in time"), "{text}");
    within(BACK, "all notice it", || nodes.iter().all(fails)).await;
    assert!(nodes.iter().all(Maintenance::is_on));
    server.go_on();
    agree(&nodes, BACK).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_way_that_swallows_everything_is_given_up() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let near = node(&server.url()).await;
    let far = three(&proxy.url()).await;
    proxy.is(Way::BlackHole);
    refuses_a_change(&far[0], "redis://").await;
    within(BACK, "all notice it", || far.iter().all(fails)).await;
    // Meanwhile it goes on elsewhere.
    near.turn_off().await.unwrap();
    assert!(far.iter().all(Maintenance::is_on), "the last state is kept");
    proxy.is(Way::Open);
    within(BACK, "all have what happened meanwhile", || {
        !far.iter().any(Maintenance::is_on)
    })
    .await;
    agree(&far, BACK).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_way_that_is_cut_again_and_again_and_one_that_is_slow_lose_nothing() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let nodes = three(&proxy.url()).await;
    for _ in 0..3 {
        proxy.is(Way::Cut);
        within(BACK, "all notice it", || nodes.iter().all(fails)).await;
        proxy.is(Way::Open);
        agree(&nodes, BACK).await;
    }
    proxy.is(Way::Slow(Duration::from_millis(100)));
    let begin = Instant::now();
    nodes[0].turn_off().await.unwrap();
    assert!(
        begin.elapsed() >= Duration::from_millis(400),
        "it went the slow way"
    );
    within(BACK, "all have it", || {
        !nodes.iter().any(Maintenance::is_on)
    })
    .await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_cold_start_without_the_server_follows_the_setting_until_it_is_there() {
    let mut server = RedisServer::not_yet();
    let mut nodes = Vec::new();
    for (when, phase) in [
        (WhenStoreFails::KeepLast, Phase::Online),
        (WhenStoreFails::On, Phase::Offline),
        (WhenStoreFails::Off, Phase::Online),
    ] {
        let mut settings = Settings::default();
        settings.store = server.url();
        settings.when_store_fails = when;
        settings.when_unknown_at_start = WhenUnknownAtStart::Off;
        let node = Maintenance::builder()
            .settings(settings)
            .build()
            .await
            .unwrap();
        assert_eq!(node.phase(), phase, "{when:?}");
        assert_eq!(node.status().store.age, None);
        assert!(fails(&node));
        nodes.push(node);
    }
    server.run();
    agree(&nodes, BACK).await;
}

/// Asks for a page over one connection, again and again, until it is told to stop.
fn client(address: SocketAddr, stop: &AtomicBool) -> (u64, u64, Duration) {
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    let (mut asked, mut failed, mut longest) = (0, 0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        connection.get_mut().write_all(request).unwrap();
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        failed += u64::from(!line.starts_with("HTTP/1.1 200"));
        let mut length = 0;
        loop {
            line.clear();
            connection.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        connection.read_exact(&mut vec![0; length]).unwrap();
        longest = longest.max(begin.elapsed());
        asked += 1;
    }
    (asked, failed, longest)
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn while_the_server_is_down_no_request_fails_or_waits() {
    let mut server = RedisServer::start();
    let maintenance = node(&server.url()).await;
    maintenance.turn_on().await.unwrap();
    maintenance.turn_off().await.unwrap();
    let shared = maintenance.clone();
    let app = HttpServer::new(move || {
        App::new()
            .route("/", web::get().to(|| async { "Hello" }))
            .wrap(shared.middleware())
    })
    .workers(2)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = app.addrs()[0];
    let app = app.run();
    let handle = app.handle();
    rt::spawn(app);

    let stop = Arc::new(AtomicBool::new(false));
    let changes_failed = AtomicU64::new(0);
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || client(address, &stop))
        })
        .collect();
    let second = Duration::from_secs(1);
    rt::time::sleep(second).await;
    server.kill();
    let down = Instant::now();
    while down.elapsed() < 5 * second {
        // Somebody tries to switch it meanwhile.
        changes_failed.fetch_add(
            u64::from(maintenance.turn_on().await.is_err()),
            Ordering::Relaxed,
        );
        rt::time::sleep(second / 4).await;
    }
    server.run();
    // Put back meanwhile; and now one that hangs.
    within(BACK, "it is back", || !fails(&maintenance)).await;
    server.pause();
    rt::time::sleep(5 * second).await;
    assert!(fails(&maintenance) || maintenance.turn_on().await.is_err());
    server.go_on();
    within(BACK, "it is back", || !fails(&maintenance)).await;
    stop.store(true, Ordering::Relaxed);

    let (mut asked, mut failed, mut longest) = (0, 0, Duration::ZERO);
    for client in clients {
        let (its, failures, time) = client.join().unwrap();
        asked += its;
        failed += failures;
        longest = longest.max(time);
    }
    println!("{asked} requests, {failed} failed, the longest took {longest:?}");
    assert_eq!(failed, 0);
    assert!(asked > 1000);
    assert!(changes_failed.into_inner() > 1);
    // A request that waited for the store would take as long as its time-outs.
    assert!(longest < 2 * second, "{longest:?}");
    handle.stop(false).await;
}

/// How long the leases live of the nodes below, and a little more.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);
const A_LITTLE_MORE: Duration = Duration::from_millis(300);

async fn short_lived(url: &str) -> Maintenance {
    let mut settings = Settings::default();
    settings.store = url.to_owned();
    settings.node.time_to_live = TIME_TO_LIVE;
    let built = Maintenance::builder().settings(settings).build().await;
    built.unwrap()
}

/// A node that serves, and a way to keep a visitor inside.
struct Serving {
    maintenance: Maintenance,
    address: SocketAddr,
    /// A permit for each visitor who may leave.
    door: Arc<Semaphore>,
    handle: ServerHandle,
}

impl Serving {
    fn start(maintenance: Maintenance) -> Self {
        let door = Arc::new(Semaphore::new(0));
        let (shared, inside) = (maintenance.clone(), Arc::clone(&door));
        let app = HttpServer::new(move || {
            let inside = Arc::clone(&inside);
            let wait = move || {
                let inside = Arc::clone(&inside);
                async move {
                    inside.acquire().await.unwrap().forget();
                    "Goodbye"
                }
            };
            App::new()
                .route("/", web::get().to(|| async { "Hello" }))
                .route("/inside", web::get().to(wait))
                .wrap(shared.middleware())
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = app.addrs()[0];
        let app = app.run();
        let handle = app.handle();
        rt::spawn(app);
        Self {
            maintenance,
            address,
            door,
            handle,
        }
    }

    /// The status with which a visitor is answered.
    async fn ask(&self, path: &'static str) -> u16 {
        let address = self.address;
        let asked = web::block(move || {
            let mut connection = TcpStream::connect(address).unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            connection.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            answer.split(' ').nth(1).unwrap().parse().unwrap()
        });
        asked.await.unwrap()
    }

    /// A visitor comes in, and stays until the door is opened.
    async fn let_a_visitor_in(self: &Arc<Self>) -> rt::task::JoinHandle<u16> {
        let shop = Arc::clone(self);
        let visitor = rt::spawn(async move { shop.ask("/inside").await });
        within(SOON, "the visitor is inside", || {
            self.maintenance.status().in_flight == Some(1)
        })
        .await;
        visitor
    }
}

/// Somebody who knows nothing of what was there switches the site off and waits. It is called safe,
/// and not before the visitor is out.
async fn is_safe_only_without_the_visitor(
    server: &RedisServer,
    shop: &Serving,
    visitor: rt::task::JoinHandle<u16>,
    meanwhile: impl FnOnce(),
) {
    let observer = short_lived(&server.url()).await;
    let waiting = rt::spawn({
        let observer = observer.clone();
        async move { observer.turn_on().wait().await }
    });
    rt::time::sleep(TIME_TO_LIVE / 4).await;
    assert!(!waiting.is_finished(), "called safe with a visitor inside");
    meanwhile();
    // Also when a store that has forgotten is believed again.
    rt::time::sleep(TIME_TO_LIVE * 2).await;
    assert!(!waiting.is_finished(), "called safe with a visitor inside");
    shop.door.add_permits(1);
    assert_eq!(visitor.await.unwrap(), 200);
    let waited = rt::time::timeout(BACK, waiting).await;
    waited.expect("it is called safe").unwrap().unwrap();
    assert_eq!(shop.ask("/").await, 503);
    shop.handle.stop(false).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn after_a_flush_a_switch_closes_every_node_and_stays() {
    let server = RedisServer::start();
    let shops = [
        Serving::start(node(&server.url()).await),
        Serving::start(node(&server.url()).await),
    ];
    // They have seen more changes than there are after the loss.
    for _ in 0..3 {
        shops[0].maintenance.turn_on().await.unwrap();
        shops[0].maintenance.turn_off().await.unwrap();
    }
    within(SOON, "both know it", || {
        shops
            .iter()
            .all(|shop| shop.maintenance.status().generation == 6)
    })
    .await;
    server.ask(&["FLUSHALL"]);
    // As the program does, which has seen nothing of that.
    let command = node(&server.url()).await;
    let change = command.turn_on().await.unwrap();
    assert!(change.changed);
    within(SOON, "both have it", || {
        shops.iter().all(|shop| shop.maintenance.is_on())
    })
    .await;
    // For as long as it takes until whoever knew another state would have put it back.
    for _ in 0..20 {
        for shop in &shops {
            assert_eq!(shop.ask("/").await, 503);
        }
        rt::time::sleep(Duration::from_millis(100)).await;
    }
    for shop in shops {
        shop.handle.stop(false).await;
    }
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn after_a_restart_with_nothing_whoever_waits_waits_for_the_visitor() {
    let mut server = RedisServer::start();
    let shop = Arc::new(Serving::start(short_lived(&server.url()).await));
    let visitor = shop.let_a_visitor_in().await;
    server.kill();
    server.run();
    is_safe_only_without_the_visitor(&server, &shop, visitor, || {}).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn after_a_restart_with_an_old_copy_whoever_waits_waits_for_the_visitor() {
    let mut server = RedisServer::start();
    // Somebody has waited before, so that the copy looks as if it could be believed.
    let before = short_lived(&server.url()).await;
    before.turn_on().wait().no_nodes().await.unwrap();
    before.turn_off().await.unwrap();
    rt::time::sleep(TIME_TO_LIVE + A_LITTLE_MORE).await;
    server.ask(&["SAVE"]);
    // It comes when the copy is made, and is not in it.
    let proxy = Proxy::to(server.port());
    let shop = Arc::new(Serving::start(short_lived(&proxy.url()).await));
    let visitor = shop.let_a_visitor_in().await;
    proxy.is(Way::Cut);
    server.kill();
    server.run();
    is_safe_only_without_the_visitor(&server, &shop, visitor, || proxy.is(Way::Open)).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn an_index_of_leases_that_is_lost_is_a_loss_and_no_end() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let before = short_lived(&server.url()).await;
    before.turn_on().wait().no_nodes().await.unwrap();
    before.turn_off().await.unwrap();
    let shop = Arc::new(Serving::start(short_lived(&proxy.url()).await));
    let visitor = shop.let_a_visitor_in().await;
    rt::time::sleep(TIME_TO_LIVE + A_LITTLE_MORE).await;
    proxy.is(Way::Cut);
    server.ask(&["DEL", "maintenance:leases"]);
    is_safe_only_without_the_visitor(&server, &shop, visitor, || proxy.is(Way::Open)).await;
}

#[actix_web::test]
#[ignore = "needs redis-server"]
async fn a_lease_of_a_job_that_is_evicted_is_put_back_and_opens_nothing() {
    let server = RedisServer::start();
    let (job, node) = (node(&server.url()).await, node(&server.url()).await);
    let guard = job
        .while_on()
        .if_lost(IfLost::Reopen)
        .lost_after(Duration::from_secs(6))
        .enter()
        .await
        .unwrap();
    within(SOON, "the node has it", || node.is_on()).await;
    let key = || match server.ask(&["KEYS", "maintenance:lease:held/*"]) {
        redis::Value::Array(keys) => keys.into_iter().next(),
        other => panic!("{other:?}"),
    };
    let evicted = key().unwrap();
    let redis::Value::BulkString(name) = &evicted else {
        panic!("{evicted:?}");
    };
    server.ask(&["DEL", std::str::from_utf8(name).unwrap()]);
    assert_eq!(key(), None);
    within(SOON, "it is there again", || {
        assert!(node.is_on() && !guard.is_lost());
        key().is_some()
    })
    .await;
    // Longer than it would have lived.
    for _ in 0..70 {
        rt::time::sleep(Duration::from_millis(100)).await;
        assert!(node.is_on() && !guard.is_lost());
    }
    guard.release().await.unwrap();
    within(SOON, "it is open", || !node.is_on()).await;
}
