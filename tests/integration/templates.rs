//! What the app's own templates know of maintenance.

use actix_maintenance_mode::{Maintenance, MaintenanceFlag};
use actix_web::{App, HttpResponse, ResponseError as _, test, web};
use serde_json::json;
use tera::Tera;

use crate::test_app::{TestApp, maintenance};

const PAGE: &str = "{% if maintenance_mode %}{{ maintenance.phase }} as {{ maintenance.message }}{% else %}open{% endif %}";

async fn app_with_a_page() -> TestApp {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| settings.exempt.addresses = vec!["10.0.0.1".to_owned()])
    })
    .await;
    let mut tera = Tera::default();
    tera.add_raw_template("page.html", PAGE).unwrap();
    let app = App::new()
        .app_data(web::Data::new(maintenance.clone()))
        .app_data(web::Data::new(tera))
        .route(
            "/",
            web::get().to(async |flag: MaintenanceFlag, tera: web::Data<Tera>| {
                tera.render("page.html", &flag.tera_context()).unwrap()
            }),
        )
        .route(
            "/json",
            web::get().to(async |flag: MaintenanceFlag| web::Json(flag)),
        )
        .wrap(maintenance.middleware());
    TestApp::serving(maintenance, test::init_service(app).await)
}

#[actix_web::test]
async fn whoever_gets_through_sees_the_flag() {
    let app = app_with_a_page().await;
    assert_eq!(app.get("/").await.text(), "open");
    app.maintenance.turn_on().message("<b>").await.unwrap();
    let answer = app.get("/").from("10.0.0.1").await;
    answer.is_served();
    assert_eq!(answer.text(), "offline as &lt;b&gt;");
    app.turn_off().await;
    assert_eq!(app.get("/").from("10.0.0.1").await.text(), "open");
}

#[actix_web::test]
async fn the_flag_serializes_for_any_engine() {
    let app = app_with_a_page().await;
    assert_eq!(
        app.get("/json").await.json(),
        json!({
            "maintenance_mode": false,
            "maintenance": {
                "mode": "site",
                "label": "Whole site",
                "phase": "online",
                "access": "none",
                "read_only": false,
                "message": "We are working on this site. Please try again later.",
                "since": null,
                "start": null,
                "deadline": null,
                "until": null,
                "retry_after": null,
                "pending": false,
                "scheduled": false,
                "plan": null,
            },
        })
    );
    app.maintenance
        .turn_on()
        .message("Soon back.")
        .await
        .unwrap();
    let flag = app.get("/json").from("10.0.0.1").await.json();
    assert_eq!(flag["maintenance_mode"], true);
    assert_eq!(flag["maintenance"]["phase"], "offline");
    assert_eq!(flag["maintenance"]["message"], "Soon back.");
    assert_eq!(flag["maintenance"]["retry_after"], 3600);
    assert_eq!(
        flag["maintenance"]["since"],
        json!(app.maintenance.status().modes[0].since)
    );
}

#[actix_web::test]
async fn the_flag_is_there_outside_of_requests_too() {
    let maintenance = maintenance(|builder| builder).await;
    assert!(!maintenance.flag().maintenance_mode);
    maintenance.turn_on().await.unwrap();
    assert!(maintenance.flag().maintenance_mode);
}

#[actix_web::test]
async fn without_the_handle_as_app_data_the_error_says_what_to_add() {
    let request = test::TestRequest::default().to_http_request();
    let error = <MaintenanceFlag as actix_web::FromRequest>::from_request(
        &request,
        &mut actix_web::dev::Payload::None,
    )
    .await
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("app_data(web::Data::new(maintenance.clone()))"),
        "{text}"
    );
    assert_eq!(error.error_response().status(), 500);

    let app = App::new().route(
        "/",
        web::get().to(async |_: MaintenanceFlag| HttpResponse::Ok()),
    );
    let maintenance = maintenance(|builder| builder).await;
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    let answer = app.get("/").await;
    assert_eq!(
        (answer.status, answer.text()),
        (500, ""),
        "visitors learn nothing"
    );
}

fn render(maintenance: &Maintenance, template: &str) -> Result<String, String> {
    let mut tera = Tera::default();
    maintenance.register_tera_function(&mut tera);
    tera.add_raw_template("page.html", template).unwrap();
    tera.render("page.html", &tera::Context::new())
        .map_err(|error| {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            text
        })
}

#[actix_web::test]
async fn the_function_tells_of_any_mode_or_of_one() {
    let maintenance = maintenance(|builder| builder).await;
    for template in [
        "{{ maintenance_mode() }}",
        "{{ maintenance_mode(mode=\"site\") }}",
    ] {
        assert_eq!(render(&maintenance, template).unwrap(), "false");
        maintenance.turn_on().await.unwrap();
        assert_eq!(render(&maintenance, template).unwrap(), "true");
        maintenance.turn_off().await.unwrap();
    }
}

#[actix_web::test]
async fn the_function_does_not_guess() {
    let maintenance = maintenance(|builder| builder).await;
    let error = render(&maintenance, "{{ maintenance_mode(mode=\"shop\") }}").unwrap_err();
    assert!(error.contains("no mode `shop`"), "{error}");
    render(&maintenance, "{{ maintenance_mode(mode=3) }}").unwrap_err();
}
