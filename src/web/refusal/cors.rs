//! Refusals that scripts of other origins may read
//! ([Fetch, CORS protocol](https://fetch.spec.whatwg.org/#http-cors-protocol)).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
            ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, HeaderMap, HeaderValue, ORIGIN, VARY,
        },
    },
};

use super::rendered::{MEANT, NO_STORE, X_MAINTENANCE_MODE};
use crate::{core::cors, settings::CorsSetting};

/// Whose scripts may read refusals.
#[derive(Debug)]
pub(crate) struct Cors(Readers);

#[derive(Debug)]
enum Readers {
    Any,
    /// In order, so that many are found as quickly as few.
    Named(Vec<HeaderValue>),
}

impl Cors {
    /// `None`: nobody's, so nothing is looked for.
    ///
    /// # Errors
    ///
    /// When an origin cannot be sent; the text says which.
    pub(super) fn new(setting: &CorsSetting) -> Result<Option<Self>, String> {
        let named = match setting {
            CorsSetting::Any => return Ok(Some(Self(Readers::Any))),
            CorsSetting::Named(named) if named.is_empty() => return Ok(None),
            CorsSetting::Named(named) => named,
        };
        let origin = |origin: &String| {
            HeaderValue::from_str(origin)
                .map_err(|_| format!("`{origin}` cannot be sent as an origin"))
        };
        let mut named: Vec<HeaderValue> = named.iter().map(origin).collect::<Result<_, _>>()?;
        named.sort();
        Ok(Some(Self(Readers::Named(named))))
    }

    /// Whether a refusal is another one for another origin.
    pub(super) fn depends_on_origin(&self) -> bool {
        matches!(self.0, Readers::Named(_))
    }

    /// What lets the scripts of the request's origin read the answer.
    fn reader(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut lines = headers.get_all(ORIGIN);
        let (origin, None) = (lines.next()?, lines.next()) else {
            return None;
        };
        match &self.0 {
            Readers::Any => Some(HeaderValue::from_static("*")),
            Readers::Named(named) => named
                .binary_search(origin)
                .ok()
                .map(|place| named[place].clone()),
        }
    }

    /// Lets the scripts of the origin that asks read a refusal, if it is one of those.
    pub(crate) fn open(&self, request: &HttpRequest, refusal: &mut HttpResponse) {
        // The app's own renderer may have said it already.
        if refusal.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        let Some(origin) = self.reader(request.headers()) else {
            return;
        };
        let headers = refusal.headers_mut();
        self.allow(headers, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(cors::EXPOSED_HEADERS),
        );
    }

    fn allow(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.depends_on_origin() {
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }

    /// The answer to a preflight of one of the origins, which would be refused. Its status is a good
    /// one, or the browser would not ask further and hide the refusal. Nobody keeps it: once the site
    /// is open, the app answers.
    pub(crate) fn preflight(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let asked = request.headers();
        let method = asked
            .get(ACCESS_CONTROL_REQUEST_METHOD)
            .filter(|_| *request.method() == Method::OPTIONS)?;
        let origin = self.reader(asked)?;
        let mut answer = HttpResponse::new(StatusCode::NO_CONTENT);
        let headers = answer.headers_mut();
        self.allow(headers, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        for names in asked.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.append(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("0"));
        headers.insert(VARY, HeaderValue::from_static(cors::PREFLIGHT_VARIES_BY));
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(X_MAINTENANCE_MODE, MEANT);
        Some(answer)
    }
}
