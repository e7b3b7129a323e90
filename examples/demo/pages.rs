//! The pages: Tera templates that know of maintenance.

use actix_maintenance_mode::{Maintenance, MaintenanceFlag};
use actix_web::{
    Error, HttpRequest, error,
    web::{Data, Html, Path},
};
use tera::Tera;

use crate::items::Items;

pub(crate) const TEMPLATES: [(&str, &str); 3] = [
    ("base.html", include_str!("templates/base.html")),
    ("home.html", include_str!("templates/home.html")),
    ("page.html", include_str!("templates/page.html")),
];

pub(crate) async fn home(
    request: HttpRequest,
    // `maintenance_mode` and `maintenance` as they were when this request was let through.
    flag: MaintenanceFlag,
    maintenance: Data<Maintenance>,
    items: Data<Items>,
    tera: Data<Tera>,
) -> Result<Html, Error> {
    let mut context = flag.tera_context();
    context.insert("visitor", &maintenance.visitor(&request).await);
    context.insert("items", &items.all());
    render(&tera, "home.html", &context)
}

pub(crate) async fn about(flag: MaintenanceFlag, tera: Data<Tera>) -> Result<Html, Error> {
    page(&tera, &flag, "About", "A small shop that opens and closes.")
}

pub(crate) async fn shop(
    item: Path<String>,
    flag: MaintenanceFlag,
    items: Data<Items>,
    tera: Data<Tera>,
) -> Result<Html, Error> {
    let name = items.name_of(&item).unwrap_or_else(|| item.into_inner());
    page(&tera, &flag, &name, "Made by hand, sent within two days.")
}

pub(crate) async fn admin(flag: MaintenanceFlag, tera: Data<Tera>) -> Result<Html, Error> {
    page(&tera, &flag, "Admin", "The app's own admin.")
}

pub(crate) async fn admin_part(
    rest: Path<String>,
    flag: MaintenanceFlag,
    tera: Data<Tera>,
) -> Result<Html, Error> {
    page(
        &tera,
        &flag,
        &format!("Admin: {rest}"),
        "A part of the app's own admin.",
    )
}

fn page(tera: &Tera, flag: &MaintenanceFlag, title: &str, text: &str) -> Result<Html, Error> {
    let mut context = flag.tera_context();
    context.insert("title", title);
    context.insert("text", text);
    render(tera, "page.html", &context)
}

fn render(tera: &Tera, template: &'static str, context: &tera::Context) -> Result<Html, Error> {
    match tera.render(template, context) {
        Ok(page) => Ok(Html::new(page)),
        Err(error) => {
            tracing::error!(template, ?error, "a page cannot be rendered");
            Err(error::ErrorInternalServerError("This page has a fault.\n"))
        }
    }
}
