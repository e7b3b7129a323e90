//! An API of the shop: a list that one can add to.

use std::sync::{Mutex, PoisonError};

use actix_web::{
    Error, HttpRequest, HttpResponse, error,
    http::header,
    web::{Bytes, Data, Json, Query},
};
use serde::{Deserialize, Serialize};

/// The most items that are kept; the oldest leave first.
const MOST_ITEMS: usize = 100;
const LONGEST_NAME: usize = 200;

#[derive(Clone, Serialize)]
pub(crate) struct Item {
    id: u64,
    name: String,
}

pub(crate) struct Items(Mutex<Vec<Item>>);

impl Default for Items {
    fn default() -> Self {
        let items = ["Lamp", "Chair", "Table"].into_iter().zip(1..);
        Self(Mutex::new(
            items
                .map(|(name, id)| Item {
                    id,
                    name: name.to_owned(),
                })
                .collect(),
        ))
    }
}

impl Items {
    pub(crate) fn all(&self) -> Vec<Item> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn name_of(&self, id: &str) -> Option<String> {
        let id: u64 = id.parse().ok()?;
        let item = self.all().into_iter().find(|item| item.id == id)?;
        Some(item.name)
    }

    fn add(&self, name: Option<String>) -> Item {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = items.last().map_or(1, |item| item.id + 1);
        let item = Item {
            id,
            name: name.unwrap_or_else(|| format!("Item {id}")),
        };
        if items.len() == MOST_ITEMS {
            items.remove(0);
        }
        items.push(item.clone());
        item
    }
}

pub(crate) async fn list(items: Data<Items>) -> Json<Vec<Item>> {
    Json(items.all())
}

#[derive(Default, Deserialize)]
struct NewItem {
    name: Option<String>,
}

/// Adds an item by JSON (`{"name": "Lamp"}`) or by a form (`name=Lamp`), whatever the request says
/// of its kind, as `curl -d` sends either as a form. Without a name it gets one.
///
/// A browser that sent the form of the home page is sent back to it.
pub(crate) async fn add(
    request: HttpRequest,
    body: Bytes,
    items: Data<Items>,
) -> Result<HttpResponse, Error> {
    let text = std::str::from_utf8(&body)
        .map_err(|_| error::ErrorBadRequest("The item is not UTF-8.\n"))?
        .trim();
    let new = if text.is_empty() {
        NewItem::default()
    } else if text.starts_with('{') {
        serde_json::from_str(text)
            .map_err(|error| error::ErrorBadRequest(format!("The item is not right: {error}\n")))?
    } else {
        Query::<NewItem>::from_query(text)
            .map_err(|_| error::ErrorBadRequest("Send {\"name\": \"…\"} or name=….\n"))?
            .into_inner()
    };
    if new
        .name
        .as_ref()
        .is_some_and(|name| name.len() > LONGEST_NAME)
    {
        return Err(error::ErrorBadRequest(format!(
            "A name has at most {LONGEST_NAME} bytes.\n"
        )));
    }
    let item = items.add(new.name);
    let by_a_page = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    Ok(if by_a_page {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, "/"))
            .finish()
    } else {
        HttpResponse::Created().json(item)
    })
}
