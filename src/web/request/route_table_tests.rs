use actix_web::{App, dev::Service as _, guard, test, web};

use super::*;

/// Reads the table of an app with many kinds of routes.
async fn table() -> RouteTable {
    use std::{cell::RefCell, rc::Rc};

    let read = Rc::new(RefCell::new(None));
    let into = Rc::clone(&read);
    let ok = || web::to(async || "");
    let app = App::new()
        .service(
            web::resource("/items")
                .name("list")
                .guard(guard::Get())
                .route(ok()),
        )
        .service(web::resource("/items").guard(guard::Post()).route(ok()))
        .service(
            web::resource(["/a", "/b/{x}"])
                .name("odd \"name\"\\")
                .route(ok()),
        )
        .service(
            web::scope("/shop/{city}")
                .guard(guard::Host("shop"))
                .service(
                    web::resource("/orders/{id:\\d{1,3}}")
                        .name("order")
                        .route(ok()),
                )
                .service(web::scope("/deep").service(web::resource("").route(ok()))),
        )
        .service(web::scope("/shop").service(web::resource("/x/orders/1").route(ok())))
        .service(actix_files::Files::new("/", "."))
        .external_resource("docs", "https://docs.rs/{crate}")
        .wrap_fn(move |request, service| {
            *into.borrow_mut() = RouteTable::read(request.resource_map());
            service.call(request)
        });
    let app = test::init_service(app).await;
    test::call_service(&app, test::TestRequest::get().uri("/a").to_request()).await;
    read.take()
        .expect("the routes are shown in the way that is known")
}

fn shown(table: &RouteTable, path: &str, passed: usize) -> Vec<String> {
    table
        .candidates(path, passed)
        .into_iter()
        .map(|number| {
            let route = table.route(number);
            let patterns = route.patterns.join(" ");
            let scope = if table.is_scope(number) { "scope " } else { "" };
            format!("{scope}{patterns}")
        })
        .collect()
}

#[actix_web::test]
async fn all_that_may_serve_a_path_is_found_in_the_order_of_the_router() {
    let table = table().await;
    for (path, expected) in [
        ("/items", vec!["/items", "/items", ""]),
        ("/a", vec!["/a /b/{x}", ""]),
        ("/b/1", vec!["/a /b/{x}", ""]),
        (
            "/shop/x/orders/1",
            vec!["/shop/{city}/orders/{id:\\d{1,3}}", "/shop/x/orders/1", ""],
        ),
        ("/shop/x/deep", vec!["/shop/{city}/deep", "scope /shop", ""]),
        ("/shop/y", vec!["scope /shop/{city}", "scope /shop", ""]),
        ("/nothing", vec![""]),
    ] {
        assert_eq!(shown(&table, path, 0), expected, "{path}");
    }
}

#[actix_web::test]
async fn inside_a_scope_only_what_is_in_it_may_serve() {
    let table = table().await;
    let expected = ["/shop/{city}/orders/{id:\\d{1,3}}"];
    assert_eq!(shown(&table, "/shop/x/orders/1", "/shop/x".len()), expected);
    assert_eq!(
        shown(&table, "/shop/x/orders/1", "/shop".len()),
        ["/shop/x/orders/1"]
    );
}

#[actix_web::test]
async fn names_and_patterns_are_those_of_the_app() {
    let table = table().await;
    let names: Vec<_> = table
        .resources()
        .filter_map(|number| table.route(number).name.as_deref())
        .collect();
    assert_eq!(names, ["list", "odd \"name\"\\", "order"]);
}

#[actix_web::test]
async fn what_is_shown_in_another_way_is_no_table() {
    assert!(RouteTable::read(&ResourceMap::new(ResourceDef::prefix(""))).is_some());
    let value = debug_text::read("ResourceMap { nodes: None }").unwrap();
    let mut table = RouteTable { nodes: Vec::new() };
    assert_eq!(table.add(&value, &[String::new()], 0, false), None);
}
