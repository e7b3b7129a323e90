//! What it does to a site whose caches are cold that all visitors come back at once, and what it does
//! to let them in share by share: `cargo bench --bench cold_cache`.
//!
//! A handler looks up one of many items. What is in its cache takes a millisecond; what is not takes a
//! tenth of a second of one of a few connections to a database. Visitors wait at the closed site. When it
//! opens, each comes back when it is told to, and then looks at something twice a second. No network is
//! between them, so that nothing is measured but the waiting.

// A failure ends the program, and says why.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    cell::RefCell,
    collections::HashSet,
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{Maintenance, Settings};
use actix_web::{App, http::header::RETRY_AFTER, rt, test, web};
use tokio::{sync::Semaphore, time::sleep};

const VISITORS: u32 = 1200;
const ITEMS: u32 = 400;
const CONNECTIONS: usize = 8;
const MISS: Duration = Duration::from_millis(100);
const HIT: Duration = Duration::from_millis(1);
const THINKS: Duration = Duration::from_millis(500);
/// How long is looked, from the opening on.
const WATCHED: Duration = Duration::from_secs(45);
const OVER: Duration = Duration::from_secs(30);
/// Browsers come back within so long after a site has opened.
const JITTER: Duration = Duration::from_secs(2);

/// What a visitor has waited for an answer that was one, and when that was asked for.
struct Served {
    asked: Duration,
    took: Duration,
}

struct Cold {
    database: Semaphore,
    cache: RefCell<HashSet<u32>>,
}

async fn item(item: web::Path<u32>, shop: web::Data<Rc<Cold>>) -> &'static str {
    let item = item.into_inner();
    if shop.cache.borrow().contains(&item) {
        sleep(HIT).await;
    } else {
        let connection = shop.database.acquire().await.unwrap();
        sleep(MISS).await;
        drop(connection);
        shop.cache.borrow_mut().insert(item);
    }
    "an item"
}

/// Opens a closed site for all who wait, and watches. `over`: within how long all are in.
async fn play(over: Option<Duration>) -> Vec<Served> {
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    let builder = Maintenance::builder().settings(settings);
    let maintenance = builder.build().await.unwrap();
    maintenance.turn_on().await.unwrap();
    let cold = Rc::new(Cold {
        database: Semaphore::new(CONNECTIONS),
        cache: RefCell::default(),
    });
    let app = App::new()
        .app_data(web::Data::new(cold))
        .service(web::resource("/{item}").to(item))
        .wrap(maintenance.middleware());
    let service = Rc::new(test::init_service(app).await);
    match over {
        Some(over) => maintenance.turn_off().over(over).await.unwrap(),
        None => maintenance.turn_off().await.unwrap(),
    };
    let begin = Instant::now();
    let served = Rc::new(RefCell::new(Vec::new()));
    let mut visitors = Vec::new();
    for visitor in 0..VISITORS {
        let (service, served) = (Rc::clone(&service), Rc::clone(&served));
        visitors.push(rt::spawn(async move {
            let address = Ipv4Addr::from_bits(0x0a00_0000 + visitor);
            sleep(JITTER.mul_f64(fastrand::f64())).await;
            while begin.elapsed() < WATCHED {
                // Some things are looked at much more often than others.
                let item = (f64::from(ITEMS) * fastrand::f64().powi(3)) as u32;
                let request = test::TestRequest::with_uri(&format!("/{item}"))
                    .peer_addr(SocketAddr::from((address, 5000)));
                let asked = begin.elapsed();
                let answer = test::call_service(&*service, request.to_request()).await;
                if answer.status().is_success() {
                    let took = begin.elapsed() - asked;
                    served.borrow_mut().push(Served { asked, took });
                    sleep(THINKS).await;
                } else {
                    let seconds = answer.headers().get(RETRY_AFTER).unwrap();
                    let seconds: u64 = seconds.to_str().unwrap().parse().unwrap();
                    sleep(Duration::from_secs(seconds)).await;
                }
            }
        }));
    }
    for visitor in visitors {
        visitor.await.unwrap();
    }
    Rc::into_inner(served).unwrap().into_inner()
}

fn percentile(mut times: Vec<Duration>, share: f64) -> Option<Duration> {
    times.sort();
    let place = (times.len() as f64 * share) as usize;
    times.get(place.min(times.len().checked_sub(1)?)).copied()
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| format!("{}", time.as_millis()))
}

/// The slowest one in a hundred, second by second.
fn by_second(served: &[Served]) -> Vec<Option<Duration>> {
    (0..WATCHED.as_secs())
        .map(|second| {
            let of_second = served.iter().filter(|it| it.asked.as_secs() == second);
            percentile(of_second.map(|it| it.took).collect(), 0.99)
        })
        .collect()
}

fn picture(at_once: &[Option<Duration>], gently: &[Option<Duration>]) -> String {
    let x = |second: usize| 60.0 + 14.0 * second as f64;
    // From a millisecond to a hundred seconds, each ten times the one before.
    let y = |time: Duration| 320.0 - 60.0 * (time.as_secs_f64() * 1e3).max(1.0).log10();
    let mut svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 380\" \
        font-family=\"sans-serif\" font-size=\"13\"><rect width=\"720\" height=\"380\" fill=\"#fff\"/>\n"
        .to_owned();
    for (power, label) in ["1 ms", "10 ms", "0.1 s", "1 s", "10 s"]
        .into_iter()
        .enumerate()
    {
        let y = 320 - 60 * power;
        let _ = writeln!(
            svg,
            "<path d=\"M60 {y}H690\" stroke=\"#ddd\"/><text x=\"52\" y=\"{}\" text-anchor=\"end\">{label}</text>",
            y + 4
        );
    }
    for second in (0..=45).step_by(5) {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"340\" text-anchor=\"middle\">{second} s</text>",
            x(second)
        );
    }
    for (series, colour, name, place) in [
        (at_once, "#a3331f", "opened for all at once", 24),
        (gently, "#0b57d0", "opened over 30 s", 44),
    ] {
        let points: Vec<String> = series
            .iter()
            .enumerate()
            .filter_map(|(second, time)| Some(format!("{:.1},{:.1}", x(second), y((*time)?))))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\
             <text x=\"690\" y=\"{place}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>",
            points.join(" ")
        );
    }
    svg.push_str("<text x=\"375\" y=\"366\" text-anchor=\"middle\">when it was asked for, after the opening; 99 of 100 answers were faster</text>\n</svg>\n");
    svg
}

#[actix_web::main]
async fn main() {
    let at_once = play(None).await;
    let gently = play(Some(OVER)).await;
    println!(
        "| answers of the first {} s | for all at once | over {} s |",
        WATCHED.as_secs(),
        OVER.as_secs()
    );
    println!("|---|---|---|");
    let row = |name: &str, of: &dyn Fn(&[Served]) -> String| {
        println!("| {name} | {} | {} |", of(&at_once), of(&gently));
    };
    let times = |served: &[Served]| served.iter().map(|it| it.took).collect::<Vec<_>>();
    row("how many", &|it| it.len().to_string());
    row("half of them within, ms", &|it| {
        milliseconds(percentile(times(it), 0.5))
    });
    row("99 of 100 within, ms", &|it| {
        milliseconds(percentile(times(it), 0.99))
    });
    row("all within, ms", &|it| {
        milliseconds(times(it).into_iter().max())
    });
    row("longer than a second", &|it| {
        let slow = it.iter().filter(|it| it.took > Duration::from_secs(1));
        slow.count().to_string()
    });
    let svg = picture(&by_second(&at_once), &by_second(&gently));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/cold_cache.svg");
    std::fs::write(file, svg).expect("the picture can be written");
    println!("\n{file}");
}
