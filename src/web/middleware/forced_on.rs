//! Always refuses what it wraps.

use std::{
    future::{Ready, ready},
    sync::atomic::Ordering,
    task::{Context, Poll},
};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use super::future::refused;
use crate::web::{
    maintenance::Maintenance,
    middleware::{body::MaintenanceBody, worker::Worker},
};

/// Refuses every request to what it wraps: from [`Maintenance::forced_on`].
///
/// ```
/// # use actix_maintenance_mode::Maintenance;
/// # use actix_web::{App, web};
/// # fn app(maintenance: Maintenance) {
/// App::new().service(
///     web::resource("/closed")
///         .wrap(maintenance.forced_on())
///         .to(|| async { "nobody sees this" }),
/// );
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ForcedOn {
    pub(super) maintenance: Maintenance,
}

impl ForcedOn {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        maintenance
            .front
            .forced_on_wrappers
            .store(true, Ordering::Relaxed);
        Self { maintenance }
    }
}

impl<S, B> Transform<S, ServiceRequest> for ForcedOn
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Transform = ForcedOnService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ForcedOnService {
            worker: Worker::new(self.maintenance.clone()),
            service,
        }))
    }
}

/// The service of [`ForcedOn`].
pub struct ForcedOnService<S> {
    pub(super) worker: Worker,
    pub(super) service: S,
}

impl<S, B> Service<ServiceRequest> for ForcedOnService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let response = self.worker.refuse_always(request.request());
        ready(Ok(refused(request.into_response(response))))
    }
}

impl Maintenance {
    /// A middleware for one resource or scope that is always refused, as by `forced_on.routes`.
    ///
    /// [The guide](crate::guide::who_gets_in#a-route-is-always-open-or-always-closed) has an example.
    pub fn forced_on(&self) -> ForcedOn {
        ForcedOn::new(self.clone())
    }
}
