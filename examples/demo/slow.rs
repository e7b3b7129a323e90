//! Requests that take their time: to see what becomes of them when maintenance begins.

use std::{collections::HashMap, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse, error,
    rt::time::sleep,
    web::{Bytes, Query},
};
use futures_util::stream;

const LONGEST_MS: u64 = 60_000;

/// `/slow?ms=`: answers after so many milliseconds.
pub(crate) async fn slow(request: HttpRequest) -> Result<String, Error> {
    let ms = milliseconds(&request, "ms", 0, 1000)?;
    sleep(Duration::from_millis(ms)).await;
    Ok(format!("answered after {ms} ms\n"))
}

/// `/stream?ms=&every=`: a chunk each `every` milliseconds, until `ms` have passed.
pub(crate) async fn stream(request: HttpRequest) -> Result<HttpResponse, Error> {
    let ms = milliseconds(&request, "ms", 0, 1000)?;
    let every = milliseconds(&request, "every", 1, 100)?;
    let chunks = stream::unfold(Some(0), move |passed: Option<u64>| async move {
        let passed = passed?;
        let pause = every.min(ms - passed);
        sleep(Duration::from_millis(pause)).await;
        let passed = passed + pause;
        let chunk = Bytes::from(format!("{passed} ms\n"));
        Some((Ok::<_, Error>(chunk), (passed < ms).then_some(passed)))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .streaming(chunks))
}

fn milliseconds(request: &HttpRequest, name: &str, least: u64, default: u64) -> Result<u64, Error> {
    let query = Query::<HashMap<String, String>>::from_query(request.query_string())?;
    let Some(text) = query.get(name) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|number| (least..=LONGEST_MS).contains(number))
        .ok_or_else(|| {
            error::ErrorBadRequest(format!(
                "`{name}` must be a whole number from {least} to {LONGEST_MS}\n"
            ))
        })
}
